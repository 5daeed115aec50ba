"""One bidirectional LSTM and the projection above it."""

import keras
from keras import ops

from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int


@keras.saving.register_keras_serializable("keras_distill")
class TrainingDropoutLstm(keras.layers.LSTM):
    """An LSTM whose dropout draws random numbers in training only.

    Keras's draws its dropout masks in inference as well, and does not use
    them. A served model should hold no random state.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        self._draws_masks = bool(training)
        return super().call(
            sequences, initial_state=initial_state, mask=mask, training=training
        )

    def _maybe_config_dropout_masks(self, cell, input_sequence, input_state):
        if self._draws_masks:
            super()._maybe_config_dropout_masks(
                cell, input_sequence, input_state
            )


@keras.saving.register_keras_serializable("keras_distill")
class BiLstmEncoder(keras.layers.Layer):
    """One bidirectional LSTM and, if asked for, a projection above it.

    `h_t = [forward LSTM; backward LSTM]`, and with a projection
    `GELU(W_f h_t + b_f)`. Padding is skipped in both directions: the states of
    real tokens do not depend on it. The dropout masks of inputs and recurrent
    states are drawn anew for each batch and are the same at every step.

    Args:
        lstm_dim: int. `H`, the width of the LSTM in each direction.
        projection_dim: int. Width of the projection; `None` for none.
            Defaults to `None`.
        dropout: float. Dropout rate of the inputs. Defaults to `0.2`.
        recurrent_dropout: float. Dropout rate of the recurrent states.
            Defaults to `0.2`.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor `(B, L, E)`.
        padding_mask: Optional tensor `(B, L)`, 1 at real tokens.
        training: bool. Whether dropout is on.

    Returns:
        Tensor `(B, L, projection_dim)`, or `(B, L, 2 * lstm_dim)` without a
        projection. What stands at padding has no meaning.

    Example:

    ```python
    import numpy as np
    from keras_distill.models import BiLstmEncoder

    encoder = BiLstmEncoder(lstm_dim=4, projection_dim=6)
    states = encoder(np.zeros((2, 3, 5), "float32"))
    assert states.shape == (2, 3, 6)
    ```
    """

    def __init__(
        self,
        lstm_dim,
        projection_dim=None,
        dropout=0.2,
        recurrent_dropout=0.2,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_int("lstm_dim", lstm_dim, minimum=1)
        check_int("projection_dim", projection_dim, minimum=1, optional=True)
        check_float("dropout", dropout, minimum=0, below=1)
        check_float("recurrent_dropout", recurrent_dropout, minimum=0, below=1)
        # === Layers ===
        self.bilstm = keras.layers.Bidirectional(
            TrainingDropoutLstm(
                lstm_dim,
                dropout=dropout,
                recurrent_dropout=recurrent_dropout,
                return_sequences=True,
                dtype=self.dtype_policy,
                name="lstm",
            ),
            dtype=self.dtype_policy,
            name="bilstm",
        )
        self.projection = None
        if projection_dim is not None:
            self.projection = keras.layers.Dense(
                projection_dim,
                activation="gelu",
                dtype=self.dtype_policy,
                name="projection",
            )

        # === Config ===
        self.lstm_dim = lstm_dim
        self.projection_dim = projection_dim
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout

    def build(self, inputs_shape):
        self.bilstm.build(inputs_shape)
        if self.projection is not None:
            self.projection.build((*inputs_shape[:-1], 2 * self.lstm_dim))

    def call(self, inputs, padding_mask=None, training=None):
        mask = None
        if padding_mask is not None:
            mask = ops.cast(padding_mask, "bool")
        states = self.bilstm(inputs, mask=mask, training=training)
        if self.projection is not None:
            states = self.projection(states)
        return states

    def compute_output_shape(self, inputs_shape):
        width = self.projection_dim or 2 * self.lstm_dim
        return (*inputs_shape[:-1], width)

    def get_config(self):
        return {
            **super().get_config(),
            "lstm_dim": self.lstm_dim,
            "projection_dim": self.projection_dim,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }
