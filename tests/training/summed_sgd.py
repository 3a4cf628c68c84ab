"""Plain gradient descent for tests, in the place of Adam."""

import keras


class SummedSGD(keras.optimizers.SGD):
    """Takes gradients that replicas have summed already, as `FusedAdam` does."""

    def _all_reduce_sum_gradients(self, grads_and_vars):
        return grads_and_vars
