"""BERT whose table of words is kept as a product of two."""

import keras
import keras_hub

# KerasHub exports BERT's activation under no public name.
from keras_hub.src.utils.keras_utils import gelu_approximate

from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.models.encoder_settings import encoder_settings


@keras.saving.register_keras_serializable("keras_distill")
class FactorizedBertBackbone(keras_hub.models.Backbone):
    """BERT whose table of words is kept as a product of two.

    A word is `token_embedding[word] @ W + b`: a table of `vocabulary_size x
    embedding_dim` and a dense layer, `token_projection`, to `hidden_dim`, in
    place of a table of `vocabulary_size x hidden_dim`. Positions, segments,
    normalization and transformer layers are those of
    `keras_hub.models.BertBackbone`, at `hidden_dim`, under the same names; so
    are inputs and outputs. Layer 0, the `"embeddings"` of
    `keras_distill.features`, is `hidden_dim` wide.

    (ALBERT factorizes as well, but adds and normalizes words, positions and
    segments at `embedding_dim`. Here a table of the teacher cut to rank
    `embedding_dim` can start the student and leaves all else as it was; see
    `keras_distill.students.factorize_embeddings`.)

    Args:
        vocabulary_size: int. Number of words.
        num_layers: int. Number of transformer layers.
        num_heads: int. Attention heads per layer; divides `hidden_dim`.
        hidden_dim: int. Width of the hidden states.
        intermediate_dim: int. Width of the feed-forward layers.
        embedding_dim: int. Width of the table of words.
        dropout: float. Dropout rate. Defaults to `0.1`.
        max_sequence_length: int. Number of positions. Defaults to `512`.
        num_segments: int. Number of segments. Defaults to `2`.
        activation: Activation of the feed-forward layers, a name of Keras's
            or a callable. Defaults to that of `keras_hub.models.BertBackbone`,
            the tanh approximation of GELU.
        layer_norm_epsilon: float. Added to the variance in every layer
            normalization. Defaults to `1e-12`.
        embeddings_trainable: bool. Whether the table of words is trained; the
            projection is in any case. Defaults to `True`.
        dtype: string or `keras.mixed_precision.DTypePolicy`. The dtype of
            computations and weights.
        **kwargs: Further arguments of `keras_hub.models.Backbone`.

    Example:

    ```python
    from keras_distill.models import FactorizedBertBackbone

    backbone = FactorizedBertBackbone(
        vocabulary_size=1000, num_layers=2, num_heads=2, hidden_dim=32,
        intermediate_dim=64, embedding_dim=8,
    )
    words = backbone.token_embedding.count_params()
    assert words + backbone.token_projection.count_params() == 8288
    ```

    Reference:
        - ALBERT, https://arxiv.org/abs/1909.11942.
    """

    def __init__(
        self,
        vocabulary_size,
        num_layers,
        num_heads,
        hidden_dim,
        intermediate_dim,
        embedding_dim,
        dropout=0.1,
        max_sequence_length=512,
        num_segments=2,
        embeddings_trainable=True,
        dtype=None,
        activation=gelu_approximate,
        layer_norm_epsilon=1e-12,
        **kwargs,
    ):
        # === Validation ===
        for argument, size in (
            ("vocabulary_size", vocabulary_size),
            ("num_layers", num_layers),
            ("num_heads", num_heads),
            ("hidden_dim", hidden_dim),
            ("intermediate_dim", intermediate_dim),
            ("embedding_dim", embedding_dim),
            ("max_sequence_length", max_sequence_length),
            ("num_segments", num_segments),
        ):
            check_int(argument, size, minimum=1)
        check_float("dropout", dropout, minimum=0, below=1)
        check_float("layer_norm_epsilon", layer_norm_epsilon, above=0)
        activation = keras.activations.get(activation)

        # === Layers ===
        self.token_embedding = keras.layers.ReversibleEmbedding(
            vocabulary_size,
            embedding_dim,
            embeddings_initializer=_initializer(),
            dtype=dtype,
            name="token_embedding",
        )
        self.token_projection = keras.layers.Dense(
            hidden_dim,
            kernel_initializer=_initializer(),
            dtype=dtype,
            name="token_projection",
        )
        self.position_embedding = keras_hub.layers.PositionEmbedding(
            max_sequence_length,
            initializer=_initializer(),
            dtype=dtype,
            name="position_embedding",
        )
        self.segment_embedding = keras.layers.Embedding(
            num_segments,
            hidden_dim,
            embeddings_initializer=_initializer(),
            dtype=dtype,
            name="segment_embedding",
        )
        self.embeddings_add = keras.layers.Add(
            dtype=dtype, name="embeddings_add"
        )
        self.embeddings_layer_norm = keras.layers.LayerNormalization(
            epsilon=layer_norm_epsilon,
            dtype=dtype,
            name="embeddings_layer_norm",
        )
        self.embeddings_dropout = keras.layers.Dropout(
            dropout, dtype=dtype, name="embeddings_dropout"
        )
        self.transformer_layers = [
            keras_hub.layers.TransformerEncoder(
                num_heads=num_heads,
                intermediate_dim=intermediate_dim,
                activation=activation,
                dropout=dropout,
                layer_norm_epsilon=layer_norm_epsilon,
                kernel_initializer=_initializer(),
                dtype=dtype,
                name=f"transformer_layer_{i}",
            )
            for i in range(num_layers)
        ]
        self.pooled_dense = keras.layers.Dense(
            hidden_dim,
            kernel_initializer=_initializer(),
            activation="tanh",
            dtype=dtype,
            name="pooled_dense",
        )

        # === Functional Model ===
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name)
            for name in ("token_ids", "segment_ids", "padding_mask")
        }
        words = self.token_projection(self.token_embedding(inputs["token_ids"]))
        positions = self.position_embedding(words)
        segments = self.segment_embedding(inputs["segment_ids"])
        x = self.embeddings_add((words, positions, segments))
        x = self.embeddings_layer_norm(x)
        x = self.embeddings_dropout(x)
        for layer in self.transformer_layers:
            x = layer(x, padding_mask=inputs["padding_mask"])
        pooled = self.pooled_dense(x[:, 0, :])
        super().__init__(
            inputs=inputs,
            outputs={"sequence_output": x, "pooled_output": pooled},
            dtype=dtype,
            **kwargs,
        )
        # After Keras has given all layers the flag of the whole.
        if not embeddings_trainable:
            self.token_embedding.trainable = False

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.hidden_dim = hidden_dim
        self.intermediate_dim = intermediate_dim
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.max_sequence_length = max_sequence_length
        self.num_segments = num_segments
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.cls_token_index = 0

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "intermediate_dim": self.intermediate_dim,
            "embedding_dim": self.embedding_dim,
            "dropout": self.dropout,
            "max_sequence_length": self.max_sequence_length,
            "num_segments": self.num_segments,
            **encoder_settings(self),
            "embeddings_trainable": self.token_embedding.trainable,
        }


def _initializer():
    return keras.initializers.TruncatedNormal(stddev=0.02)
