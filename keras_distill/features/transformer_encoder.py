"""Features of KerasHub's transformer layer, the block of its BERT family."""

import keras_hub
from keras import ops

# Masks travel on tensors, which Keras gives no public access to.
from keras.src.backend import get_keras_mask

from keras_distill.features import names
from keras_distill.features.adapters import register_adapter
from keras_distill.features.transformer_block import TransformerBlockAdapter
from keras_distill.features.transformer_block import VisibleBlock
from keras_distill.features.transformer_block import visible_attention


class TransformerEncoderFeatures(VisibleBlock):
    """A second way through a `TransformerEncoder`, in which all is visible.

    Args:
        block: `keras_hub.layers.TransformerEncoder` that is built.
        name: str. Name of this layer.

    Call arguments:
        inputs: Tensor `(B, L, D)`.
        padding_mask: Optional tensor `(B, L)`, 1 at real tokens. Defaults
            to the mask that Keras carries along with the inputs, if any.
        attention_mask: Optional tensor `(B, L, L)`.
        training: bool.
    """

    @property
    def attention(self):
        return self.block._self_attention_layer

    def call(
        self, inputs, padding_mask=None, attention_mask=None, training=None
    ):
        encoder = self.block
        if padding_mask is None:
            padding_mask = get_keras_mask(inputs)
        x = inputs
        if encoder.normalize_first:
            x = encoder._self_attention_layer_norm(x)
        mask = _merge_masks(padding_mask, attention_mask)
        x, features = visible_attention(self.attention, x, x, x, mask, training)
        x = encoder._self_attention_dropout(x, training=training) + inputs
        if not encoder.normalize_first:
            x = encoder._self_attention_layer_norm(x)
        residual = x
        if encoder.normalize_first:
            x = encoder._feedforward_layer_norm(x)
        x = encoder._feedforward_intermediate_dense(x)
        x = encoder._feedforward_output_dense(x)
        x = encoder._feedforward_dropout(x, training=training) + residual
        if not encoder.normalize_first:
            x = encoder._feedforward_layer_norm(x)
        return {names.HIDDEN_STATES: x, **features}


def _merge_masks(padding_mask, attention_mask):
    mask = None
    if padding_mask is not None:
        mask = ops.cast(ops.expand_dims(padding_mask, axis=1), "int32")
    if attention_mask is not None:
        attention_mask = ops.cast(attention_mask, "int32")
        mask = (
            attention_mask
            if mask is None
            else ops.minimum(mask, attention_mask)
        )
    return mask


register_adapter(
    keras_hub.layers.TransformerEncoder,
    TransformerBlockAdapter(TransformerEncoderFeatures),
)
