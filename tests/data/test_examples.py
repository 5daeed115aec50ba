"""Rows of texts and labels."""

import numpy as np
import pytest

from keras_distill.tasks import Examples


def test_class_labels_become_int32():
    examples = Examples((["a", "b"],), labels=[1, 0])
    assert len(examples) == 2
    assert examples.labels.dtype == np.int32
    assert examples.labels.tolist() == [1, 0]
    assert examples.ids.dtype == np.int64
    assert examples.ids.tolist() == [0, 1]


def test_scores_become_float32():
    examples = Examples((["a"], ["b"]), labels=np.array([2.5]))
    assert examples.labels.dtype == np.float32


def test_take_keeps_rows_together():
    examples = Examples(
        (["a", "b", "c"], ["d", "e", "f"]), labels=[2, 1, 0], ids=[7, 8, 9]
    )
    first = examples.take(2)
    assert first.texts == (["a", "b"], ["d", "e"])
    assert first.labels.tolist() == [2, 1]
    assert first.ids.tolist() == [7, 8]
    assert len(examples.take(10)) == 3


def test_select_keeps_ids():
    examples = Examples(
        (["a", "b", "c"], ["d", "e", "f"]), labels=[2, 1, 0], ids=[7, 8, 9]
    )
    chosen = examples.select(np.array([2, 0]))
    assert chosen.texts == (["c", "a"], ["f", "d"])
    assert chosen.labels.tolist() == [0, 2]
    assert chosen.ids.tolist() == [9, 7]
    assert Examples((["a", "b"],)).select([1]).texts == (["b"],)


def test_ids_may_be_strings(series):
    for ids in (["q10", "q9", "\u0436"], [b"q10", b"q9", "\u0436".encode()]):
        for column in (ids, np.array(ids), series(ids, [2, 0, 1])):
            examples = Examples((["a", "b", "c"],), ids=column)
            assert examples.ids.tolist() == ["q10", "q9", "\u0436"]
            chosen = examples.select([2, 1])
            assert chosen.ids.tolist() == ["\u0436", "q9"]
            # What is compared of two runs has no width of the longest id.
            assert chosen.ids.dtype == examples.ids.dtype == object


def test_take_of_unlabelled():
    assert Examples((["a", "b"],)).take(1).labels is None


def test_take_refuses_negative():
    with pytest.raises(ValueError, match="`count` must be an int of 0 or"):
        Examples((["a"],)).take(-1)


@pytest.mark.parametrize("texts", [["a", "b"], ("a", "b"), "a"])
def test_texts_are_columns(texts):
    with pytest.raises(ValueError, match="one list of strings per text"):
        Examples(texts)


@pytest.mark.parametrize("texts", [(), (["a"], ["b"], ["c"])])
def test_one_or_two_columns(texts):
    with pytest.raises(ValueError, match="one or two text columns"):
        Examples(texts)


@pytest.mark.parametrize(
    "arguments",
    [
        {"texts": (["a", "b"], ["c"])},
        {"texts": (["a", "b"],), "labels": [0]},
        {"texts": (["a", "b"],), "ids": [0, 1, 2]},
    ],
)
def test_rows_must_match(arguments):
    with pytest.raises(ValueError, match="same number of rows. Received"):
        Examples(**arguments)


@pytest.mark.parametrize("kind", [list, np.array, tuple])
def test_several_labels_are_rows_of_0_and_1(kind):
    examples = Examples((["a", "b", "c"],), kind([[1, 0], [0, 0], [1, 1]]))
    assert examples.labels.dtype == np.float32
    assert examples.labels.tolist() == [[1, 0], [0, 0], [1, 1]]
    assert examples.select([2, 0]).labels.tolist() == [[1, 1], [1, 0]]
    assert examples.take(1).labels.tolist() == [[1, 0]]


def test_a_column_of_arrays_is_several_labels(series):
    labels = series([np.array([True, False]), [0, 1]], index=[5, 3])
    assert Examples((["a", "b"],), labels).labels.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    "labels, message",
    [
        ([["x", "y"], []], "several labels .* `task.encode_labels"),
        ([[1, 0], [1]], r"Received: \[1, 0\], \[1\]"),
        ([[1, 0], [2, 0]], "0 or 1 for each class .* in row 1"),
        ([[1, 0], [np.nan, 0]], "0 or 1 for each class .* in row 1"),
        ([[1, 0], None], "several labels"),
        ([[1, 0]], "same number of rows"),
    ],
)
def test_bad_rows_of_several_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        Examples((["a", "b"],), labels)


@pytest.mark.parametrize("labels", [["yes", "no"], [[0], [1]], [1j, 2]])
def test_labels_are_numbers(labels):
    with pytest.raises(ValueError, match="one integer or one float per row"):
        Examples((["a", "b"],), labels=labels)


def test_columns_are_read_by_position(series):
    texts = series(["a", "b", "c"], index=[2, 0, 1])
    labels = series([0, 1, 2], index=["x", "y", "z"])
    examples = Examples(
        (texts,), labels, ids=series([7, 8, 9], index=[9, 8, 7])
    )
    chosen = examples.select([2, 0])
    assert chosen.texts == (["c", "a"],)
    assert chosen.labels.tolist() == [2, 0]
    assert chosen.ids.tolist() == [9, 7]


def test_a_mask_selects_what_it_marks(series):
    examples = Examples((["a", "b", "c"],), [0, 1, 0])
    for mask in (examples.labels == 0, series([True, False, True], [5, 4, 3])):
        assert examples.select(mask).texts == (["a", "c"],)
    with pytest.raises(ValueError, match="one bool for each of 3 rows"):
        examples.select([True, False])
    with pytest.raises(ValueError, match="must be from 0 to 2. Received: 3"):
        examples.select([3])
    assert len(examples.select([])) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": (["a", None],)}, r"`texts\[0\]`.*in row 1: None"),
        ({"texts": (["a"], [np.nan])}, r"`texts\[1\]`.*in row 0: nan"),
        ({"texts": ({"a", "b"},)}, "must have an order. Received: a set"),
        ({"texts": ({"a": 1},)}, "must be one column. Received: a dict"),
        ({"texts": (["a", 5],)}, "in row 1: '5', of type int"),
        ({"texts": ([b"\xff"],)}, "in row 0: .* whose byte 1 is not UTF-8"),
        ({"texts": (["\ud800"],)}, "in row 0: .* half of one"),
        ({"texts": (["a", "b"],), "labels": [1, None]}, "None in row 1"),
        ({"texts": (["a", "b"],), "labels": [1, np.nan]}, "nan in row 1"),
        (
            {"texts": (["a"],), "labels": ["yes"]},
            r"task.encode_labels\(labels\)",
        ),
        ({"texts": (["a"],), "labels": [[0.2, 0.8]]}, "argmax"),
        ({"texts": (["a"],), "labels": [2**31]}, "2147483648 in row 0"),
        ({"texts": (["a"],), "ids": [0.5]}, "one integer or string per row"),
        ({"texts": (["a"],), "ids": [[1]]}, "one integer or string per row"),
        (
            {"texts": (["a"] * 2,), "ids": ["q1", 7]},
            "strings. .* in row 1: '7'",
        ),
        ({"texts": (["a"] * 2,), "ids": ["q1", None]}, "in row 1: None"),
        ({"texts": (["a"] * 2,), "ids": ["q1", ""]}, "empty string in row 1"),
    ],
)
def test_what_is_missing_or_none_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Examples(**arguments)
