import numpy as np

from oasis_tf.serving.exporting.int8_weights import rounded_to_int8, to_int8


def test_each_output_has_a_scale_of_its_own():
    array = np.float32([[1.27, -254.0], [0.1, 3.0], [-0.004, 0.9]])
    numbers, scale = to_int8(array, (0,))
    np.testing.assert_array_equal(numbers, [[127, -127], [10, 2], [0, 0]])
    np.testing.assert_allclose(scale, [[0.01, 2.0]], rtol=1e-6)
    assert numbers.dtype == np.int8 and scale.dtype == np.float32


def test_nothing_but_zeros_stays():
    numbers, scale = to_int8(np.zeros((2, 3), np.float32), (0,))
    assert not numbers.any() and np.isfinite(scale).all()


def test_half_a_step_is_the_largest_error():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 4, 5)).astype(np.float32) * [1, 10, 0.1, 1, 1]
    step = np.abs(kernel).max((0, 1, 2)) / 127
    off = np.abs(rounded_to_int8(kernel.astype(np.float32)) - kernel)
    assert (off <= 0.5001 * step).all() and off.max() > 0.4 * step.max()
    rows = rng.normal(size=(9, 6, 4)).astype(np.float32)
    off = np.abs(rounded_to_int8(rows) - rows)
    assert (off <= 0.5001 * np.abs(rows).max(1, keepdims=True) / 127).all() and off.any()


def test_biases_stay():
    bias = np.float32([0.123456, -7.0])
    assert rounded_to_int8(bias) is bias


def test_rounding_twice_is_rounding_once():
    kernel = np.random.default_rng(1).normal(size=(3, 3, 4, 5)).astype(np.float32)
    once = rounded_to_int8(kernel)
    np.testing.assert_allclose(rounded_to_int8(once), once, rtol=1e-6)
