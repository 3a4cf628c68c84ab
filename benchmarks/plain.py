"""The baseline: OASIS as a good engineer writes it in ordinary Keras layers, in float32.

One-hot label maps, SPADE at every pixel, convolution and resampling one after the other, three
passes of the discriminator. Nothing of `oasis_tf` is used here, so that what is compared with it
does not change when it does.
"""

import itertools

import keras
import tensorflow as tf
from keras import layers

__all__ = ["Discriminator", "Generator", "Training", "copy_weights", "discriminator_gradients"]

GENERATOR_WIDTHS = (16, 16, 16, 8, 4, 2, 1)
GENERATOR_SCALES = (32, 16, 8, 4, 2, 1)
DISCRIMINATOR_WIDTHS = (2, 2, 4, 4, 8, 8)


def leaky_relu(x):
    return tf.nn.leaky_relu(x, 0.2)


def conv(filters, size=3, **options):
    return layers.Conv2D(filters, size, padding="same", **options)


class SpectralConv2D(layers.Conv2D):
    """A "same" convolution with its kernel divided by the largest singular value.

    Keras' `SpectralNormalization` cannot be used: it overwrites the kernel with the divided one
    and so loses the gradient through the singular value.
    """

    def __init__(self, filters, size=3, **options):
        super().__init__(filters, size, padding="same", **options)

    def build(self, input_shape):
        super().build(input_shape)
        rows = self.kernel_size[0] * self.kernel_size[1] * input_shape[-1]
        self.u = self.add_weight(
            shape=(self.filters,), initializer="random_normal", trainable=False, name="u"
        )
        self.v = self.add_weight(
            shape=(rows,), initializer="random_normal", trainable=False, name="v"
        )

    def call(self, x, training=False):
        matrix = tf.reshape(self.kernel, (-1, self.filters))
        if training:
            self._power_iteration(tf.stop_gradient(matrix))
        u, v = tf.convert_to_tensor(self.u), tf.convert_to_tensor(self.v)
        sigma = tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)
        x = self.convolution_op(x, self.kernel / sigma)
        return x if self.bias is None else tf.nn.bias_add(x, self.bias)

    def _power_iteration(self, matrix):
        v = tf.math.l2_normalize(tf.linalg.matvec(matrix, self.u))
        self.v.assign(v)
        self.u.assign(tf.math.l2_normalize(tf.linalg.matvec(matrix, v, transpose_a=True)))


class SPADE(layers.Layer):
    """Batch normalisation, modulated at every pixel by two convolutions of the conditioning."""

    def __init__(self, channels, hidden):
        super().__init__()
        self.norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, center=False, scale=False)
        self.shared = conv(hidden, activation="relu")
        self.gamma = conv(channels)
        self.beta = conv(channels)
        self.built = True

    def call(self, x, conditioning, training=False):
        hidden = self.shared(conditioning)
        x = self.norm(x, training=training)
        return x * (1 + self.gamma(hidden)) + self.beta(hidden)


class GeneratorBlock(layers.Layer):
    """Two times (SPADE, leaky ReLU, convolution) around a shortcut."""

    def __init__(self, inputs, outputs, hidden):
        super().__init__()
        middle = min(inputs, outputs)
        self.norm_0 = SPADE(inputs, hidden)
        self.conv_0 = SpectralConv2D(middle)
        self.norm_1 = SPADE(middle, hidden)
        self.conv_1 = SpectralConv2D(outputs)
        self.norm_s = self.conv_s = None
        if inputs != outputs:
            self.norm_s = SPADE(inputs, hidden)
            self.conv_s = SpectralConv2D(outputs, 1, use_bias=False)
        self.built = True

    def call(self, x, conditioning, training=False):
        y = leaky_relu(self.norm_0(x, conditioning, training=training))
        y = self.conv_0(y, training=training)
        y = leaky_relu(self.norm_1(y, conditioning, training=training))
        y = self.conv_1(y, training=training)
        if self.conv_s is not None:
            x = self.norm_s(x, conditioning, training=training)
            x = self.conv_s(x, training=training)
        return x + y


class Generator(keras.Model):
    """Label map int (B, H, W) and noise float (B, Z) to pictures float (B, H, W, 3) in [-1, 1].

    Args:
        num_classes: N, unlabelled included.
        base_channels: width of the last block.
        noise_channels: Z.
        hidden: width of SPADE's hidden layers.
    """

    def __init__(self, num_classes, *, base_channels=64, noise_channels=64, hidden=128):
        super().__init__()
        widths = [w * base_channels for w in GENERATOR_WIDTHS]
        self.num_classes = num_classes
        self.first = conv(widths[0])
        self.blocks = [GeneratorBlock(a, b, hidden) for a, b in itertools.pairwise(widths)]
        self.upsample = layers.UpSampling2D(2, interpolation="nearest")
        self.last = conv(3)
        self.built = True
        # Keras makes variables when a layer is first called.
        self(tf.zeros((1, 32, 32), tf.int32), tf.zeros((1, noise_channels)))

    def call(self, label_map, noise, training=False):
        height, width = label_map.shape[1:]
        noise = tf.tile(noise[:, None, None], (1, height, width, 1))
        conditioning = tf.concat([noise, tf.one_hot(label_map, self.num_classes)], axis=-1)
        x = self.first(conditioning[:, ::32, ::32])
        for block, scale in zip(self.blocks, GENERATOR_SCALES, strict=True):
            if scale != 32:
                x = self.upsample(x)
            x = block(x, conditioning[:, ::scale, ::scale], training=training)
        return tf.tanh(self.last(leaky_relu(x)))


