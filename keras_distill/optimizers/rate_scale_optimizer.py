"""Some variables learn at a fraction of the rate of the others."""

import keras
from keras import ops

from keras_distill.train_steps import Steps


@keras.saving.register_keras_serializable("keras_distill")
class RateScaleOptimizer(keras.optimizers.Optimizer):
    """Some variables learn at a fraction of the rate of the others.

    It wraps another optimizer, as Keras's `LossScaleOptimizer` does, and
    scales what that one has made of a variable in a step:

    `new = old + scale * (inner_new - old)`

    so that the whole update is scaled, weight decay included. To scale the
    gradient would not do: Adam, LAMB and the like divide it by its own size.
    The moments of the inner optimizer are those of the full rate.

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
        if not scale > 0:
            raise ValueError(
                "`scale` must be more than 0. Set `trainable = False` on what "
                f"is not to change. Received: scale={scale}"
            )
        for variable in variables:
            self._rate_scales[str(id(variable))] = float(scale)

    def reset_rate_scales(self):
        """Lets all variables learn at the full rate."""
        self._rate_scales = {}

    def build(self, variables):
        if not self.inner_optimizer.built:
            self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self):
        return self._variables + self.inner_optimizer.variables

    def apply(self, grads, trainable_variables=None):
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            if not self.built:
                self.build(trainable_variables)
        scaled = [
            variable
            for variable in trainable_variables or self._trainable_variables
            if self._rate_scale(variable) != 1.0
        ]
        before = [ops.copy(variable) for variable in scaled]
        self.inner_optimizer.apply(grads, trainable_variables)
        values = [
            old + self._rate_scale(variable) * (variable - old)
            for variable, old in zip(scaled, before, strict=True)
        ]
        if scaled:
            Steps.assign(scaled, values)

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
