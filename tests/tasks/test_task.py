"""What a task says about itself."""

import dataclasses

import pytest

from keras_distill.tasks import Task


def make_task(**changes):
    arguments = {
        "name": "mood",
        "text_columns": ("sentence",),
        "label_names": ("sad", "glad", "calm"),
        "metrics": ("accuracy", "macro_f1"),
        "sequence_length": 64,
    }
    return Task(**{**arguments, **changes})


def test_classification():
    task = make_task()
    assert not task.is_regression
    assert task.num_outputs == 3
    assert task.selection_metric == "accuracy"


def test_regression():
    task = make_task(label_names=None, metrics=("pearson",))
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


def test_another_metric_selects():
    task = make_task().selected_by("macro_f1")
    assert task.metrics == ("macro_f1", "accuracy")
    assert make_task().selected_by("matthews").metrics[0] == "matthews"
    with pytest.raises(ValueError, match="two classes, for 3 classes"):
        task.selected_by("f1")
