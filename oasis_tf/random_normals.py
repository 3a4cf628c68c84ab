"""Random numbers that are the same on every device, compiled or not, and in every export.

TensorFlow's `stateless_normal` gives other normals under XLA than without, from the same bits. So
the bits are drawn here, by Philox 4x32-10, a published generator of integer operations alone, and
made into normals by a formula that any engine can compute.

Reference: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011; Box and Muller,
"A Note on the Generation of Random Normal Deviates", 1958.
"""

import math

import tensorflow as tf

_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
_WORD = 0xFFFFFFFF


def random_bits(pairs, count):
    """Independent bits for each row, which depend on that row alone.

    Args:
        pairs: int64 (n, 2), such as a seed and what is drawn with it.
        count: numbers of a row, int or int32 scalar.

    Returns:
        uint64 (n, count), in [0, 2^32). Number i is word i % 4 of Philox with the first of the
        pair as key and (i // 4, 0, low word, high word of the second) as counter.
    """
    first, second = (tf.bitcast(pairs[:, i, None], tf.uint64) for i in (0, 1))  # (n, 1)
    block = tf.cast(tf.range((count + 3) // 4), tf.uint64)[None]  # (1, blocks)
    counter = [block, tf.zeros_like(block), *_words(second)]
    counter = [word + tf.zeros_like(first + block) for word in counter]
    words = tf.stack(_philox(counter, _words(first)), axis=-1)  # (n, blocks, 4)
    return tf.reshape(words, (tf.shape(pairs)[0], (count + 3) // 4 * 4))[:, :count]


def random_normals(pairs, count):
    """Independent standard normals for each row, which depend on that row alone.

    Two words a and b of `random_bits`, the even and the odd one, give two normals:
    sqrt(-2 ln u) times cos and sin of 2 pi v, with u = (a + 1/2) / 2^32 and v = b / 2^32, in
    float64: engines differ in the last bits of logarithm, cosine and sine, and rounding to float32
    takes these away. None is beyond 6.8.

    Args:
        pairs: int64 (n, 2).
        count: numbers of a row, int or int32 scalar.

    Returns:
        float32 (n, count).
    """
    bits = random_bits(pairs, count + count % 2)
    bits = tf.cast(bits, tf.float64)
    u, v = (bits[:, 0::2] + 0.5) * 2.0**-32, bits[:, 1::2] * 2.0**-32
    radius, angle = tf.sqrt(-2 * tf.math.log(u)), 2 * math.pi * v
    normals = tf.stack([radius * tf.cos(angle), radius * tf.sin(angle)], axis=-1)
    normals = tf.cast(normals, tf.float32)
    return tf.reshape(normals, (tf.shape(pairs)[0], count + count % 2))[:, :count]


def _philox(counter, key):
    """Four words of counter and two of key, uint64 of 32 bits each, to four random words."""
    x0, x1, x2, x3 = counter
    key_0, key_1 = key
    for _ in range(_ROUNDS):
        product_0, product_1 = x0 * _uint(_MULTIPLIERS[0]), x2 * _uint(_MULTIPLIERS[1])
        (low_0, high_0), (low_1, high_1) = _words(product_0), _words(product_1)
        x0, x1, x2, x3 = _xor(high_1, x1, key_0), low_1, _xor(high_0, x3, key_1), low_0
        key_0 = (key_0 + _uint(_KEY_STEPS[0])) & _uint(_WORD)
        key_1 = (key_1 + _uint(_KEY_STEPS[1])) & _uint(_WORD)
    return x0, x1, x2, x3


def _words(number):
    """The low and the high half of uint64."""
    return number & _uint(_WORD), _shift(number, 32)


def _shift(number, places):
    return tf.bitwise.right_shift(number, _uint(places))


def _xor(a, b, c):
    return tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(a, b), c)


def _uint(value):
    return tf.constant(value, tf.uint64)