class DiscriminatorBlock(layers.Layer):
    """Two convolutions around a shortcut, then halved, or doubled before them."""

    def __init__(self, inputs, outputs, direction, first=False):
        super().__init__()
        self.down = direction == "down"
        self.first = first
        self.conv_1 = SpectralConv2D(outputs)
        self.conv_2 = SpectralConv2D(outputs)
        self.conv_s = SpectralConv2D(outputs, 1) if inputs != outputs else None
        if self.down:
            self.resample = layers.AveragePooling2D(2)
        else:
            self.resample = layers.UpSampling2D(2, interpolation="nearest")
        self.built = True

    def call(self, x, training=False):
        y = x if self.first else leaky_relu(x)
        if not self.down:
            y = self.resample(y)
        y = self.conv_1(y, training=training)
        y = self.conv_2(leaky_relu(y), training=training)
        if self.down:
            y = self.resample(y)
        # As released: the block that reads the picture pools it before its shortcut's
        # convolution, the other downward ones after.
        if self.first or not self.down:
            x = self.resample(x)
        if self.conv_s is not None:
            x = self.conv_s(x, training=training)
        if self.down and not self.first:
            x = self.resample(x)
        return x + y


class Discriminator(keras.Model):
    """Pictures float (B, H, W, 3) to logits float (B, H, W, N + 1); channel 0 is "fake".

    Args:
        num_classes: N, unlabelled included.
        base_channels: width of the features before the last layer.
    """

    def __init__(self, num_classes, *, base_channels=64):
        super().__init__()
        widths = [w * base_channels for w in DISCRIMINATOR_WIDTHS]
        outputs = [*widths[-2::-1], base_channels]
        inputs = [widths[-1], *(2 * w for w in outputs[:-1])]
        self.down = [
            DiscriminatorBlock(a, b, "down", first=i == 0)
            for i, (a, b) in enumerate(itertools.pairwise([3, *widths]))
        ]
        self.up = [DiscriminatorBlock(a, b, "up") for a, b in zip(inputs, outputs, strict=True)]
        self.last = conv(num_classes + 1, 1)
        self.built = True
        self(tf.zeros((1, 64, 64, 3)))

    def call(self, image, training=False):
        skips = []
        x = image
        for block in self.down:
            x = block(x, training=training)
            skips.append(x)
        x = self.up[0](x, training=training)
        for block, skip in zip(self.up[1:], skips[-2::-1], strict=True):
            x = block(tf.concat([skip, x], axis=-1), training=training)
        return self.last(x)


def real_loss(logits, label_map):
    """Cross-entropy with the classes balanced; unlabelled pixels (class 0) count for nothing."""
    num_classes = logits.shape[-1] - 1
    # Not bincount, whose size depends on the ids: XLA would make them constants of the program.
    labels = tf.reshape(label_map, [-1])
    counts = tf.math.unsorted_segment_sum(tf.ones_like(labels, tf.float32), labels, num_classes)
    counts *= tf.cast(tf.range(num_classes) > 0, tf.float32)
    present = tf.math.count_nonzero(counts, dtype=tf.float32)
    pixels = tf.cast(tf.size(label_map), tf.float32)
    weights = tf.math.divide_no_nan(pixels, counts * present)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(label_map + 1, logits)
    return tf.reduce_mean(loss * tf.gather(weights, label_map))


def fake_loss(logits):
    """Cross-entropy with "fake" at every pixel."""
    target = tf.zeros(tf.shape(logits)[:-1], tf.int32)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits))


