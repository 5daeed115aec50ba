"""Labels as people have them become arrays."""

import keras
import numpy as np
import pandas
import pytest

from keras_distill.fitting.labels import as_labels
from keras_distill.fitting.labels import word_labels

NAMES = ("bad", "good")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([1, 0], np.array([1, 0])),
        ((1, 0), np.array([1, 0])),
        ([True, False], np.array([True, False])),
        ([0.5, 2.0], np.array([0.5, 2.0], "float32")),
        ([[1, 0], [1, 1]], np.array([[1, 0], [1, 1]])),
        (pandas.Series([1, 0], index=[5, 3]), np.array([1, 0])),
        (pandas.DataFrame({"a": [0.0], "b": [1.0]}), np.array([[0.0, 1.0]])),
        (np.array([1, 0], dtype=object), np.array([1, 0])),
        (["good", "bad"], np.array([1, 0])),
        (pandas.Series(["good", "bad"], dtype="category"), np.array([1, 0])),
    ],
)
def test_a_column(given, expected):
    found = as_labels(given, NAMES)
    np.testing.assert_array_equal(found, expected)
    if expected.dtype.kind == "f":
        assert found.dtype == keras.config.floatx()


def test_labels_of_several_outputs_keep_their_structure():
    a, b = np.array([1, 0]), np.array([0.5, 1.0])
    assert set(as_labels({"a": a, "b": b})) == {"a", "b"}
    assert [len(part) for part in as_labels([a, b])] == [2, 2]
    assert isinstance(as_labels((a, b)), tuple)
    assert as_labels(None) is None


def test_names_of_the_tags_of_words():
    found = word_labels([["good", "bad"], ["good"]], NAMES)
    assert [list(row) for row in found] == [[1, 0], [1]]
    assert word_labels([[1, 0], [1]]) == [[1, 0], [1]]


@pytest.mark.parametrize(
    ("given", "names", "message"),
    [
        (["good", "so"], NAMES, "classes, bad, good. Received: 'so' in row 1"),
        (["good", "bad"], None, "must hold numbers.*load_teacher"),
        ([1, None], None, "`y` must have a label in each row.*row 1"),
    ],
)
def test_what_is_no_label(given, names, message):
    with pytest.raises(ValueError, match=message):
        as_labels(given, names)
