"""The head that predicts masked words, for any text encoder."""

import keras
import keras_hub
from keras import ops

from keras_distill.checks.arguments import check_int

# BERT's own, for weights that start at random.
_INITIALIZER_RANGE = 0.02


def make_masked_lm_head(backbone, activation, layer_norm_epsilon):
    """The head of a masked language model above a backbone.

    A backbone whose states are wider than its words, as MobileBERT's, may say
    in `masked_lm_dim` how wide the head's dense layer is.

    Args:
        backbone: `keras_hub.models.Backbone` with `token_embedding`.
        activation: Activation of the dense layer; `None` for that of the
            backbone, or GELU where it does not tell.
        layer_norm_epsilon: float; `None` for that of the backbone, or 1e-12.

    Returns:
        `MaskedLMHead`.

    Raises:
        ValueError: If the backbone has no table of words.
    """
    if getattr(backbone, "token_embedding", None) is None:
        raise ValueError(
            "`backbone` must have its words in `token_embedding`, which "
            f"the head turns round. Received: {type(backbone).__name__}"
        )
    if activation is None:
        activation = getattr(backbone, "activation", "gelu")
    if layer_norm_epsilon is None:
        layer_norm_epsilon = getattr(backbone, "layer_norm_epsilon", 1e-12)
    return MaskedLMHead(
        getattr(backbone, "masked_lm_dim", None),
        vocabulary_size=backbone.vocabulary_size,
        token_embedding=backbone.token_embedding,
        intermediate_activation=activation,
        layer_norm_epsilon=layer_norm_epsilon,
        kernel_initializer=keras.initializers.TruncatedNormal(
            stddev=_INITIALIZER_RANGE
        ),
        dtype=backbone.dtype_policy,
        name="mlm_head",
    )


@keras.saving.register_keras_serializable("keras_distill")
class MaskedLMHead(keras_hub.layers.MaskedLMHead):
    """KerasHub's head, whose dense layer may be wider than the words.

    `logits = t [E; U]^T + b`, with `t` the `intermediate_dim` wide output of
    the dense layer and its normalization, `E` the encoder's own words
    `(V, E)`, and `U` `(V, intermediate_dim - E)` weights of the head alone.
    So MobileBERT predicts words of 128 from states of 512. It computes in 16
    bits as well, which KerasHub's does not on TensorFlow.

    Args:
        intermediate_dim: Optional int. Width of the dense layer, at least that
            of the words. Defaults to `None`: as wide as they are, without `U`.
        **kwargs: Arguments of `keras_hub.layers.MaskedLMHead`, with
            `token_embedding` among them.

    Reference:
        - MobileBERT, https://arxiv.org/abs/2004.02984; official code:
          `run_pretraining.py`.
    """

    def __init__(self, intermediate_dim=None, **kwargs):
        super().__init__(**kwargs)
        if intermediate_dim is None:
            intermediate_dim = self.token_embedding.output_dim
        self.intermediate_dim = check_int(
            "intermediate_dim",
            intermediate_dim,
            minimum=self.token_embedding.output_dim,
        )
        self._untied = None

    def build(self, inputs_shape, mask_positions_shape=None):
        self._intermediate_dense = keras.layers.Dense(
            self.intermediate_dim,
            activation=self.intermediate_activation,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            dtype=self.dtype_policy,
            name="intermediate_dense",
        )
        self._intermediate_dense.build((None, None, inputs_shape[-1]))
        self._intermediate_layer_norm = keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon,
            dtype=self.dtype_policy,
            name="intermediate_layer_norm",
        )
        self._intermediate_layer_norm.build((None, None, self.intermediate_dim))
        untied = self.intermediate_dim - self.token_embedding.output_dim
        if untied:
            self._untied = self.add_weight(
                name="untied_embeddings",
                shape=(self.vocabulary_size, untied),
                # Anew: one initializer gives the same numbers again.
                initializer=self.kernel_initializer.clone(),
            )
        self._bias = self.add_weight(
            name="output_bias",
            shape=(self.vocabulary_size,),
            initializer=self.bias_initializer,
        )

    def call(self, inputs, mask_positions):
        positions = ops.expand_dims(mask_positions, axis=-1)
        x = ops.take_along_axis(inputs, positions, axis=1)
        x = self._intermediate_layer_norm(self._intermediate_dense(x))
        tied = self.token_embedding.output_dim
        outputs = self.token_embedding(x[..., :tied], reverse=True)
        if self._untied is not None:
            # The base class casts by hand.
            untied = ops.cast(ops.transpose(self._untied), x.dtype)
            outputs = ops.add(outputs, ops.matmul(x[..., tied:], untied))
        outputs = ops.add(ops.cast(outputs, self.compute_dtype), self._bias)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def get_config(self):
        return {
            **super().get_config(),
            "intermediate_dim": self.intermediate_dim,
        }
