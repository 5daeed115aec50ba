"""The stochastic answer network of MT-DNN: several turns of reasoning."""

import math

import keras
from keras import ops

from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int

# BERT's own, for weights that start at random.
_INITIALIZER_RANGE = 0.02
# What stands for the logarithm of 0, and of a share that is none.
_NOTHING = -1e9


@keras.saving.register_keras_serializable("keras_distill")
class StochasticAnswerHead(keras.layers.Layer):
    """Compares two texts in several turns, and averages the turns' answers.

    Both texts are parts of one encoder's output, `P` the states of the first
    and `A` those of the second. With a state `s`, which starts as a summary
    of the second text, each turn `k` looks anew at the first:

    ```
    s_0     = sum_j softmax_j(w_1 . A_j + b_1) A_j
    x_k     = sum_j softmax_j(P_j . (W_2 s_k + b_2)) P_j
    p_k     = softmax(W_3 [x_k; s_k; |x_k - s_k|; x_k * s_k] + b_3)
    s_(k+1) = GRU(input=x_k, state=s_k)
    ```

    The answer is the mean of the turns' probabilities `p_k`. What is given is
    its logarithm, of which a softmax makes the probabilities again: a loss on
    logits takes it as it is.

    In training, prediction dropout leaves out turns: of each example each one
    with the probability `prediction_dropout`, but never all. The mean is that
    of the turns that are left, so that it is a distribution in training as
    well. Ordinary dropout, at the rate `dropout`, is on the state that enters
    the next turn, on what `W_3` reads, and on what both attentions compare:
    of tokens the same units in a whole text.

    A text without a token, as the second one of a single text, is summed up
    by zeros.

    Args:
        num_classes: int. `C`, at least 2: of one class the softmax is always
            1.
        num_turns: int. Turns `K`. With one turn the head is a softmax, and
            there is no GRU. Defaults to `5`.
        dropout: float. Defaults to `0.1`.
        prediction_dropout: float. Defaults to `0.1`.
        activation: Optional str. `"softmax"` gives the probabilities
            themselves. Defaults to `None`: their logarithm.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        states: `(B, L, D)`, hidden states of both texts.
        first_mask: `(B, L)`, 1 or True at the tokens of the first text.
        second_mask: `(B, L)`, the same of the second.
        training: bool. Whether dropout is on.

    Returns:
        `(B, C)`, in float32 at least.

    Example:

    ```python
    import numpy as np
    import keras_distill

    head = keras_distill.models.StochasticAnswerHead(num_classes=3)
    states = np.random.default_rng(0).normal(size=(1, 5, 8))
    first = np.array([[1, 1, 1, 0, 0]])
    print(head(states, first, 1 - first).shape)
    ```

    Reference:
        - Stochastic answer networks, https://arxiv.org/abs/1804.07888.
        - MT-DNN, https://arxiv.org/abs/1901.11504.
    """

    def __init__(
        self,
        num_classes,
        num_turns=5,
        dropout=0.1,
        prediction_dropout=0.1,
        activation=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_int("num_classes", num_classes, minimum=2)
        check_int("num_turns", num_turns, minimum=1)
        check_float("dropout", dropout, minimum=0, below=1)
        check_float("prediction_dropout", prediction_dropout, 0, below=1)
        self.num_classes = num_classes
        self.num_turns = num_turns
        self.dropout = dropout
        self.prediction_dropout = prediction_dropout
        self.activation = check_activation(activation)
        self._seeds = keras.random.SeedGenerator()
        self._drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self._drop_units = keras.layers.SpatialDropout1D(
            dropout, dtype=self.dtype_policy
        )
        self.summary_dense = self._dense(1, "summary")
        self.output_dense = self._dense(num_classes, "answer")

    def build(self, states_shape, first_mask_shape, second_mask_shape):
        width = states_shape[-1]
        self.attention_dense = self._dense(width, "attention")
        self.summary_dense.build(states_shape)
        self.attention_dense.build((None, width))
        self.output_dense.build((None, 4 * width))
        self.cell = None
        if self.num_turns > 1:
            self.cell = keras.layers.GRUCell(
                width, dtype=self.dtype_policy, name="turn"
            )
            self.cell.build((None, width))

    def call(self, states, first_mask, second_mask, training=None):
        state = self._summary(states, second_mask, training)
        seen = self._seen(state, states, first_mask, training)
        answers = [self._answer(seen, state, training)]
        while len(answers) < self.num_turns:
            dropped = self._drop(state, training=training)
            state, _ = self.cell(seen, [dropped])
            seen = self._seen(state, states, first_mask, training)
            answers.append(self._answer(seen, state, training))
        # `(B, K, C)`, the logarithms of p_k.
        answers = ops.stack(answers, axis=1)
        shares = self._log_shares(answers, training)
        return self.activation(ops.logsumexp(answers + shares, axis=1))

    def compute_output_shape(
        self, states_shape, first_mask_shape, second_mask_shape
    ):
        return (states_shape[0], self.num_classes)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_turns": self.num_turns,
            "dropout": self.dropout,
            "prediction_dropout": self.prediction_dropout,
            "activation": keras.activations.serialize(self.activation),
        }

    def _dense(self, units, name):
        return keras.layers.Dense(
            units,
            kernel_initializer=keras.initializers.TruncatedNormal(
                stddev=_INITIALIZER_RANGE
            ),
            dtype=self.dtype_policy,
            name=name,
        )

    def _summary(self, states, mask, training):
        """`s_0`, `(B, D)`, of the second text."""
        dropped = self._drop_units(states, training=training)
        scores = ops.squeeze(self.summary_dense(dropped), axis=-1)
        return _weighted_sum(states, scores, mask)

    def _seen(self, state, states, mask, training):
        """`x_k`, `(B, D)`: what a state looks for in the first text."""
        dropped = self._drop(state, training=training)
        query = self.attention_dense(dropped)
        # A unit of all tokens is dropped by dropping it of what they meet.
        query = self._drop(query, training=training)
        scores = ops.squeeze(
            ops.matmul(states, ops.expand_dims(query, axis=-1)), axis=-1
        )
        return _weighted_sum(states, scores, mask)

    def _answer(self, seen, state, training):
        """The logarithm of `p_k`, `(B, C)`."""
        both = ops.concatenate(
            [seen, state, ops.abs(seen - state), seen * state], axis=-1
        )
        logits = self.output_dense(self._drop(both, training=training))
        return ops.log_softmax(_as_float(logits), axis=-1)

    def _log_shares(self, answers, training):
        """The logarithm of each turn's share in the mean, `(B, K, 1)`."""
        if not training or not self.prediction_dropout or self.num_turns == 1:
            return -math.log(self.num_turns)
        draws = keras.random.uniform(
            ops.shape(answers)[:2], dtype="float32", seed=self._seeds
        )
        # The greatest draw is never dropped: it is that of any turn alike.
        greatest = ops.max(draws, axis=1, keepdims=True)
        is_kept = ops.logical_or(
            draws >= self.prediction_dropout, draws >= greatest
        )
        kept = ops.sum(ops.cast(is_kept, "float32"), axis=1, keepdims=True)
        shares = ops.where(is_kept, -ops.log(kept), _NOTHING)
        return ops.cast(ops.expand_dims(shares, axis=-1), answers.dtype)


def check_activation(activation):
    """The function of what an activation is called, or raises."""
    function = keras.activations.get(activation)
    if function not in (keras.activations.linear, keras.activations.softmax):
        raise ValueError(
            '`activation` must be None or "softmax": the answers are '
            f"distributions of classes. Received: activation={activation!r}"
        )
    return function


def _as_float(tensor):
    """A tensor in float32, unless it is wider."""
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    return ops.cast(tensor, keras.backend.result_type(dtype, "float32"))


def _weighted_sum(states, scores, mask):
    """The states `(B, D)` of a mask's tokens, by the softmax of scores."""
    is_seen = ops.cast(mask, "bool")
    weights = ops.softmax(ops.where(is_seen, _as_float(scores), _NOTHING))
    # Where there is no token at all, none has a weight.
    weights = ops.cast(weights * ops.cast(is_seen, weights.dtype), states.dtype)
    return ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), states), axis=1)
