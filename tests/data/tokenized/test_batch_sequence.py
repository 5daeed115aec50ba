"""Batches for `fit` where there is no tf.data."""

import itertools

import keras
import numpy as np
import pytest

from keras_distill.data.tokenized.batch_sequence import BatchSequence


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
