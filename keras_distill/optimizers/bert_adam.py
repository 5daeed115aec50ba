"""The Adam that BERT was trained with."""

import keras
from keras import ops

from keras_distill.checks.arguments import check_float
from keras_distill.keras_patches import SumsGradients


@keras.saving.register_keras_serializable("keras_distill")
class BertAdam(SumsGradients, keras.optimizers.Optimizer):
    """The Adam that BERT was trained with: its moments are not corrected.

    The moments of a gradient start at 0 and are taken as they are, where
    `keras.optimizers.AdamW` divides them by `1 - beta^step`:

    `m = beta_1 * m + (1 - beta_1) * gradient`
    `v = beta_2 * v + (1 - beta_2) * gradient^2`
    `new = old - rate * (m / (sqrt(v) + epsilon) + weight_decay * old)`

    With these betas and a steady gradient it moves 3.2 times as far as the
    rate says in the first step, 6.5 times in the tenth and 3.2 times in the
    hundredth. Warm-up makes up for it.

    Args:
        learning_rate: float or `LearningRateSchedule`. Defaults to `5e-5`.
        weight_decay: Optional float. Decoupled, as in AdamW. Name what it
            leaves out by `exclude_from_weight_decay`; BERT leaves out biases
            and layer normalizations. Defaults to `0.01`.
        beta_1: float. Defaults to `0.9`.
        beta_2: float. Defaults to `0.999`.
        epsilon: float. Defaults to `1e-6`.
        clipnorm: Optional float. The greatest norm of the gradient of each
            variable by itself. Defaults to `1.0`.
        name: str. Defaults to `"bert_adam"`.
        **kwargs: Further arguments of `keras.optimizers.Optimizer`.

    Example:

    ```python
    import keras_distill

    optimizer = keras_distill.optimizers.BertAdam(3e-5)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    ```

    Reference:
        - BERT, https://github.com/google-research/bert, `optimization.py`.
    """

    def __init__(
        self,
        learning_rate=5e-5,
        weight_decay=0.01,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        clipnorm=1.0,
        name="bert_adam",
        **kwargs,
    ):
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            name=name,
            **kwargs,
        )
        self.beta_1 = check_float("beta_1", beta_1, minimum=0, below=1)
        self.beta_2 = check_float("beta_2", beta_2, minimum=0, below=1)
        self.epsilon = check_float("epsilon", epsilon, above=0)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
        self.assign_sub(variable, rate * m / (ops.sqrt(v) + self.epsilon))

    def get_config(self):
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
