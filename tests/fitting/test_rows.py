"""Parts and orders of tokenised rows."""

import numpy as np
import pytest

from keras_distill.fitting.rows import by_length
from keras_distill.fitting.rows import split


class Rows:
    """Rows that are told by their lengths."""

    def __init__(self, lengths):
        self.lengths = np.array(lengths)

    def __len__(self):
        return len(self.lengths)

    def select(self, rows):
        return Rows(self.lengths[rows])


def test_the_last_rows_are_held_out():
    train, held_out = split(Rows(range(10)), 0.25)
    # Keras rounds down what is left.
    assert list(train.lengths) == list(range(7))
    assert list(held_out.lengths) == [7, 8, 9]


@pytest.mark.parametrize("share", [1.0, -0.5, 0.999, "a"])
def test_a_share_that_leaves_nothing(share):
    with pytest.raises((TypeError, ValueError), match="validation_split"):
        split(Rows([1, 2]), share)


def test_rows_that_are_counted_stay_in_order():
    rows = Rows([2, 5, 3])
    assert list(by_length(rows, None).lengths) == [5, 3, 2]
    assert list(by_length(rows, 1).lengths) == [2, 5, 3]
