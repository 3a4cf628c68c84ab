"""Ideas one by one: each rewrite beside what it replaces, forward and backward, one picture.

The rows are what `benchmarks/README.md` speaks of, kept or not. Gradients are those of a weighted
sum of the result.
"""

import keras
import tensorflow as tf

from benchmarks import labels
from benchmarks.measure import interleave
from benchmarks.rows import FASTER, ratio
from benchmarks.winograd import winograd_conv3x3
from oasis_tf.layers.batch_norm import BatchNorm
from oasis_tf.layers.convolution import filter_gradient
from oasis_tf.layers.modulate import modulate
from oasis_tf.layers.resampled_conv import (
    avg_pool2x,
    conv_then_avg_pool2x,
    upsample2x,
    upsample2x_then_conv,
)
from oasis_tf.layers.spectral_conv import SpectralConv2D
from oasis_tf.losses.labelmix import labelmix_loss, mix
from oasis_tf.losses.segmentation import discriminator_fake_loss
from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.patch_index import build_patch_index
from oasis_tf.tf_setup import quick_graphs
from oasis_tf.training.adam import FusedAdam

BEFORE, AFTER = "before", "after"


def run(options):
    """Measures; returns rows."""
    quick_graphs()
    label_map = labels.recorded(options.records, 1)[0]["label_map"]
    sizes = dict(size=label_map.shape[1], channels=16 if options.quick else 128)
    classes = options.classes[1]
    rows = []
    for what, before, after in (
        ("3x3 convolution and average pooling as one", *_conv_then_halve(**sizes)),
        ("nearest upsampling and 3x3 convolution as one", *_double_then_conv(**sizes)),
        ("1x1 convolution behind the pooling, not before", *_small_side(**sizes)),
        ("gradient of nearest upsampling as a pooling", *_double(**sizes)),
        ("modulation with a gradient of its own", *_modulate(label_map, **sizes)),
        ("modulation compiled by XLA, compiling not counted", *_xla(label_map, **sizes)),
        ("sums over the pixels of a patch sorted first", *_sorted_sums(label_map, **sizes)),
        (f"cross-entropy over {classes + 1} classes in chunks", *_cross_entropy(classes, **sizes)),
        (f"LabelMix over {classes + 1} classes by Gram matrices", *_labelmix(classes, **sizes)),
        ("one pass of the discriminator for three", *_one_pass(options)),
        ("filter gradient as matrix products, stride 2", *_filter_gradient(2, **sizes)),
        ("filter gradient as matrix products, stride 1", *_filter_gradient(1, **sizes)),
        ("3x3 convolution in Winograd's form, where coarse", *_winograd(8, **sizes)),
        ("3x3 convolution in Winograd's form, where fine", *_winograd(2, **sizes)),
        ("batch norm with its gradient from the result", *_batch_norm(**sizes)),
        ("gradient through sigma by its formula", *_sigma(**sizes)),
        ("the result divided by sigma, not the kernel", *_divide_the_result(**sizes)),
        ("Adam as one kernel a variable", *_adam(**sizes)),
        ("3x3 convolution in bfloat16", *_bfloat16(**sizes)),
    ):
        sides = {(BEFORE, what): before, (AFTER, what): after}
        seconds = interleave(sides, options.repeats)
        names = dict(zip((BEFORE, AFTER), sides, strict=True))
        rows.append(ratio(what, seconds, names, FASTER))
    return rows


def _differentiated(function, *sources):
    """A side that runs `function` and the gradients to its sources."""

    def both(*sources):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            y = function(*sources)
            loss = tf.reduce_sum(tf.cast(y, tf.float32) * 0.5)
        gradients = tape.gradient(loss, sources)
        # One number that needs them all, so that nothing is left out or copied to the host.
        return tf.add_n([tf.cast(tf.reshape(g, [-1])[0], tf.float32) for g in gradients])

    return _side(both, *sources)


def _side(function, *sources):
    graph = tf.function(function, autograph=False)
    return lambda: float(graph(*sources))


def _picture(size, channels):
    return tf.random.stateless_normal((1, size, size, channels), (1, 1))


def _kernel(size, inputs, outputs):
    return tf.random.stateless_normal((size, size, inputs, outputs), (2, 2)) * 0.05


