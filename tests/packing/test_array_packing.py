"""Packing of token ids into a model's rows."""

import numpy as np
import pytest

from keras_distill.packing import Layout
from keras_distill.packing import array_packing as packing

BERT = Layout((1,), (2,), (2,), 0)
ROBERTA = Layout((1,), (2, 2), (2,), 0)


def ragged(rows):
    values = np.concatenate([np.array(row, "int32") for row in rows])
    return packing.Ragged(values, np.array([len(row) for row in rows]))


def rows_of(packed):
    return [row.tolist() for row in np.split(packed.values, packed.starts[1:])]


def test_ranges():
    found = packing.ranges(np.array([5, 0, 9]), np.array([2, 0, 3]))
    assert found.tolist() == [5, 6, 9, 10, 11]


@pytest.mark.parametrize(
    ("first", "second", "budget", "kept"),
    [
        (3, 4, 7, (3, 4)),
        (9, 9, 6, (3, 3)),
        (9, 9, 7, (4, 3)),
        (2, 9, 7, (2, 5)),
        (9, 1, 7, (6, 1)),
        (9, 0, 7, (7, 0)),
        (0, 9, 7, (0, 7)),
    ],
)
def test_texts_take_turns(first, second, budget, kept):
    lengths = [np.array([first]), np.array([second])]
    found = packing.kept_lengths(lengths, budget, "round_robin")
    assert tuple(int(length[0]) for length in found) == kept


def test_one_text():
    texts = [ragged([[5, 6, 7], [], [8]])]
    packed, first = packing.pack(texts, BERT, sequence_length=4)
    assert rows_of(packed) == [[1, 5, 6, 2], [1, 2], [1, 8, 2]]
    assert packed.values.dtype == np.int32
    assert first.tolist() == [4, 2, 3]


def test_two_texts():
    texts = [ragged([[5, 6, 7], [5], []]), ragged([[8, 9], [], [8, 9, 9, 9]])]
    packed, first = packing.pack(texts, BERT, sequence_length=6)
    assert rows_of(packed) == [
        [1, 5, 6, 2, 8, 2],
        [1, 5, 2, 2],
        [1, 2, 8, 9, 9, 2],
    ]
    assert first.tolist() == [4, 3, 2]


def test_waterfall_serves_the_first_text_first():
    lengths = [np.array([9, 2, 5]), np.array([9, 9, 9])]
    found = packing.kept_lengths(lengths, 7, "waterfall")
    assert [length.tolist() for length in found] == [[7, 2, 5], [0, 5, 2]]


def test_two_separators():
    texts = [ragged([[5, 6, 7], []]), ragged([[8, 9], [8, 9, 9, 9]])]
    packed, first = packing.pack(texts, ROBERTA, sequence_length=7)
    assert rows_of(packed) == [[1, 5, 6, 2, 2, 8, 2], [1, 2, 2, 8, 9, 9, 2]]
    assert first.tolist() == [5, 3]


def test_no_rows():
    empty = packing.Ragged(np.zeros(0, "int32"), np.zeros(0, "int64"))
    packed, first = packing.pack([empty, empty], ROBERTA, sequence_length=7)
    assert len(packed.values) == len(packed.lengths) == len(first) == 0
