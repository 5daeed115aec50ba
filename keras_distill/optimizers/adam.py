"""Keras's Adam and its kin, for models of tokens on TensorFlow as well."""

import keras

from keras_distill.keras_patches import SumsGradients
from keras_distill.optimizers import one_pass


class StepsInOnePass:
    """Lets Keras's Adam step by one operation; it is one of its bases."""

    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or not one_pass.is_there():
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        one_pass.adam_step(
            variable,
            (self._momentums[index], self._velocities[index]),
            gradient,
            learning_rate,
            (self.beta_1, self.beta_2),
            self.epsilon,
            step=self.iterations + 1,
        )


@keras.saving.register_keras_serializable("keras_distill")
class Adam(SumsGradients, StepsInOnePass, keras.optimizers.Adam):
    """Keras's Adam, which takes a token's gradient once.

    On TensorFlow the gradient of a table of embeddings has a row for each
    place of the batch, and `keras.optimizers.Adam` squares and clips each by
    itself, where the formula has the square of their sum: a token in four
    places moves up to twice as far as the rate says, and the one segment of a
    batch of 2,048 tokens up to 45 times. Here the rows are summed first, as
    PyTorch and JAX do; there it is Keras's own. A `keras_distill.Distiller`
    does so with any optimizer; this one is for training without a teacher.

    On TensorFlow, but under `tf.distribute`, the step is one operation that
    goes through a variable and its moments once: the same formula in less
    time.

    Args:
        *args, **kwargs: As `keras.optimizers.Adam` takes them.

    Example:

    ```python
    import keras_distill

    optimizer = keras_distill.optimizers.Adam(1e-3)
    ```

    Reference:
        - [Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980)
    """


@keras.saving.register_keras_serializable("keras_distill")
class AdamW(SumsGradients, StepsInOnePass, keras.optimizers.AdamW):
    """Keras's AdamW, which takes a token's gradient once, as `Adam` does.

    Its step is one operation as well; the weight decay is Keras's own.

    Args:
        *args, **kwargs: As `keras.optimizers.AdamW` takes them.

    Example:

    ```python
    import keras_distill

    optimizer = keras_distill.optimizers.AdamW(5e-5, weight_decay=0.01)
    ```

    Reference:
        - [Loshchilov and Hutter, 2019](https://arxiv.org/abs/1711.05101)
    """


@keras.saving.register_keras_serializable("keras_distill")
class Adamax(SumsGradients, keras.optimizers.Adamax):
    """Keras's Adamax, which takes a token's gradient once, as `Adam` does.

    Keras's own adds up the sizes of the gradients of a token's places, which
    is more than the size of their sum where they differ in sign.

    With `m = beta_1 * m + (1 - beta_1) * g` and `u = max(beta_2 * u, |g|)` step
    `t` makes of `w`

    `w - rate * weight_decay * w - rate / (1 - beta_1^t) * m / (u + epsilon)`

    so that epsilon stands beside the norm alone, and the decay beside the
    update, but for what `exclude_from_weight_decay` names.

    Args:
        *args, **kwargs: As `keras.optimizers.Adamax` takes them.

    Example:

    ```python
    import keras_distill

    # That of MT-DNN.
    optimizer = keras_distill.optimizers.Adamax(
        5e-5, epsilon=1e-8, weight_decay=0.01, global_clipnorm=1.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    ```

    Reference:
        - [Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980), section 7.1
    """
