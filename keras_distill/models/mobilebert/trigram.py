"""The words that MobileBERT's embeddings are made of."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_distill")
class Trigram(keras.layers.Layer):
    """Puts the next and the previous word's vector beside each word's own.

    `[x_(t+1); x_t; x_(t-1)]`, with zeros where there is no word. It is the
    order of the released weights, whatever the paper's figure suggests. With a
    dense layer above, it is a convolution over three words.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor `(B, L, E)`.
        padding_mask: Optional tensor `(B, L)`, 1 at real tokens. With it,
            padding has zeros as well. Without it, the last real token sees
            the vector of the padding behind it.

    Returns:
        Tensor `(B, L, 3 * E)`.
    """

    def call(self, inputs, padding_mask=None):
        if padding_mask is not None:
            mask = ops.expand_dims(padding_mask, axis=-1)
            inputs = inputs * ops.cast(mask, inputs.dtype)
        following = ops.pad(inputs[:, 1:], [[0, 0], [0, 1], [0, 0]])
        previous = ops.pad(inputs[:, :-1], [[0, 0], [1, 0], [0, 0]])
        return ops.concatenate([following, inputs, previous], axis=-1)

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], 3 * inputs_shape[-1])
