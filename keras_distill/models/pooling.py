"""One vector of all tokens, as models trained for sentences have it."""

import keras
from keras import ops

from keras_distill.features import FeatureAdapter
from keras_distill.features import names
from keras_distill.features import register_adapter


@keras.saving.register_keras_serializable("keras_distill")
class MeanPooling(keras.layers.Layer):
    """The mean of a text's tokens, its padding left out.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        states: `(B, L, D)`.
        padding_mask: `(B, L)`, 1 or True for real tokens.

    Returns:
        `(B, D)`; 0 for a text without real tokens.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, states, padding_mask):
        return mean_of_tokens(states, padding_mask)

    def compute_output_shape(self, states_shape, padding_mask_shape):
        return (states_shape[0], states_shape[2])

    def compute_mask(self, inputs, previous_mask):
        return None


class _MeanPoolingAdapter(FeatureAdapter):
    """Shows what is read of all tokens, in place of the backbone's pooler."""

    def call(self, layer, recorder, *args, **kwargs):
        pooled = layer(*args, **kwargs)
        recorder.record(names.POOLED, pooled)
        return pooled


register_adapter(MeanPooling, _MeanPoolingAdapter())


def mean_of_tokens(states, padding_mask):
    """The mean `(B, D)` of those states `(B, L, D)` that are no padding."""
    # In float32: half precision cannot count to 512 one by one.
    weights = ops.expand_dims(ops.cast(padding_mask, "float32"), axis=-1)
    total = ops.sum(ops.cast(states, "float32") * weights, axis=1)
    count = ops.maximum(ops.sum(weights, axis=1), 1.0)
    return ops.cast(total / count, states.dtype)
