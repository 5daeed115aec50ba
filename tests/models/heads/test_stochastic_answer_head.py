"""The head against a NumPy forward, golden numbers and its promises."""

import keras
import numpy as np
import pytest

from keras_distill.models import StochasticAnswerHead

# Two rows of five tokens: where the first text stands, and the second.
FIRST = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0]])
SECOND = np.array([[0, 0, 0, 1, 1], [0, 0, 1, 1, 0]])
STATES = np.sin(0.11 * np.arange(60)).reshape(2, 5, 6).astype("float32")

# In the order and shapes of a PyTorch module of a width of 6, 3 classes.
SHAPES = (
    *((1, 6), (1,), (6, 6), (6,)),
    *((18, 6), (18, 6), (18,), (18,), (3, 24), (3,)),
)
WEIGHTS = [
    (0.3 * np.sin(0.37 * np.arange(np.prod(shape)) + n)).reshape(shape)
    for n, shape in enumerate(SHAPES)
]
# Computed in float64 with MT-DNN's own code.
GOLDEN = [[0.5186, 0.0640, 0.4174], [0.7010, 0.1276, 0.1714]]


def as_array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def gates_of(weight):
    """PyTorch's gates r, z, n in Keras's order z, r, h."""
    r, z, n = np.split(weight, 3)
    return np.concatenate([z, r, n])


def make_head(weights=WEIGHTS, **words):
    """A head of a width of 6 with given weights, without dropout."""
    head = StochasticAnswerHead(
        3, **{"dropout": 0, "prediction_dropout": 0, **words}
    )
    head.build((2, 5, 6), (2, 5), (2, 5))
    w1, b1, w2, b2, w_ih, w_hh, b_ih, b_hh, w3, b3 = weights
    head.summary_dense.set_weights([w1.T, b1])
    head.attention_dense.set_weights([w2.T, b2])
    head.output_dense.set_weights([w3.T, b3])
    if head.cell is not None:
        biases = np.stack([gates_of(b_ih), gates_of(b_hh)])
        head.cell.set_weights([gates_of(w_ih).T, gates_of(w_hh).T, biases])
    return head


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(states, first, second, weights=WEIGHTS, num_turns=5):
    """Each turn's probabilities; the tokens of each text are cut out."""
    w1, b1, w2, b2, w_ih, w_hh, b_ih, b_hh, w3, b3 = weights
    answers = []
    for row, is_first, is_second in zip(states, first, second, strict=True):
        row = row.astype("float64")
        premise, hypothesis = row[is_first == 1], row[is_second == 1]
        s = softmax((hypothesis @ w1.T + b1)[:, 0]) @ hypothesis
        of_turns = []
        for _ in range(num_turns):
            x = softmax(premise @ (w2 @ s + b2)) @ premise
            both = np.concatenate([x, s, abs(x - s), x * s])
            of_turns.append(softmax(w3 @ both + b3))
            of_x, of_s = w_ih @ x + b_ih, w_hh @ s + b_hh
            (xr, xz, xn), (sr, sz, sn) = np.split(of_x, 3), np.split(of_s, 3)
            z = sigmoid(xz + sz)
            s = (1 - z) * np.tanh(xn + sigmoid(xr + sr) * sn) + z * s
        answers.append(of_turns)
    return np.array(answers)


