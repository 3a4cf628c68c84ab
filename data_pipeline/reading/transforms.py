"""What training does to an example after decoding. Stateless: the same seed, the same result."""

import tensorflow as tf


def random_crop_and_flip(image, label_map, size, seed):
    """Cuts a random window and mirrors it with probability 1/2, image and label map alike.

    Args:
        image: (H, W, 3), any dtype.
        label_map: (H, W), any dtype.
        size: (h, w) of the window, at most (H, W). An equal size leaves only the flip.
        seed: two ints, or an int tensor (2,).

    Returns:
        image (h, w, 3) and label_map (h, w), dtypes unchanged.
    """
    height, width = size
    seeds = tf.random.split(seed, 3)  # (3, 2)
    full = tf.shape(label_map)
    top = tf.random.stateless_uniform([], seeds[0], 0, full[0] - height + 1, tf.int32)
    left = tf.random.stateless_uniform([], seeds[1], 0, full[1] - width + 1, tf.int32)
    image, label_map = _window(image, label_map, size, top, left)
    flip = tf.random.stateless_uniform([], seeds[2]) < 0.5
    image = tf.cond(flip, lambda: tf.reverse(image, [1]), lambda: image)
    label_map = tf.cond(flip, lambda: tf.reverse(label_map, [1]), lambda: label_map)
    return image, label_map


def centre_crop(image, label_map, size):
    """Cuts the window of `size` (h, w) in the middle; shapes and dtypes as for the random one."""
    full = tf.shape(label_map)
    return _window(image, label_map, size, (full[0] - size[0]) // 2, (full[1] - size[1]) // 2)


def to_model_range(image):
    """Maps uint8 0..255 linearly to float32 [-1, 1], any shape."""
    return tf.cast(image, tf.float32) / 127.5 - 1.0


def _window(image, label_map, size, top, left):
    height, width = size
    image, label_map = tf.convert_to_tensor(image), tf.convert_to_tensor(label_map)
    image = image[top : top + height, left : left + width]
    label_map = label_map[top : top + height, left : left + width]
    return tf.ensure_shape(image, (height, width, 3)), tf.ensure_shape(label_map, (height, width))
