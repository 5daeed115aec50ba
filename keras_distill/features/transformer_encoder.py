"""Features of KerasHub's transformer layer, the block of its BERT family."""

import keras
import keras_hub
from keras import ops

# Masks travel on tensors, which Keras gives no public access to.
from keras.src.backend import get_keras_mask
from keras.src.backend import set_keras_mask

from keras_distill.features import names
from keras_distill.features.adapters import FeatureAdapter
from keras_distill.features.adapters import register_adapter
from keras_distill.features.rebuild import NamedCall


class TransformerEncoderFeatures(keras.layers.Layer):
    """A second way through a `TransformerEncoder`, in which all is visible.

    It computes what the encoder computes, with the encoder's own sublayers,
    and returns the tensors on the way. Keras's attention layer gives
    probabilities only, and only after the softmax.

    Args:
        encoder: `keras_hub.layers.TransformerEncoder` that is built.
        name: str. Name of this layer.

    Call arguments:
        inputs: Tensor `(B, L, D)`.
        padding_mask: Optional tensor `(B, L)`, 1 at real tokens. Defaults
            to the mask that Keras carries along with the inputs, if any.
        attention_mask: Optional tensor `(B, L, L)`.
        training: bool.

    Returns:
        dict with `hidden_states` `(B, L, D)`; `attention_scores` and
        `attention_probabilities` `(B, H, L, L)`; `queries`, `keys` and
        `values` `(B, L, H, D / H)`. Scores are scaled by `1 / sqrt(D / H)`
        and not masked; probabilities are masked, before dropout; queries are
        not scaled.
    """

    def __init__(self, encoder, name):
        super().__init__(name=name, dtype=encoder.dtype_policy)
        self.encoder = encoder
        self.supports_masking = True
        self.built = True

    def call(
        self, inputs, padding_mask=None, attention_mask=None, training=None
    ):
        encoder = self.encoder
        if padding_mask is None:
            padding_mask = get_keras_mask(inputs)
        x = inputs
        if encoder.normalize_first:
            x = encoder._self_attention_layer_norm(x)
        mask = _merge_masks(padding_mask, attention_mask)
        x, features = self._attend(x, mask, training)
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

    def compute_output_spec(
        self, inputs, padding_mask=None, attention_mask=None, training=None
    ):
        """Shapes and dtypes, for which Keras would trace the whole layer."""
        attention = self.encoder._self_attention_layer
        batch, length, _ = inputs.shape
        num_heads = attention.num_heads
        scores = (batch, num_heads, length, length)
        keys = (batch, length, num_heads, attention.key_dim)
        values = (batch, length, num_heads, attention.value_dim)
        shapes = {
            names.HIDDEN_STATES: inputs.shape,
            names.ATTENTION_SCORES: scores,
            names.ATTENTION_PROBABILITIES: scores,
            names.QUERIES: keys,
            names.KEYS: keys,
            names.VALUES: values,
        }
        return {
            kind: keras.KerasTensor(shape, dtype=self.compute_dtype)
            for kind, shape in shapes.items()
        }

    def compute_mask(self, inputs, previous_mask):
        mask = {kind: None for kind in names.LAYER_KINDS}
        mask[names.HIDDEN_STATES] = previous_mask
        return mask

    def _attend(self, x, mask, training):
        attention = self.encoder._self_attention_layer
        # Keras's attention layer, too, takes the mask off before its
        # projections, which know of none.
        set_keras_mask(x, None)
        queries = attention.query_dense(x)
        keys = attention.key_dense(x)
        values = attention.value_dense(x)
        scale = ops.cast(queries.shape[-1] ** -0.5, queries.dtype)
        scores = ops.einsum("bqhd,bkhd->bhqk", queries * scale, keys)
        probabilities = attention._masked_softmax(scores, mask)
        dropped = attention._dropout_layer(probabilities, training=training)
        context = ops.einsum("bhqk,bkhd->bqhd", dropped, values)
        return attention.output_dense(context), {
            names.ATTENTION_SCORES: scores,
            names.ATTENTION_PROBABILITIES: probabilities,
            names.QUERIES: queries,
            names.KEYS: keys,
            names.VALUES: values,
        }


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


class TransformerEncoderAdapter(FeatureAdapter):
    """Sees into `keras_hub.layers.TransformerEncoder`.

    A layer of which only the output is wanted is called whole, so that it
    keeps its fused attention.
    """

    def call(
        self,
        layer,
        recorder,
        inputs,
        padding_mask=None,
        attention_mask=None,
        training=None,
    ):
        number = recorder.next_layer(inputs, padding_mask)
        masks = {
            "padding_mask": padding_mask,
            "attention_mask": attention_mask,
        }
        # Layers of two nested models may have the same name.
        name = f"{layer.name}_{number}"
        if not recorder.wants_attention(number):
            outputs = NamedCall(layer, name)(inputs, training=training, **masks)
            recorder.record(names.HIDDEN_STATES, outputs, number)
            return outputs
        visible = TransformerEncoderFeatures(layer, name)
        features = visible(inputs, training=training, **masks)
        for kind, tensor in features.items():
            recorder.record(kind, tensor, number)
        return features[names.HIDDEN_STATES]


register_adapter(
    keras_hub.layers.TransformerEncoder, TransformerEncoderAdapter()
)
