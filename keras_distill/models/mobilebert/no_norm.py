"""What MobileBERT has in place of layer normalization."""

import keras


@keras.saving.register_keras_serializable("keras_distill")
class NoNorm(keras.layers.Layer):
    """Scales and shifts each element: `gamma * x + beta`.

    It has the weights of a layer normalization and normalizes nothing, so
    that it needs no mean and no variance, which take most of a layer
    normalization's time on a phone. Nothing bounds what it gives.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor `(..., D)`.

    Returns:
        Tensor of the same shape.

    Example:

    ```python
    import numpy as np
    from keras_distill.models import NoNorm

    layer = NoNorm()
    layer(np.ones((2, 3), "float32"))
    layer.gamma.assign([1.0, 2.0, 3.0])
    print(layer(np.ones((2, 3), "float32"))[0])
    ```

    Reference:
        - MobileBERT, https://arxiv.org/abs/2004.02984, section 3.3.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, inputs_shape):
        # A layer normalization's names, by which optimizers leave such
        # weights out of weight decay.
        self.gamma = self.add_weight(
            name="gamma", shape=(inputs_shape[-1],), initializer="ones"
        )
        self.beta = self.add_weight(
            name="beta", shape=(inputs_shape[-1],), initializer="zeros"
        )

    def call(self, inputs):
        return inputs * self.gamma + self.beta

    def compute_output_shape(self, inputs_shape):
        return inputs_shape
