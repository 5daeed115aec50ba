"""How many texts each class gets."""

import numpy as np
import pytest

from keras_distill.corpora.retrieval.shares import class_counts

LABELS = np.array([0, 0, 0, 2])


@pytest.mark.parametrize(
    "num_texts, balance, expected",
    [
        (10, "equal", [5, 0, 5]),
        (11, "equal", [6, 0, 5]),
        (8, "examples", [6, 0, 2]),
        (10, "examples", [8, 0, 2]),
        (9, [1, 0, 2], [3, 0, 6]),
        (1, (0.5, 0, 0.5), [1, 0, 0]),
        (7, np.array([0, 0, 3.5]), [0, 0, 7]),
    ],
)
def test_counts(num_texts, balance, expected):
    counts = class_counts(num_texts, balance, LABELS)
    assert counts.tolist() == expected


def test_counts_add_up():
    random = np.random.RandomState(0)
    labels = np.arange(7)
    for _ in range(200):
        num_texts = random.randint(1, 1000)
        shares = random.rand(7)
        counts = class_counts(num_texts, shares, labels)
        assert counts.sum() == num_texts
        assert (np.abs(counts - num_texts * shares / shares.sum()) < 1).all()


@pytest.mark.parametrize(
    "balance",
    [
        "even",
        [1, 1],
        [1, 0, -1],
        [0, 0, 0],
        [1, 0, "many"],
        3,
        None,
        [1, 0, float("nan")],
    ],
)
def test_bad_balance(balance):
    with pytest.raises(ValueError, match="`label_balance` must be"):
        class_counts(5, balance, LABELS)


def test_a_class_without_examples():
    with pytest.raises(ValueError, match="without examples: class 1"):
        class_counts(5, [1, 1, 1], LABELS)
