"""Rows in batches of similar length, in the order of a plan."""

import itertools

import keras
import numpy as np
import pytest

from keras_distill.data.tokenized.batching import BatchSequence
from keras_distill.data.tokenized.batching import make_batches
from keras_distill.data.tokenized.batching import make_group_batches
from keras_distill.data.tokenized.batching import num_group_batches

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


GROUPS = np.split(
    np.arange(1003), np.cumsum(np.random.RandomState(1).randint(1, 12, 160))
)
GROUPS = [rows for rows in GROUPS if len(rows)]


@pytest.mark.parametrize("size", [1, 8, 32, 5000])
@pytest.mark.parametrize("shuffle", [False, True])
def test_groups_are_never_parted(size, shuffle):
    batches = make_group_batches(LENGTHS, GROUPS, size, shuffle)
    largest = max(map(len, GROUPS))
    assert len(batches) == num_group_batches(GROUPS, size)
    assert len(batches) == min(-(-1003 // size), 1003 // largest)
    of_row = np.empty(1003, int)
    for number, rows in enumerate(batches):
        assert 0 < len(rows) < max(size, largest) + largest
        of_row[rows] = number
    assert sorted(np.concatenate(batches)) == list(range(1003))
    assert all(len(set(of_row[rows])) == 1 for rows in GROUPS)


def test_groups_of_one_size_fill_batches():
    pairs = np.arange(12).reshape(6, 2)
    batches = make_group_batches(LENGTHS, list(pairs), 4)
    assert [rows.tolist() for rows in batches] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
    ]


def test_groups_are_shuffled_by_seed_and_epoch():
    def order(**arguments):
        batches = make_group_batches(LENGTHS, GROUPS, 16, True, **arguments)
        return [sorted(rows.tolist()) for rows in batches]

    assert order(seed=1, epoch=2) == order(seed=1, epoch=2)
    for other in ({"seed": 1, "epoch": 3}, {"seed": 2, "epoch": 2}):
        same = [rows in order(**other) for rows in order(seed=1, epoch=2)]
        assert sum(same) < 5


def test_no_rows():
    empty = np.zeros(0, dtype="int64")
    assert make_batches(empty, 8) == []
    assert make_batches(empty, 8, shuffle=True) == []


@pytest.fixture
def sequence():
    """Three batches; in epoch 5 they are 50, 51 and 52."""
    return BatchSequence(
        lambda epoch: [10 * epoch + place for place in range(3)],
        lambda entry: np.full((1, 1), float(entry)),
        initial_epoch=5,
    )


def entries(batches):
    return [int(batch[0, 0]) for batch in batches]


def test_iterations_are_epochs(sequence):
    assert len(sequence) == 3
    assert entries(sequence) == [50, 51, 52]
    assert entries(sequence) == [60, 61, 62]


def test_an_iteration_given_up_is_no_epoch(sequence):
    for taken in (1, 2):
        assert entries(itertools.islice(sequence, taken)) == [50, 51][:taken]
    assert entries(sequence) == [50, 51, 52]


def test_an_iteration_whose_end_nobody_saw_is_an_epoch(sequence):
    assert entries(itertools.islice(sequence, 3)) == [50, 51, 52]
    assert entries(sequence) == [60, 61, 62]


def test_keras_does_not_change_the_order(sequence):
    places = (2, 0, 1, 1)
    assert entries(sequence[place] for place in places) == [50, 51, 52, 60]


def test_what_keras_gives_up_is_no_epoch(sequence):
    sequence.on_epoch_begin()
    entries([sequence[0]])
    sequence.on_epoch_end()
    assert entries(sequence) == [50, 51, 52]


def test_no_batches():
    empty = BatchSequence(lambda epoch: [], str)
    assert list(empty) == list(empty) == []


def test_keras_takes_it(sequence):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    assert keras.Model.predict(model, sequence, verbose=0)[:, 0].tolist() == [
        50,
        51,
        52,
    ]
