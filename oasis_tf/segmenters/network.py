"""A small segmentation network and its training: a segmenter that needs no download."""

import tensorflow as tf
from tqdm import tqdm

from oasis_tf.keras_setup import keras
from oasis_tf.losses.linear_cross_entropy import linear_cross_entropy
from oasis_tf.losses.segmentation import class_weights

BOTTLENECK = "bottleneck"  # name of the layer with the fewest pixels
_LEVELS = 4


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C during training; the network keeps what it has learnt.

    Args:
        steps: how many steps were made.

    Attributes:
        steps: as given.
    """

    def __init__(self, steps):
        super().__init__(f"interrupted after {steps} steps")
        self.steps = steps


def build_segmentation_network(num_outputs, width):
    """A U-Net (Ronneberger et al. 2015) with batch normalisation.

    Args:
        num_outputs: C.
        width: channels at full size; doubled at each of the four halvings, up to eight times.

    Returns:
        Keras model from (B, H, W, 3) in [-1, 1], sides multiples of 16, to logits (B, H, W, C).
    """

    def convs(x, level, name=None):
        channels = width * min(2**level, 8)
        for layer_name in (None, name):
            x = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
            x = keras.layers.Activation("relu", name=layer_name)(x)
        return x

    x = images = keras.Input((None, None, 3))
    skips = []
    for level in range(_LEVELS):
        x = convs(x, level)
        skips.append(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = convs(x, _LEVELS, BOTTLENECK)
    for level in reversed(range(_LEVELS)):
        x = keras.layers.UpSampling2D(2)(x)
        x = convs(keras.layers.Concatenate()([skips[level], x]), level)
    logits = keras.layers.Conv2D(num_outputs, 1, name="logits")(x)
    return keras.Model(images, logits)


def train_segmentation_network(model, batches, steps, learning_rate=2e-3):
    """Trains by cross-entropy in which every class of a batch weighs the same.

    Args:
        model: from `build_segmentation_network`, with N - 1 outputs: class c is output c - 1.
        batches: iterable of {"image": float (B, H, W, 3), "label_map": int (B, H, W)}, endless.
        steps: how many.
        learning_rate: of Adam at the start; falls to 0 along a cosine.

    Returns:
        float, the mean loss of the last tenth of the steps.

    Raises:
        ArithmeticError: the loss is not finite.
        TrainingInterrupted: on Ctrl-C.
    """
    step = _make_step(model, steps, learning_rate)
    losses = []
    try:
        with tqdm(total=steps, unit="step", desc="segmenter") as bar:
            for number, batch in zip(range(1, steps + 1), batches, strict=False):
                losses.append(float(step(batch["image"], batch["label_map"])))
                if not losses[-1] < float("inf"):
                    raise ArithmeticError(f"the segmenter's loss is {losses[-1]} at step {number}")
                bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
                bar.update()
    except KeyboardInterrupt:
        raise TrainingInterrupted(len(losses)) from None
    tail = losses[-max(1, steps // 10) :]
    return sum(tail) / len(tail)


def _make_step(model, steps, learning_rate):
    """The function from pictures and label maps to the loss, which updates the model."""
    head = model.get_layer("logits")
    features = keras.Model(model.input, head.input)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    optimizer = keras.optimizers.Adam(schedule)
    optimizer.build(model.trainable_variables)
    num_classes = head.kernel.shape[-1] + 1

    @tf.function(autograph=False)
    def step(image, label_map):
        weights = tf.gather(class_weights(label_map, num_classes), label_map)
        with tf.GradientTape() as tape:
            rows = features(image, training=True)
            rows = tf.reshape(rows, (-1, rows.shape[-1]))
            # Unlabelled pixels have weight 0, so their class may be any.
            classes = tf.reshape(tf.maximum(label_map - 1, 0), [-1])
            kernel = tf.reshape(head.kernel, head.kernel.shape[-2:])
            weights = tf.reshape(weights, [-1])
            loss = linear_cross_entropy(rows, kernel, head.bias.value, classes, weights)
            loss /= tf.cast(tf.size(classes), tf.float32)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step