def discriminator_gradients(discriminator, fake, image, label_map, mask_bits, labelmix_weight):
    """The discriminator's loss on one batch, and its gradients.

    Args:
        discriminator: `Discriminator`.
        fake: generated pictures, float (B, H, W, 3).
        image: photographs, the same.
        label_map: int32 (B, H, W).
        mask_bits: bool (B, N), True = LabelMix takes the class from the photograph.
        labelmix_weight: lambda.
    """
    mask = tf.gather(mask_bits, label_map, batch_dims=1)[..., None]
    variables = [v.value for v in discriminator.trainable_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        on_fake = discriminator(fake, training=True)
        on_real = discriminator(image, training=True)
        on_mixed = discriminator(tf.where(mask, image, fake), training=True)
        mixed = tf.where(mask, on_real, on_fake)
        consistency = tf.reduce_mean(tf.square(on_mixed - mixed))
        loss = fake_loss(on_fake) + real_loss(on_real, label_map)
        loss += labelmix_weight * consistency
    return loss, tape.gradient(loss, variables)


class Training:
    """Both networks, the averaged generator, two Adams, and a step of all of them.

    Args:
        num_classes: N, unlabelled included.
        base_channels: width of both networks.
        noise_channels: Z.
        hidden: width of SPADE's hidden layers.
        labelmix_weight: lambda.
        ema_decay: of the averaged generator.
    """

    def __init__(
        self,
        num_classes,
        *,
        base_channels=64,
        noise_channels=64,
        hidden=128,
        labelmix_weight=10.0,
        ema_decay=0.9999,
    ):
        def generator():
            return Generator(
                num_classes,
                base_channels=base_channels,
                noise_channels=noise_channels,
                hidden=hidden,
            )

        def adam(learning_rate, model):
            optimizer = keras.optimizers.Adam(learning_rate, 0.0, 0.999, epsilon=1e-8)
            optimizer.build(model.trainable_variables)
            return optimizer

        self.num_classes = num_classes
        self.noise_channels = noise_channels
        self.labelmix_weight = labelmix_weight
        self.ema_decay = ema_decay
        self.generator, self.ema_generator = generator(), generator()
        self.ema_generator.set_weights(self.generator.get_weights())
        self.discriminator = Discriminator(num_classes, base_channels=base_channels)
        self.generator_optimizer = adam(1e-4, self.generator)
        self.discriminator_optimizer = adam(4e-4, self.discriminator)
        self.step = tf.function(self._step, autograph=False)

    def _step(self, image, label_map):
        """One update of each network; returns the two losses."""
        noise = tf.random.normal((2, label_map.shape[0], self.noise_channels))
        mask_bits = tf.random.uniform((label_map.shape[0], self.num_classes)) < 0.5
        loss = self.update_generator(label_map, noise[0])
        losses = loss, self.update_discriminator(image, label_map, noise[1], mask_bits)
        self.update_average()
        return losses

    def update_generator(self, label_map, noise):
        variables = self.generator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            fake = self.generator(label_map, noise, training=True)
            loss = real_loss(self.discriminator(fake, training=True), label_map)
        gradients = tape.gradient(loss, [v.value for v in variables])
        self.generator_optimizer.apply(gradients, variables)
        return loss

    def update_discriminator(self, image, label_map, noise, mask_bits):
        fake = self.generator(label_map, noise, training=True)
        loss, gradients = discriminator_gradients(
            self.discriminator, fake, image, label_map, mask_bits, self.labelmix_weight
        )
        self.discriminator_optimizer.apply(gradients, self.discriminator.trainable_variables)
        return loss

    def update_average(self):
        """Weights are averaged, batch statistics and singular vectors copied."""
        pairs = zip(self.ema_generator.variables, self.generator.variables, strict=True)
        for average, variable in pairs:
            decay = self.ema_decay if variable.trainable else 0.0
            average.assign(decay * average + (1 - decay) * variable)


def copy_weights(ours, plain):
    """Gives a plain network every weight, batch statistic and singular vector of one of ours.

    Args:
        ours: `oasis_tf.models` Generator or Discriminator.
        plain: the `Generator` or `Discriminator` of this file with the same sizes; changed.
    """
    pairs = _generator_pairs if isinstance(plain, Generator) else _discriminator_pairs
    for source, target in pairs(ours, plain):
        target.assign(source)


def _generator_pairs(ours, plain):
    yield from _conv_pairs(ours.first, plain.first)
    yield from _conv_pairs(ours.last, plain.last)
    for a, b in zip(ours.blocks, plain.blocks, strict=True):
        for part in ("0", "1", "s"):
            if getattr(b, f"conv_{part}") is not None:
                yield from _conv_pairs(getattr(a, f"conv_{part}"), getattr(b, f"conv_{part}"))
                yield from _spade_pairs(getattr(a, f"norm_{part}"), getattr(b, f"norm_{part}"))


def _discriminator_pairs(ours, plain):
    yield from _conv_pairs(ours.last, plain.last)
    for a, b in zip([*ours.down, *ours.up], [*plain.down, *plain.up], strict=True):
        for name in ("conv_1", "conv_2", "conv_s"):
            if getattr(b, name) is not None:
                yield from _conv_pairs(getattr(a, name), getattr(b, name))


def _spade_pairs(ours, plain):
    yield ours.norm.running_mean, plain.norm.moving_mean
    yield ours.norm.running_variance, plain.norm.moving_variance
    yield from _conv_pairs(ours.shared, plain.shared)
    for name in ("gamma", "beta"):
        yield getattr(ours, f"{name}_kernel"), getattr(plain, name).kernel
        yield getattr(ours, f"{name}_bias"), getattr(plain, name).bias


def _conv_pairs(ours, plain):
    yield ours.kernel, plain.kernel
    if plain.bias is not None:
        yield ours.bias, plain.bias
    if isinstance(plain, SpectralConv2D):
        yield ours.u, plain.u
        yield ours.v, plain.v