def _conv(x, kernel):
    return tf.nn.conv2d(x, kernel, 1, "SAME")


def _repeat(x):
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


def _conv_then_halve(size, channels):
    sources = _picture(size, channels), _kernel(3, channels, channels)
    return (
        _differentiated(lambda x, k: avg_pool2x(_conv(x, k)), *sources),
        _differentiated(conv_then_avg_pool2x, *sources),
    )


def _double_then_conv(size, channels):
    sources = _picture(size // 2, channels), _kernel(3, channels, channels // 2)
    return (
        _differentiated(lambda x, k: _conv(_repeat(x), k), *sources),
        _differentiated(upsample2x_then_conv, *sources),
    )


def _small_side(size, channels):
    sources = _picture(size, channels // 2), _kernel(1, channels // 2, channels)
    return (
        _differentiated(lambda x, k: avg_pool2x(_conv(x, k)), *sources),
        _differentiated(lambda x, k: _conv(avg_pool2x(x), k), *sources),
    )


def _double(size, channels):
    x = _picture(size // 2, channels)
    return _differentiated(lambda x: _repeat(x) ** 2, x), _differentiated(
        lambda x: upsample2x(x) ** 2, x
    )


def _tables(label_map, channels):
    patches = build_patch_index(label_map, int(tf.reduce_max(label_map)) + 1, [1]).levels[0]
    count = patches.patches5.shape[0]
    tables = (tf.random.stateless_normal((count, channels), (3, i)) for i in range(2))
    return patches.index, *tables


def _modulate_plainly(x, gamma, beta, index):
    y = _repeat(x) * (1 + tf.gather(gamma, index)) + tf.gather(beta, index)
    return tf.nn.leaky_relu(y, 0.2)


def _modulate(label_map, size, channels):
    index, gamma, beta = _tables(label_map, channels)
    sources = _picture(size // 2, channels), gamma, beta
    return (
        _differentiated(lambda *s: _modulate_plainly(*s, index), *sources),
        _differentiated(lambda *s: modulate(*s, index, upsample=True, activate=True), *sources),
    )


def _xla(label_map, size, channels):
    index, gamma, beta = _tables(label_map, channels)
    sources = _picture(size // 2, channels), gamma, beta
    compiled = tf.function(
        lambda *s: _modulate_plainly(*s, index), autograph=False, jit_compile=True
    )
    return (
        _differentiated(lambda *s: modulate(*s, index, upsample=True, activate=True), *sources),
        _differentiated(compiled, *sources),
    )


def _sorted_sums(label_map, size, channels):
    index, gamma, _ = _tables(label_map, channels)
    index, count = tf.reshape(index, [-1]), gamma.shape[0]
    rows = tf.reshape(_picture(size, channels), (-1, channels))

    def by_sorting(rows):
        order = tf.argsort(index)
        return tf.sparse.segment_sum(rows, order, tf.gather(index, order), count)[0, 0]

    return (
        _side(lambda rows: tf.math.unsorted_segment_sum(rows, index, count)[0, 0], rows),
        _side(by_sorting, rows),
    )


def _head(classes, channels):
    return _kernel(1, channels // 2, classes + 1)[0, 0], tf.zeros(classes + 1)


def _cross_entropy(classes, size, channels):
    features, (kernel, bias) = _picture(size, channels // 2), _head(classes, channels)

    def plain(features, kernel, bias):
        logits = tf.tensordot(features, kernel, 1) + bias
        fake = tf.zeros((1, size, size), tf.int32)
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=fake, logits=logits)
        )

    return (
        _differentiated(plain, features, kernel, bias),
        _differentiated(lambda x, *head: discriminator_fake_loss(x, head), features, kernel, bias),
    )


def _labelmix(classes, size, channels):
    head = _head(classes, channels)
    pictures = [_picture(size, channels // 2) * scale for scale in (1.0, 2.0, 3.0)]
    mask = pictures[0][..., :1] > 0

    def plain(kernel, *features):
        mixed, real, fake = (tf.tensordot(x, kernel, 1) + head[1] for x in features)
        return tf.reduce_mean(tf.square(mixed - mix(mask, real, fake)))

    def by_gram(kernel, *features):
        return labelmix_loss(*features, mask, (kernel, head[1]))

    sources = head[0], *pictures
    return _differentiated(plain, *sources), _differentiated(by_gram, *sources)


def _one_pass(options):
    size = 64 if options.quick else 256
    network = Discriminator(2, base_channels=options.widths["base_channels"])
    sources = [_picture(size, 3) * scale for scale in (0.1, 0.2, 0.3)]

    def three_passes(*pictures):
        return tf.concat([network.features(x, training=True) for x in pictures], axis=0)

    def one_pass(*pictures):
        return network.features(tf.concat(pictures, axis=0), training=True)

    return _differentiated(three_passes, *sources), _differentiated(one_pass, *sources)


def _filter_gradient(stride, size, channels):
    # The finest strided convolution of the discriminator, three pictures; a middle one of the
    # generator.
    batch, kernel, size, channels = {
        1: (1, 3, size // 4, 4 * channels),
        2: (3, 4, size, channels),
    }[stride]
    x = tf.random.stateless_normal((batch, size, size, channels), (1, 1))
    dy = x[:, : size // stride, : size // stride, : channels // 2]

    def native(x, dy):
        return tf.raw_ops.Conv2DBackpropFilter(
            input=x,
            filter_sizes=[kernel, kernel, channels, channels // 2],
            out_backprop=dy,
            strides=[1, stride, stride, 1],
            padding="SAME",
        )[0, 0, 0, 0]

    return (
        _side(native, x, dy),
        _side(lambda x, dy: filter_gradient(x, dy, stride)[0, 0, 0, 0], x, dy),
    )


def _winograd(scale, size, channels):
    """Of so many pixels a side as the generator has at 1 / scale, and channels to fit."""
    size, channels = size // scale, channels * scale // 2
    sources = _picture(size, channels), _kernel(3, channels, channels)
    return _differentiated(_conv, *sources), _differentiated(winograd_conv3x3, *sources)


def _batch_norm(size, channels):
    layer, x = BatchNorm(channels), _picture(size, channels)

    def plain(x):
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        return (x - mean) * tf.math.rsqrt(variance + layer.epsilon)

    return (
        _differentiated(lambda x: plain(x) ** 2, x),
        _differentiated(lambda x: layer(x, training=True) ** 2, x),
    )


def _divide_the_result(size, channels):
    layer = SpectralConv2D(8 * channels, 8 * channels, 3)
    # As coarse as the generator begins.
    x = _picture(size // 32, 8 * channels)

    def by_kernel(_):
        return _conv(x, layer.normalized_kernel()) + layer.bias

    return (
        _variable_side(by_kernel, layer.kernel.value),
        _variable_side(lambda _: layer(x), layer.kernel.value),
    )


def _sigma(size, channels):
    del size
    layer = SpectralConv2D(8 * channels, 8 * channels, 3)
    kernel = layer.kernel.value
    u, v = tf.constant(layer.u.numpy()), tf.constant(layer.v.numpy())

    def by_automatic_differentiation(kernel):
        matrix = tf.reshape(kernel, (-1, kernel.shape[-1]))
        return kernel / tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)

    return (
        _variable_side(by_automatic_differentiation, kernel),
        _variable_side(lambda _: layer.normalized_kernel(), kernel),
    )


def _variable_side(function, variable):
    def both():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(function(tf.convert_to_tensor(variable)) * 0.5)
        return tf.reshape(tape.gradient(loss, variable), [-1])[0]

    return _side(both)


def _adam(size, channels):
    del size

    def side(optimizer):
        variable = keras.Variable(_kernel(3, 8 * channels, 8 * channels))
        optimizer.build([variable])
        gradient = _kernel(3, 8 * channels, 8 * channels)

        def update(gradient):
            optimizer.apply([gradient], [variable])
            return tf.reshape(variable.value, [-1])[0]

        return _side(update, gradient)

    return side(keras.optimizers.Adam(1e-4, 0.0, 0.999)), side(FusedAdam(1e-4))


def _bfloat16(size, channels):
    sources = _picture(size, channels), _kernel(3, channels, channels)
    return (
        _differentiated(_conv, *sources),
        _differentiated(_conv, *(tf.cast(x, tf.bfloat16) for x in sources)),
    )
