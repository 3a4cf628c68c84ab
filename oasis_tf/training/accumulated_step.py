"""A training step whose gradients are gathered from several micro-batches, one after the other."""

import tensorflow as tf

from oasis_tf.training.step import DISCRIMINATOR_LOSSES, GENERATOR_LOSSES


class AccumulatedStep:
    """Updates both networks once, each from the mean gradients of `micro_batches` micro-batches.

    First the generator on all of them, then the discriminator on all of them, with new pictures by
    the updated generator, as in `AdversarialStep`. A device holds the activations of one
    micro-batch at a time, and beside them one more copy of the weights, for the sums.

    What a network keeps of what it has seen: the batch-norm statistics follow each micro-batch in
    turn. Each update makes one power iteration of both networks: every micro-batch starts from
    the same singular vectors, and so comes to the same ones.

    Runs in the cross-replica context, inside `tf.function`, for a replica cannot exchange batch
    statistics with others from within a loop.

    Args:
        step: `AdversarialStep`, without `share_pictures`.
        micro_batches: how many parts each replica's batch has.
    """

    def __init__(self, step, micro_batches):
        self._step = step
        self._micro_batches = micro_batches
        self._strategy = tf.distribute.get_strategy()
        self._generator_sums = _Sums(step.generator, GENERATOR_LOSSES)
        self._discriminator_sums = _Sums(step.discriminator, DISCRIMINATOR_LOSSES)
        self._singular = [
            v
            for model in (step.generator, step.discriminator)
            for v in model.non_trainable_variables
            if v.name == "u"
        ]

    def __call__(
        self,
        image,
        label_map,
        generator_noise,
        discriminator_noise,
        mask_bits,
        patch_index=None,
    ):
        """Makes both updates.

        Args:
            image, label_map, generator_noise, discriminator_noise, mask_bits: of each replica's
                whole batch, as for `AdversarialStep`; a micro-batch is some rows next to each
                other.
            patch_index: of all micro-batches (`add_patch_index`). Defaults to None: found here.

        Returns:
            dict of each replica's metrics, as from `AdversarialStep`: the losses are means over
            the micro-batches.
        """
        run = self._strategy.run
        weights = None  # those of each micro-batch by itself
        if self._step.class_balance == "batch":
            weights = run(self._step.class_weights, args=(label_map,))
        arguments = image, label_map, generator_noise, weights, patch_index
        self._for_each(self._generator_part, *arguments)
        metrics = run(self._update_generator)
        arguments = image, label_map, discriminator_noise, mask_bits, weights, patch_index
        self._for_each(self._discriminator_part, *arguments)
        return {**metrics, **run(self._update_discriminator)}

    def _for_each(self, function, *arguments):
        """Calls `function` in each replica, for each micro-batch."""
        start = self._strategy.run(lambda: [tf.identity(u.value) for u in self._singular])

        def body(number):
            self._strategy.run(self._from_singular, args=(start,))
            self._strategy.run(function, args=(number, *arguments))
            return [number + 1]

        tf.while_loop(
            lambda number: number < self._micro_batches,
            body,
            [tf.constant(0)],
            parallel_iterations=1,
        )

    def _from_singular(self, start):
        for u, value in zip(self._singular, start, strict=True):
            u.assign(value)

    def _generator_part(self, number, image, label_map, noise, weights, patch_index):
        image, label_map, noise = self._part(number, image, label_map, noise)
        if weights is None:
            weights = self._step.class_weights(label_map)
        patch_index = self._index(number, label_map, noise, patch_index)
        _, gradients, losses = self._step.generator_gradients(
            patch_index, noise, label_map, weights, self._micro_batches, image
        )
        self._generator_sums.add(gradients, losses, self._micro_batches)

    def _discriminator_part(self, number, image, label_map, noise, mask_bits, weights, patch_index):
        image, label_map, noise, mask_bits = self._part(number, image, label_map, noise, mask_bits)
        if weights is None:
            weights = self._step.class_weights(label_map)
        patch_index = self._index(number, label_map, noise, patch_index)
        fake = self._step.generator.generate(patch_index, noise, training=True)
        fake = tf.stop_gradient(fake)
        gradients, losses = self._step.discriminator_gradients(
            image, fake, label_map, weights, mask_bits, self._micro_batches
        )
        self._discriminator_sums.add(gradients, losses, self._micro_batches)

    def _update_generator(self):
        gradients, losses = self._generator_sums.take()
        return {**losses, **self._step.apply_to_generator(gradients)}

    def _update_discriminator(self):
        gradients, losses = self._discriminator_sums.take()
        return {**losses, **self._step.apply_to_discriminator(gradients)}

    def _part(self, number, *tensors):
        """The rows of micro-batch `number` of each."""
        rows = tensors[0].shape[0] // self._micro_batches
        return [tf.reshape(x, (-1, rows, *x.shape[1:]))[number] for x in tensors]

    def _index(self, number, label_map, noise, patch_index):
        """The `PatchIndex` of micro-batch `number`, whose label map and noise these are."""
        if patch_index is None:
            return self._step.generator.index(label_map, noise)[0]
        return tf.nest.map_structure(lambda x: x[number], patch_index)


class _Sums:
    """Gradients and losses of one replica, summed until they are taken."""

    def __init__(self, model, names):
        self._gradients = [_zeros(v.shape) for v in model.trainable_variables]
        self._losses = {name: _zeros(()) for name in names}

    def add(self, gradients, losses, shares):
        for total, gradient in zip(self._gradients, gradients, strict=True):
            total.assign_add(gradient)
        for name, total in self._losses.items():
            total.assign_add(losses[name] / shares)

    def take(self):
        """(list of gradients, dict of losses); starts again from zero."""
        return [_taken(x) for x in self._gradients], {n: _taken(x) for n, x in self._losses.items()}


def _zeros(shape):
    # A value of its own on each replica, which is never exchanged.
    return tf.Variable(
        tf.zeros(shape),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )


def _taken(total):
    value = total.read_value()
    total.assign(tf.zeros_like(value))
    return value
