"""Some variables learn at a rate of their own, or join the others late."""

import keras
import numpy as np
from keras import ops

from keras_distill.checks.arguments import Number
from keras_distill.train_steps import assign


@keras.saving.register_keras_serializable("keras_distill")
class RateScaleOptimizer(keras.optimizers.Optimizer):
    """Some variables learn at a rate of their own, or join the others late.

    It wraps another optimizer, as Keras's `LossScaleOptimizer` does, and
    scales what that one has made of a variable in a step:

    `new = old + scale * (inner_new - old)`

    so that the whole update is scaled, weight decay included. To scale the
    gradient would not do: Adam, LAMB and the like divide it by its own size.
    The moments of the inner optimizer are those of the full rate.

    Adam and AdamW of Keras take the steps of the whole training for the
    number of gradients that a variable's moments hold. For one that was
    frozen until now the moments come out too small, the second more so than
    the first, and with the usual betas it moves up to 6.6 times as far as the
    rate says, for hundreds of steps. Of variables that `count_own_steps` was
    told of, the steps are counted one by one: with `t` steps of training, of
    which `k` trained the variable, its update is scaled by

    `(1 - beta_1^t) / (1 - beta_1^k) * sqrt((1 - beta_2^k) / (1 - beta_2^t))`

    The phases of `keras_distill.callbacks` do so.

    Args:
        inner_optimizer: `keras.optimizers.Optimizer`, or its name.
        name: Optional str.

    Example:

    ```python
    import keras
    import keras_distill

    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)]
    )
    optimizer = keras_distill.optimizers.RateScaleOptimizer(
        keras.optimizers.AdamW(1e-3)
    )
    optimizer.set_rate_scale(model.layers[0].trainable_variables, 0.1)
    model.compile(optimizer, "mse")
    ```
    """

    def __init__(self, inner_optimizer, name=None):
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = keras.optimizers.get(inner_optimizer)
        self._rate_scales = {}
        self._late = set()

    def set_rate_scale(self, variables, scale):
        """Sets the fraction of the rate at which variables learn.

        A training step that is compiled already does not notice it; compile
        the model anew, or let a callback of this library do it.

        Args:
            variables: sequence of `keras.Variable`.
            scale: float. More than 0; 1 is the full rate.

        Raises:
            ValueError: If the scale is 0 or less: freeze the variables then,
                which saves their backward pass.
        """
        if not Number(float, above=0).accepts(scale):
            raise ValueError(
                "`scale` must be more than 0. Set `trainable = False` on what "
                f"is not to change. Received: scale={scale!r}"
            )
        for variable in variables:
            self._rate_scales[str(id(variable))] = float(scale)

    def reset_rate_scales(self):
        """Lets all variables learn at the full rate."""
        self._rate_scales = {}

    def count_own_steps(self, variables):
        """Corrects the moments of variables by their own number of steps.

        It is worth its time for variables that are trained in a part of the
        steps only, and changes nothing for others or for other optimizers
        than Adam and AdamW. A training step that is compiled already does not
        notice it.

        Args:
            variables: sequence of `keras.Variable`.
        """
        self._late |= {str(id(variable)) for variable in variables}

    def build(self, variables):
        if not self.inner_optimizer.built:
            self.inner_optimizer.build(variables)
        super().build(variables)
        self._updates = self.add_variable(
            (len(variables),),
            dtype="int32",
            aggregation="only_first_replica",
            name="updates",
        )

    @property
    def variables(self):
        return self._variables + self.inner_optimizer.variables

    def apply(self, grads, trainable_variables=None):
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            if not self.built:
                self.build(trainable_variables)
        moving = [
            variable
            for gradient, variable in zip(
                grads,
                trainable_variables or self._trainable_variables,
                strict=True,
            )
            if gradient is not None
        ]
        scales = {
            str(id(variable)): scale
            for variable in moving
            if (scale := self._scale(variable)) is not None
        }
        scaled = [v for v in moving if str(id(v)) in scales]
        before = [ops.copy(variable) for variable in scaled]
        self.inner_optimizer.apply(grads, trainable_variables)
        values = [
            old + scales[str(id(variable))] * (variable - old)
            for variable, old in zip(scaled, before, strict=True)
        ]
        if scaled:
            assign(scaled, values)
        moved = np.zeros(self._updates.shape, "int32")
        moved[[self._get_variable_index(variable) for variable in moving]] = 1
        self._updates.assign_add(moved)

    def _scale(self, variable):
        """What the update of a variable is scaled by; `None` if by nothing."""
        scale = self._rate_scale(variable)
        inner = self.inner_optimizer
        is_adam = isinstance(inner, keras.optimizers.Adam)
        if not is_adam or str(id(variable)) not in self._late:
            return None if scale == 1.0 else scale
        own = self._updates[self._get_variable_index(variable)]
        own = own // (inner.gradient_accumulation_steps or 1)
        own, all_steps = (
            ops.cast(count, "float32") + 1 for count in (own, self.iterations)
        )
        first, second = (
            (1 - ops.power(beta, own)) / (1 - ops.power(beta, all_steps))
            for beta in (inner.beta_1, inner.beta_2)
        )
        return ops.cast(scale * ops.sqrt(second) / first, variable.dtype)

    def _rate_scale(self, variable):
        return self._rate_scales.get(str(id(variable)), 1.0)

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self):
        return self.inner_optimizer.iterations

    def scale_loss(self, loss):
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list):
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self):
        return {
            "name": self.name,
            "inner_optimizer": keras.saving.serialize_keras_object(
                self.inner_optimizer
            ),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        inner = keras.saving.deserialize_keras_object(
            config["inner_optimizer"], custom_objects=custom_objects
        )
        return cls(inner, name=config.get("name"))


def find_rate_scale_optimizer(optimizer):
    """The `RateScaleOptimizer` of an optimizer, itself or within, or `None`.

    Args:
        optimizer: `keras.optimizers.Optimizer`. Under `mixed_float16` Keras
            wraps it in a `LossScaleOptimizer`.
    """
    while optimizer is not None:
        if isinstance(optimizer, RateScaleOptimizer):
            return optimizer
        optimizer = getattr(optimizer, "inner_optimizer", None)
    return None
