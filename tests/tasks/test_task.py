"""What a task says about itself."""

import dataclasses

import pytest

from keras_distill.tasks import Task


def make_task(**changes):
    arguments = {
        "name": "mood",
        "text_columns": ("sentence",),
        "label_names": ("sad", "glad", "calm"),
        "metrics": ("accuracy", "f1"),
        "sequence_length": 64,
    }
    return Task(**{**arguments, **changes})


def test_classification():
    task = make_task()
    assert not task.is_regression
    assert task.num_outputs == 3
    assert task.selection_metric == "accuracy"


def test_regression():
    task = make_task(label_names=None)
    assert task.is_regression
    assert task.num_outputs == 1


def test_is_frozen_and_comparable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_task().name = "other"
    assert make_task() == make_task()
    assert make_task(name="other") != make_task()


@pytest.mark.parametrize("columns", [(), ("a", "b", "c")])
def test_one_or_two_texts(columns):
    with pytest.raises(ValueError, match="one or two texts. Received"):
        make_task(text_columns=columns)


def test_needs_a_metric():
    with pytest.raises(ValueError, match="`metrics` must name"):
        make_task(metrics=())