def test_golden_probabilities():
    found = np.exp(as_array(make_head()(STATES, FIRST, SECOND)))
    np.testing.assert_allclose(found, GOLDEN, rtol=0, atol=1e-4)
    expected = by_hand(STATES, FIRST, SECOND).mean(axis=1)
    np.testing.assert_allclose(expected, GOLDEN, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("num_turns", [1, 2])
def test_other_weights_and_turns_as_by_hand(num_turns):
    generator = np.random.default_rng(num_turns)
    weights = [generator.normal(size=shape) for shape in SHAPES]
    states = generator.normal(size=(2, 5, 6)).astype("float32")
    head = make_head(weights, num_turns=num_turns)
    found = np.exp(as_array(head(states, FIRST, SECOND)))
    turns = by_hand(states, FIRST, SECOND, weights, num_turns)
    expected = turns.mean(axis=1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-6)


def test_one_turn_is_one_softmax_without_a_gru():
    assert make_head(num_turns=1).cell is None


def test_a_softmax_gives_the_probabilities():
    logarithms = as_array(make_head()(STATES, FIRST, SECOND))
    head = make_head(activation="softmax")
    found = as_array(head(STATES, FIRST, SECOND))
    np.testing.assert_allclose(found, np.exp(logarithms), rtol=0, atol=1e-6)


@pytest.mark.parametrize("width, count", [(768, 4_144_132), (1024, 7_360_516)])
def test_as_many_weights_as_mt_dnns(width, count, monkeypatch):
    # To draw an orthogonal matrix of that size takes longer than the rest.
    monkeypatch.setattr(
        keras.initializers.Orthogonal,
        "__call__",
        lambda _, shape, dtype=None: keras.ops.zeros(shape, dtype),
    )
    head = StochasticAnswerHead(3)
    head.build((None, None, width), (None, None), (None, None))
    assert head.count_params() == count


def test_what_is_in_neither_text_and_the_other_text_are_not_seen():
    """Row 1: the first text at 0, 1, the second at 2, 3, padding at 4."""
    head = make_head()
    padded = STATES.copy()
    padded[1, 4] = 99.0
    before, after = (as_array(head(x, FIRST, SECOND)) for x in (STATES, padded))
    np.testing.assert_array_equal(before, after)
    # The summary sees the second text alone, an attention the first alone.
    state = as_array(head._summary(STATES, SECOND, False))
    for position, is_seen in enumerate(SECOND[1]):
        other = STATES.copy()
        other[1, position] += 1
        same = state == as_array(head._summary(other, SECOND, False))
        assert same.all() != is_seen
        seen, changed = (
            as_array(head._seen(state, x, FIRST, False))
            for x in (STATES, other)
        )
        assert (seen == changed).all() != FIRST[1, position]


def test_a_missing_text_gives_finite_numbers():
    found = as_array(make_head()(STATES, FIRST, 0 * SECOND))
    assert np.isfinite(found).all()


def test_turns_are_left_out_but_never_all():
    """1000 draws of 64 rows each; all but one turn go in nearly all rows."""
    head = make_head(prediction_dropout=0.9, num_turns=3)
    turns = np.log([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    answers = np.broadcast_to(turns, (64_000, 3, 3)).astype("float32")
    shares = np.exp(as_array(head._log_shares(answers, True)))[..., 0]
    kept = shares > 0
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=0, atol=1e-6)
    counts = kept.sum(axis=1)
    assert counts.min() == 1
    # Each stays with 0.1, but for a row that would have lost all three.
    expected = 0.1 + 0.9**3 / 3
    np.testing.assert_allclose(kept.mean(axis=0), expected, rtol=0.03)
    # Those that are left share alike.
    np.testing.assert_allclose(shares[kept], np.repeat(1 / counts, counts))


def test_training_answers_are_means_of_some_turns():
    """With the weights above, over seeds: never NaN, always a distribution."""
    head = make_head(prediction_dropout=0.5)
    states, first, second = (
        np.repeat(x[:1], 1000, axis=0) for x in (STATES, FIRST, SECOND)
    )
    found = np.exp(as_array(head(states, first, second, training=True)))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-5)
    turns = by_hand(STATES, FIRST, SECOND)[0]
    subsets = [
        turns[[i for i in range(5) if number >> i & 1]].mean(axis=0)
        for number in range(1, 32)
    ]
    distances = abs(found[:, None] - np.array(subsets)).sum(axis=-1)
    assert distances.min(axis=1).max() < 1e-5
    # Nearly each of them is drawn.
    assert len(set(distances.argmin(axis=1))) > 20


def test_dropout_is_on_in_training_alone():
    head = make_head(dropout=0.4)
    quiet, loud = (
        as_array(head(STATES, FIRST, SECOND, training=training))
        for training in (False, True)
    )
    np.testing.assert_allclose(
        quiet, as_array(make_head()(STATES, FIRST, SECOND)), atol=1e-6
    )
    assert not np.allclose(quiet, loud, atol=1e-3)


def test_probabilities_of_zero_leave_finite_logarithms():
    weights = [*WEIGHTS[:8], 1e4 * WEIGHTS[8], WEIGHTS[9]]
    found = as_array(make_head(weights)(STATES, FIRST, SECOND))
    assert np.isfinite(found).all()
    assert found.min() < -200


def test_half_precision_answers_in_float32():
    head = make_head(dtype="mixed_bfloat16")
    found = head(STATES, FIRST, SECOND)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_allclose(np.exp(as_array(found)), GOLDEN, atol=0.02)


def test_config_round_trip():
    head = StochasticAnswerHead(
        4,
        num_turns=2,
        dropout=0.3,
        prediction_dropout=0.2,
        activation="softmax",
    )
    revived = StochasticAnswerHead.from_config(head.get_config())
    assert revived.get_config() == head.get_config()


@pytest.mark.parametrize(
    "words",
    [
        {"num_classes": 1},
        {"num_turns": 0},
        {"dropout": 1.0},
        {"prediction_dropout": 1.0},
        {"activation": "sigmoid"},
    ],
)
def test_wrong_arguments_are_refused(words):
    with pytest.raises(ValueError, match=f"`{next(iter(words))}`"):
        StochasticAnswerHead(**{"num_classes": 3, **words})
