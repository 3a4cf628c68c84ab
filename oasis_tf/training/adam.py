"""Adam as the released models were trained with: no first moment, each update as one kernel."""

import tensorflow as tf

from oasis_tf.keras_setup import keras


class FusedAdam(keras.optimizers.Optimizer):
    """PyTorch's Adam with beta_1 = 0; takes gradients that replicas have summed already.

    With beta_1 = 0 the first moment is the gradient, so it is not kept: at the paper's widths that
    is 386 MB less of memory, and of every checkpoint.

    Keras writes the update as some twenty operations per variable. With 194 variables that is
    thousands of graph nodes to build at every start, and for 100 million weights as many trips
    to memory in every step. TensorFlow's own kernel for Adam needs a first moment. That for
    Adagrad adds the gradient's square to what it holds, and divides the gradient by the root of
    that plus epsilon: Adam's second moment, if that was multiplied by beta_2 before, and the
    gradient by sqrt(1 - beta_2).

    The released models were trained with PyTorch, which adds epsilon to the root of the
    bias-corrected second moment. Keras adds it before that correction, which in the first step
    damps gradients below 3e-7 up to 31 times more. Both forms are the same with
    epsilon * sqrt(1 - beta_2^t) in place of epsilon.

    Args:
        learning_rate: float.
        beta_2: float in (0, 1), of the second moment. Defaults to 0.999.
        epsilon: float > 0. Defaults to 1e-8.

    Reference: Kingma and Ba, "Adam", ICLR 2015, Algorithm 1.
    """

    def __init__(self, learning_rate, *, beta_2=0.999, epsilon=1e-8):
        super().__init__(learning_rate, name="adam")
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        """Makes the second moments of the variables, zero at first."""
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")

    def apply(self, grads, trainable_variables=None):
        """Updates the variables.

        Args:
            grads: list of float32, one for each variable the optimizer was built with, the same
                on all replicas (`oasis_tf.training.step.apply_gradients`).
            trainable_variables: these variables.
        """
        done = tf.cast(tf.convert_to_tensor(self.iterations) + 1, tf.float32)
        # What the updates of all variables share, made once and not for each.
        self._beta_2 = tf.constant(self.beta_2)
        self._share = tf.sqrt(1 - self._beta_2)
        self._correction = tf.sqrt(1 - self._beta_2**done)
        super().apply(grads, trainable_variables)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        # Keras sums the replicas' gradients here. These are summed already: clipping needs the
        # norm of the sum.
        return grads_and_vars

    def update_step(self, gradient, variable, learning_rate):
        """Called by Keras for each variable, a float32 one, in its device scope."""
        velocity = self._velocities[self._get_variable_index(variable)].value
        velocity.assign(velocity * self._beta_2, read_value=False)
        tf.raw_ops.ResourceApplyAdagradV2(
            var=variable.handle,
            accum=velocity.handle,
            lr=learning_rate * self._correction / self._share,
            epsilon=self.epsilon * self._correction,
            grad=tf.convert_to_tensor(gradient) * self._share,
        )

    def _trackable_children(self, save_type="checkpoint", **kwargs):
        # What a checkpoint holds. Keras's list of all variables is not in it: in that of earlier
        # versions first moments lie where now second ones do. These have a list of their own.
        children = super()._trackable_children(save_type, **kwargs)
        return {name: child for name, child in children.items() if name != "_variables"}


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
    optimizer = FusedAdam(learning_rate)
    if scale_loss:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    # Keras 3 must create the slots in the scope, not in the first step.
    optimizer.build(model.trainable_variables)
    return optimizer
