"""The LAMB that MobileBERT was trained with."""

import keras
from keras import ops

from keras_distill.checks.arguments import check_float
from keras_distill.keras_patches import SumsGradients


@keras.saving.register_keras_serializable("keras_distill")
class BertLamb(SumsGradients, keras.optimizers.Lamb):
    """The LAMB that MobileBERT was trained with: its moments are not corrected.

    Its moments start at 0 and are taken as they are, and weight decay is a
    part of what each tensor's rate is adapted to:

    `m = beta_1 * m + (1 - beta_1) * gradient`
    `v = beta_2 * v + (1 - beta_2) * gradient^2`
    `update = m / (sqrt(v) + epsilon) + weight_decay * old`
    `new = old - rate * |old| / |update| * update`

    where `|x|` is the length of a tensor, and `|old| / |update|` is 1 if
    either is 0. `keras.optimizers.Lamb` divides the moments by
    `1 - beta^step`, and decays weights before and beside its update.

    What `exclude_from_weight_decay` names has neither decay nor an adapted
    rate: its update is `m / (sqrt(v) + epsilon)`. The released code leaves out
    biases and normalizations.

    Args:
        learning_rate: float or `LearningRateSchedule`. Defaults to `1.5e-3`.
        weight_decay: Optional float. Defaults to `0.01`.
        beta_1: float. Defaults to `0.9`.
        beta_2: float. Defaults to `0.999`.
        epsilon: float. Defaults to `1e-6`.
        global_clipnorm: Optional float. The greatest norm of all gradients
            together. Defaults to `1.0`.
        name: str. Defaults to `"bert_lamb"`.
        **kwargs: Further arguments of `keras.optimizers.Optimizer`.

    Example:

    ```python
    import keras_distill

    optimizer = keras_distill.optimizers.BertLamb(1.5e-3)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    ```

    Reference:
        - LAMB, https://arxiv.org/abs/1904.00962.
        - MobileBERT, https://arxiv.org/abs/2004.02984;
          released code: `lamb_optimizer.py`.
    """

    def __init__(
        self,
        learning_rate=1.5e-3,
        weight_decay=0.01,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        global_clipnorm=1.0,
        name="bert_lamb",
        **kwargs,
    ):
        super().__init__(
            learning_rate=learning_rate,
            beta_1=check_float("beta_1", beta_1, minimum=0, below=1),
            beta_2=check_float("beta_2", beta_2, minimum=0, below=1),
            epsilon=check_float("epsilon", epsilon, above=0),
            weight_decay=check_float(
                "weight_decay", weight_decay, minimum=0, optional=True
            ),
            global_clipnorm=global_clipnorm,
            name=name,
            **kwargs,
        )

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
        update = m / (ops.sqrt(v) + self.epsilon)
        if self._use_weight_decay(variable):
            update = update + (self.weight_decay or 0.0) * variable
            rate = rate * _trust_ratio(variable, update)
        self.assign_sub(variable, rate * update)

    def _apply_weight_decay(self, variables):
        """Nothing: it is a part of the update."""


def _trust_ratio(variable, update):
    lengths = [ops.sqrt(ops.sum(ops.square(x))) for x in (variable, update)]
    of_variable, of_update = lengths
    return ops.where(
        ops.logical_and(of_variable > 0, of_update > 0),
        of_variable / of_update,
        ops.ones_like(of_update),
    )
