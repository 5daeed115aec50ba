"""What blocks of transformers share that are seen into."""

import keras
from keras import ops

# Masks travel on tensors, which Keras gives no public access to.
from keras.src.backend import set_keras_mask

from keras_distill.features import names
from keras_distill.features.adapters import FeatureAdapter
from keras_distill.features.rebuild import NamedCall


class VisibleBlock(keras.layers.Layer):
    """A second way through a block, in which all is visible.

    It computes what the block computes, with the block's own sublayers, and
    returns the tensors on the way. Keras's attention layer gives
    probabilities only, and only after the softmax. A subclass has the way in
    `call`, and the block's attention layer as `attention`.

    Args:
        block: Layer that is built, with states as wide behind it as before.
        name: str. Name of this layer.

    Call arguments:
        inputs: Tensor `(B, L, D)`.
        training: bool.

    Returns:
        dict with `hidden_states` `(B, L, D)`; `attention_scores` and
        `attention_probabilities` `(B, H, L, L)`; `queries`, `keys` and
        `values` `(B, L, H, K)`. Scores are scaled by `1 / sqrt(K)` and not
        masked; probabilities are masked, before dropout; queries are not
        scaled.
    """

    def __init__(self, block, name):
        super().__init__(name=name, dtype=block.dtype_policy)
        self.block = block
        self.supports_masking = True
        self.built = True

    @property
    def attention(self):
        """The block's `keras.layers.MultiHeadAttention`."""
        raise NotImplementedError

    def compute_output_spec(self, inputs, *args, **kwargs):
        """Shapes and dtypes, for which Keras would trace the whole layer."""
        attention = self.attention
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


def visible_attention(attention, query, key, value, mask, training):
    """What an attention layer of Keras computes, with all on the way.

    Args:
        attention: `keras.layers.MultiHeadAttention` that is built.
        query: Tensor `(B, L, Q)` that queries are made of.
        key: Tensor `(B, L, Q)` that keys are made of.
        value: Tensor `(B, L, V)` that values are made of.
        mask: Optional int tensor `(B, 1, L)` or `(B, L, L)`, 0 where nothing
            is attended to.
        training: bool.

    Returns:
        The layer's output, and dict of feature kind to tensor.
    """
    for tensor in (query, key, value):
        # Keras's attention layer, too, takes the mask off before its
        # projections, which know of none.
        set_keras_mask(tensor, None)
    queries = attention.query_dense(query)
    keys = attention.key_dense(key)
    values = attention.value_dense(value)
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


class TransformerBlockAdapter(FeatureAdapter):
    """Sees into a transformer block by a `VisibleBlock`.

    A block of which only the output is wanted is called whole, so that it
    keeps its fused attention.

    Args:
        visible_class: Subclass of `VisibleBlock`.
    """

    def __init__(self, visible_class):
        self._visible_class = visible_class

    def call(
        self, layer, recorder, inputs, padding_mask=None, training=None, **masks
    ):
        number = recorder.next_layer(inputs, padding_mask)
        # Layers of two nested models may have the same name.
        name = f"{layer.name}_{number}"
        arguments = {
            "padding_mask": padding_mask,
            "training": training,
            **masks,
        }
        if not recorder.wants_attention(number):
            outputs = NamedCall(layer, name)(inputs, **arguments)
            recorder.record(names.HIDDEN_STATES, outputs, number)
            return outputs
        visible = self._visible_class(layer, name)
        features = visible(inputs, **arguments)
        for kind, tensor in features.items():
            recorder.record(kind, tensor, number)
        return features[names.HIDDEN_STATES]
