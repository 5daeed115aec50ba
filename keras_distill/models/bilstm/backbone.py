"""The encoder of XtremeDistil's recurrent student."""

import keras
import keras_hub

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_int
from keras_distill.models.bilstm.encoder import BiLstmEncoder
from keras_distill.models.pooling import mean_of_tokens

_POOLINGS = ("mean", "first_token")


@keras.saving.register_keras_serializable("keras_distill")
class BiLstmBackbone(keras_hub.models.Backbone):
    """The recurrent student of XtremeDistil: embeddings and one BiLSTM.

    A table of words `(vocabulary_size, embedding_dim)`, one bidirectional LSTM
    of `lstm_dim` in each direction and, with `projection_dim`, a dense layer
    with GELU that brings each state to the teacher's width. It takes the
    batches of a BERT, so the teacher's preprocessor serves it too. Padding
    changes nothing.

    To a loss of `keras_distill.losses` it is a model of one layer:
    `"embeddings"` are the words, `"hidden_states.1"` is `sequence_output`. So
    `layer_map.explicit([(1, 7)])` lets it learn from the teacher's layer 7.

    Outputs: `"sequence_output"` `(B, L, D)` with `D` the `projection_dim`, or
    `2 * lstm_dim` without one; `"pooled_output"` `(B, D)`.

    Args:
        vocabulary_size: int. Number of words.
        embedding_dim: int. Width of the table of words.
        lstm_dim: int. Width of the LSTM in each direction.
        projection_dim: int. Width of the projection, the teacher's width;
            `None` for no projection. Defaults to `None`.
        dropout: float. Dropout rate of the LSTM's inputs. Defaults to `0.2`.
        recurrent_dropout: float. Dropout rate of the LSTM's recurrent states.
            Defaults to `0.2`.
        pooling: str. What `pooled_output` is: `"mean"` of the real tokens'
            states, or the state of the `"first_token"`, which only the
            backward direction has brought to the end of the text. Defaults to
            `"mean"`.
        max_sequence_length: int. The longest input that a served model
            takes; the LSTM itself has no limit. Defaults to `512`.
        embeddings_trainable: bool. Whether the table of words is trained.
            Defaults to `True`.
        dtype: string or `keras.mixed_precision.DTypePolicy`. The dtype of
            computations and weights.
        **kwargs: Further arguments of `keras_hub.models.Backbone`.

    Call arguments:
        inputs: dict of int32 tensors `(B, L)`: `token_ids`, `padding_mask` (1
            at real tokens) and `segment_ids`, which stand here only because a
            BERT takes them: the separator tells two texts apart.

    Example:

    ```python
    import numpy as np
    from keras_distill.models import BiLstmBackbone

    backbone = BiLstmBackbone(
        vocabulary_size=100, embedding_dim=8, lstm_dim=4, projection_dim=16
    )
    ids = np.array([[2, 10, 11, 3]])
    outputs = backbone(
        {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": 0 * ids + 1}
    )
    assert outputs["sequence_output"].shape == (1, 4, 16)
    ```

    Reference:
        - XtremeDistil, Mukherjee and Awadallah 2020,
          https://arxiv.org/abs/2004.05686.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        lstm_dim,
        projection_dim=None,
        dropout=0.2,
        recurrent_dropout=0.2,
        pooling="mean",
        max_sequence_length=512,
        embeddings_trainable=True,
        dtype=None,
        **kwargs,
    ):
        check_choice("pooling", pooling, _POOLINGS)
        check_int("vocabulary_size", vocabulary_size, minimum=1)
        check_int("embedding_dim", embedding_dim, minimum=1)
        check_int("max_sequence_length", max_sequence_length, minimum=1)
        # === Layers ===
        self.token_embedding = keras.layers.Embedding(
            vocabulary_size,
            embedding_dim,
            embeddings_initializer=keras.initializers.TruncatedNormal(
                stddev=0.02
            ),
            dtype=dtype,
            name="token_embedding",
        )
        self.encoder = BiLstmEncoder(
            lstm_dim,
            projection_dim,
            dropout,
            recurrent_dropout,
            dtype=dtype,
            name="bilstm_encoder",
        )

        # === Functional Model ===
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name)
            for name in ("token_ids", "segment_ids", "padding_mask")
        }
        padding_mask = inputs["padding_mask"]
        states = self.encoder(
            self.token_embedding(inputs["token_ids"]), padding_mask=padding_mask
        )
        if pooling == "mean":
            pooled = mean_of_tokens(states, padding_mask)
        else:
            pooled = states[:, 0, :]
        super().__init__(
            inputs=inputs,
            outputs={"sequence_output": states, "pooled_output": pooled},
            dtype=dtype,
            **kwargs,
        )
        # After Keras has given all layers the flag of the whole.
        if not embeddings_trainable:
            self.token_embedding.trainable = False

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.lstm_dim = lstm_dim
        self.projection_dim = projection_dim
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.pooling = pooling
        self.max_sequence_length = max_sequence_length
        # What other backbones call these.
        self.hidden_dim = projection_dim or 2 * lstm_dim
        self.num_layers = 1

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "lstm_dim": self.lstm_dim,
            "projection_dim": self.projection_dim,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "pooling": self.pooling,
            "max_sequence_length": self.max_sequence_length,
            "embeddings_trainable": self.token_embedding.trainable,
        }
