"""Batches with a label at the first piece of each word."""

import warnings

import keras
import numpy as np
import pytest

from keras_distill.tasks import TaggedExamples
from keras_distill.tasks import TokenizedTags

WORDS = [
    ["Atelocentra", "Meyrick"],
    ["anna", "sings", "in", "oslo", "."],
    ["\u200b"],
    ["oslo", ",", "oslo", "and", "Meyrick"],
]
LABELS = [[1, 2], [1, 0, 0, 5, 0], [3], [5, 0, 5, 0, 1]]


@pytest.fixture
def examples():
    return TaggedExamples(WORDS, LABELS, ["la", "en", "und", "en"])


@pytest.fixture
def tokenized(examples, piece_tokenizer):
    return TokenizedTags(examples, piece_tokenizer, 16)


def test_labels_stand_at_first_pieces(tokenized):
    """[CLS] t1 X X t2 X [SEP] [PAD], where X and the others do not count."""
    x, y, weights = next(tokenized.iterate(2, length_multiple=1))
    assert x["token_ids"][0].tolist() == [2, 5, 6, 7, 8, 9, 3]
    assert y.tolist() == [[0, 1, 0, 0, 2, 0, 0], [0, 1, 0, 0, 5, 0, 0]]
    first = [[0, 1, 0, 0, 1, 0, 0], [0, 1, 1, 1, 1, 1, 0]]
    np.testing.assert_array_equal(weights > 0, np.array(first, bool))
    assert (y.dtype, weights.dtype) == ("int32", "float32")


@pytest.mark.parametrize("fixed_length", [None, 12])
def test_weights_make_keras_mean_the_mean_over_words(tokenized, fixed_length):
    generator = np.random.default_rng(1)
    for x, y, weights in tokenized.iterate(3, fixed_length=fixed_length):
        assert weights.mean() == pytest.approx(1.0)
        logits = generator.normal(size=(*y.shape, 7)).astype("float32")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        value = float(loss(y, logits, weights))
        log_q = logits - np.log(np.sum(np.exp(logits), -1, keepdims=True))
        of_labels = np.take_along_axis(log_q, y[:, :, None], -1)[:, :, 0]
        assert value == pytest.approx(-of_labels[weights > 0].mean(), rel=1e-5)
        # What stands at other places, padding among it, does not matter.
        other = np.where((weights > 0)[:, :, None], logits, 50.0)
        labels = np.where(weights > 0, y, 6)
        assert float(loss(labels, other, weights)) == pytest.approx(value)
        assert x["token_ids"].shape == y.shape


def test_a_class_weight_weighs_words(tokenized):
    _, y, weights = next(tokenized.iterate(4))
    weighted = tokenized.with_class_weight({0: 0.5, 5: 3.0}, num_classes=7)
    _, same, of_words = next(weighted.iterate(4))
    np.testing.assert_array_equal(same, y)
    factors = np.array([0.5, 1, 1, 1, 1, 3, 1], "float32")
    np.testing.assert_array_equal(of_words, weights * factors[y])


@pytest.mark.parametrize("max_batch", [1, 3])
def test_round_trip_recovers_the_tags_of_words(tokenized, max_batch):
    done = 0
    for _, y, _ in tokenized.iterate(max_batch):
        rows = np.arange(done, done + len(y))
        words = tokenized.to_words(rows, y)
        assert [labels.tolist() for labels in words] == [
            LABELS[row] for row in rows
        ]
        done += len(y)
    assert done == 4


def test_truncation_says_how_many_words_are_lost(examples, piece_tokenizer):
    with pytest.warns(UserWarning, match="cuts off 5 of 13 words, in 3 of 4"):
        cut = TokenizedTags(examples, piece_tokenizer, 5)
    assert (cut.num_words, cut.num_lost_words) == (13, 5)
    assert cut.select(np.array([0, 2])).num_lost_words == 1
    _, y, weights = next(cut.iterate(4))
    assert y.shape == (4, 5)
    assert np.count_nonzero(weights) == 8
    words = cut.to_words(np.arange(4), y)
    assert words[0].tolist() == [1, -1]
    assert words[1].tolist() == [1, 0, 0, -1, -1]
    assert words[2].tolist() == [3]


def test_nothing_is_said_when_nothing_is_lost(examples, piece_tokenizer):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert TokenizedTags(examples, piece_tokenizer, 16).num_lost_words == 0


def test_selected_rows_keep_their_words(tokenized):
    rows = np.array([3, 1])
    selected = tokenized.select(rows)
    assert selected.languages.tolist() == ["en", "en"]
    assert [x.tolist() for x in selected.labels] == [LABELS[3], LABELS[1]]
    x, y, _ = next(selected.iterate(2))
    assert [x.tolist() for x in selected.to_words(np.arange(2), y)] == [
        LABELS[3],
        LABELS[1],
    ]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("fixed_length", [None, 12])
def test_fit_gets_what_iterate_yields(tokenized, shuffle, fixed_length):
    arguments = {"shuffle": shuffle, "fixed_length": fixed_length}
    batches = tokenized.batches(2, **arguments)
    for (x, y, weights), (x_fit, y_fit, weights_fit) in zip(
        tokenized.iterate(2, **arguments), batches, strict=True
    ):
        for name in x:
            np.testing.assert_array_equal(x[name], x_fit[name])
        np.testing.assert_array_equal(y, y_fit)
        np.testing.assert_array_equal(weights, weights_fit)


def test_unlabelled_batches_have_inputs_only(piece_tokenizer):
    tokenized = TokenizedTags(TaggedExamples(WORDS), piece_tokenizer, 16)
    assert tokenized.labels is None
    for batch in (next(tokenized.iterate(4)), next(iter(tokenized.batches(4)))):
        assert len(batch) == 1
        assert batch[0]["token_ids"].shape == (4, 8)
    classes = np.arange(32).reshape(4, 8)
    assert tokenized.to_words(np.arange(4), classes)[0].tolist() == [1, 4]


def test_a_batch_without_words_has_no_weight(piece_tokenizer):
    tokenized = TokenizedTags(TaggedExamples([[]], [[]]), piece_tokenizer, 8)
    _, y, weights = next(tokenized.iterate(1, length_multiple=1))
    assert y.shape == (1, 2)
    assert not weights.any()


def test_no_rows(piece_tokenizer):
    tokenized = TokenizedTags(TaggedExamples([], []), piece_tokenizer, 8)
    assert list(tokenized.iterate(4)) == list(tokenized.batches(4)) == []
    assert tokenized.num_lost_words == 0


def test_sequence_length_leaves_room(examples, piece_tokenizer):
    with pytest.raises(ValueError, match="`sequence_length` must leave room"):
        TokenizedTags(examples, piece_tokenizer, 2)
