"""Batches of rows of similar length."""

import numpy as np
import pytest

from keras_distill.data.tokenized.length_buckets import make_batches

LENGTHS = np.random.RandomState(0).randint(3, 60, size=1003)


def test_order_is_kept_without_shuffle():
    batches = make_batches(np.array([5, 3, 9, 1, 4]), batch_size=2)
    assert [batch.tolist() for batch in batches] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_row_once(shuffle):
    batches = make_batches(LENGTHS, batch_size=8, shuffle=shuffle)
    rows = np.concatenate(batches)
    assert sorted(rows.tolist()) == list(range(len(LENGTHS)))
    assert sorted(map(len, batches)) == [3] + [8] * 125


@pytest.mark.parametrize("shuffle", [False, True])
def test_remainder_can_be_dropped(shuffle):
    batches = make_batches(
        LENGTHS, batch_size=8, shuffle=shuffle, drop_remainder=True
    )
    assert [len(batch) for batch in batches] == [8] * 125
    assert len(np.unique(np.concatenate(batches))) == 1000


def test_shuffled_batches_have_little_padding():
    def padding(batches):
        places = sum(len(rows) * LENGTHS[rows].max() for rows in batches)
        return 1 - LENGTHS.sum() / places

    assert padding(make_batches(LENGTHS, 8)) > 0.3
    assert padding(make_batches(LENGTHS, 8, shuffle=True)) < 0.1


def test_order_is_fixed_by_seed_and_epoch():
    def order(**arguments):
        batches = make_batches(LENGTHS, 8, shuffle=True, **arguments)
        return np.concatenate(batches).tolist()

    assert order(seed=1, epoch=2) == order(seed=1, epoch=2)
    assert order(seed=1, epoch=2) != order(seed=1, epoch=3)
    assert order(seed=1, epoch=2) != order(seed=2, epoch=2)


def test_batches_of_a_small_set_differ_between_epochs():
    lengths = np.arange(40)

    def groups(epoch):
        batches = make_batches(lengths, 4, shuffle=True, epoch=epoch)
        return {frozenset(batch.tolist()) for batch in batches}

    assert len(groups(0) & groups(1)) < 5


def test_batches_do_not_come_sorted_by_length():
    batches = make_batches(LENGTHS, 8, shuffle=True)
    means = [LENGTHS[batch].mean() for batch in batches]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


def test_no_rows():
    empty = np.zeros(0, dtype="int64")
    assert make_batches(empty, 8) == []
    assert make_batches(empty, 8, shuffle=True) == []
