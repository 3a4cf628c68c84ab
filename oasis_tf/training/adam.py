"""Adam as the released models were trained with, each variable's update as one kernel."""

import tensorflow as tf

from oasis_tf.keras_setup import keras


class FusedAdam(keras.optimizers.Adam):
    """PyTorch's Adam, in one pass over memory; takes gradients that replicas have summed already.

    Keras writes the update as some twenty operations per variable. With 194 variables that is
    thousands of graph nodes to build at every start, and for 100 million weights as many trips
    to memory in every step; TensorFlow's own kernel reads and writes each value once.

    The released models were trained with PyTorch, which adds epsilon to the root of the
    bias-corrected second moment. TensorFlow's kernel and Keras add it before that correction,
    which in the first step damps gradients below 3e-7 up to 31 times more. Both forms are the
    same with epsilon * sqrt(1 - beta_2^t) in place of epsilon.

    Reference: Kingma and Ba, "Adam", ICLR 2015, Algorithm 1.
    """

    def apply(self, grads, trainable_variables=None):
        """Updates the variables.

        Args:
            grads: list of float32, one for each variable the optimizer was built with, the same
                on all replicas (`oasis_tf.training.apply_gradients`).
            trainable_variables: these variables.
        """
        done = tf.cast(tf.convert_to_tensor(self.iterations) + 1, tf.float32)
        beta1, beta2 = tf.constant(self.beta_1), tf.constant(self.beta_2)
        beta2_power = beta2**done
        # What the updates of all variables share, made once and not for each.
        self._shared = dict(
            beta1_power=beta1**done,
            beta2_power=beta2_power,
            beta1=beta1,
            beta2=beta2,
            epsilon=self.epsilon * tf.sqrt(1 - beta2_power),
        )
        super().apply(grads, trainable_variables)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        # Keras sums the replicas' gradients here. These are summed already: clipping needs the
        # norm of the sum.
        return grads_and_vars

    def update_step(self, gradient, variable, learning_rate):
        """Called by Keras for each variable, a float32 one, in its device scope."""
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            lr=learning_rate,
            grad=tf.convert_to_tensor(gradient),
            **self._shared,
        )


def build_adam(learning_rate, model, *, scale_loss=False):
    """The paper's Adam, betas (0, 0.999), for the trainable variables of a model.

    Args:
        learning_rate: float.
        model: a Keras model; call in the scope of the strategy that its variables belong to.
        scale_loss: scale the loss, and skip an update that overflows; for float16, in which small
            gradients would vanish. Defaults to False.

    Returns:
        a built Keras optimizer.
    """
    optimizer = FusedAdam(learning_rate, beta_1=0.0, beta_2=0.999, epsilon=1e-8)
    if scale_loss:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    # Keras 3 must create the slots in the scope, not in the first step.
    optimizer.build(model.trainable_variables)
    return optimizer
