"""Sentences as words, with a tag for each."""

import numpy as np
import pytest

from keras_distill.tasks import TaggedExamples

WORDS = [["Anna", "sings"], ["Oslo"], [], ["in", "Oslo", "."]]
LABELS = [[1, 0], [5], [], [0, 5, 0]]


@pytest.fixture
def examples():
    return TaggedExamples(WORDS, LABELS, ["en", "no", "en", "no"])


def test_labels_are_int32_and_ids_count(examples):
    assert len(examples) == 4
    assert [labels.tolist() for labels in examples.labels] == LABELS
    assert {labels.dtype.name for labels in examples.labels} == {"int32"}
    assert examples.ids.tolist() == [0, 1, 2, 3]


def test_rows_are_selected(examples):
    selected = examples.select(np.array([3, 0]))
    assert selected.words == [WORDS[3], WORDS[0]]
    assert selected.labels[0].tolist() == [0, 5, 0]
    assert selected.languages.tolist() == ["no", "en"]
    assert selected.ids.tolist() == [3, 0]


@pytest.mark.parametrize(
    ("count", "per_language", "rows"),
    [
        (1, False, [0]),
        (9, False, [0, 1, 2, 3]),
        (1, True, [0, 1]),
        (2, True, [0, 1, 2, 3]),
        (0, True, []),
    ],
)
def test_the_first_rows_are_taken(examples, count, per_language, rows):
    taken = examples.take(count, per_language=per_language)
    assert taken.ids.tolist() == rows
    assert taken.words == [WORDS[row] for row in rows]


def test_unlabelled_and_of_unknown_language():
    examples = TaggedExamples(WORDS)
    assert examples.labels is None
    assert set(examples.languages) == {"und"}
    assert examples.take(1).labels is None


def test_sentences_of_equal_length_stay_arrays_of_arrays():
    examples = TaggedExamples([["a", "b"], ["c", "d"]], [[0, 1], [2, 3]])
    assert examples.labels.shape == (2,)
    assert examples.labels[1].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"words": ["Anna sings"]}, r"words\[0\]='Anna sings'; split it"),
        ({"words": WORDS, "labels": LABELS[:3]}, r"Received: \[4, 4, 4, 3\]"),
        (
            {"words": WORDS, "labels": [[1], [5], [], [0, 5, 0]]},
            "1 for the 2 words of sentence 0",
        ),
        ({"words": WORDS, "languages": ["en"]}, r"Received: \[4, 1, 4\]"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TaggedExamples(**arguments)


def test_no_negative_count(examples):
    with pytest.raises(ValueError, match="`count` must not be negative"):
        examples.take(-1)


def test_columns_are_read_by_position(series):
    examples = TaggedExamples(
        series(WORDS[:2], index=[1, 0]),
        series(LABELS[:2], index=["b", "a"]),
        series(["en", "no"], index=[3, 9]),
    )
    assert examples.words == WORDS[:2]
    assert examples.labels[1].tolist() == [5]
    assert examples.languages.tolist() == ["en", "no"]


def test_arrays_of_words_and_whole_floats():
    examples = TaggedExamples(
        [np.array(["Anna", "sings"], dtype=object), [b"Oslo"]],
        [np.array([1.0, 0.0]), [5]],
    )
    assert examples.words == [["Anna", "sings"], ["Oslo"]]
    assert examples.labels[0].dtype == np.int32


@pytest.mark.parametrize(
    ("words", "labels", "message"),
    [
        ([["a"], None], None, r"words\[1\]=None; leave the row out"),
        ([["a", None]], None, r"`words\[0\]`.*in row 1: None"),
        ([["a"]], [None], r"labels\[0\]=None; leave the row out"),
        ([["a", "b"]], [[1, -100]], r"-100 in labels\[0\].*Hugging Face"),
        ([["a"]], [["B-PER"]], "encode_labels"),
        ([["a"]], [[0.5]], r"0.5 in labels\[0\]"),
        ([["a"]], [0], r"`labels\[0\]` must be a list"),
    ],
)
def test_what_is_missing_or_none_is_named(words, labels, message):
    with pytest.raises(ValueError, match=message):
        TaggedExamples(words, labels)
