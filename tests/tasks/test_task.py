"""What a task says about itself."""

import dataclasses

import numpy as np
import pytest

from keras_distill import tasks
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
    assert task.kind == "classification"
    assert task.num_outputs == 3
    assert task.selection_metric == "accuracy"


def test_regression():
    task = make_task(label_names=None, metrics=("pearson",))
    assert task.kind == "regression"
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


def test_names_are_kept_as_tuples():
    task = make_task(
        text_columns=["sentence"],
        label_names=np.array(["sad", "glad", "calm"]),
        metrics=["accuracy", "macro_f1"],
    )
    assert task == make_task()
    assert {type(name) for name in task.label_names} == {str}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"sad", "glad"}, r"no order; sort it: \['glad', 'sad'\]"),
        ("sad", "a plain string"),
        ((0, 1), "name 0 is of type int"),
        (("sad", None), "name 1 is of type NoneType"),
        (("sad", "sad"), "with 'sad' twice"),
        (("sad", " glad"), "name 1 is padded with spaces"),
        (("sad", ""), "name 1 is empty"),
        (("sad",), "at least two different strings"),
        (2, "Received: label_names=2"),
        ({0: "sad", 1: "glad"}, "id2label"),
    ],
)
def test_label_names_that_cannot_be(names, message):
    with pytest.raises(ValueError, match=message):
        make_task(label_names=names)
    with pytest.raises(ValueError, match=message):
        tasks.load_folder("nowhere", ("text",), names)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("text_columns", "sentence"),
        ("text_columns", ("sentence", "sentence")),
        ("text_columns", (1,)),
        ("sequence_length", 0),
        ("sequence_length", 2),
        ("sequence_length", 64.0),
        ("sequence_length", None),
        ("sequence_length", "64"),
        ("sequence_length", True),
        ("name", None),
    ],
)
def test_other_arguments_that_cannot_be(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be"):
        make_task(**{argument: value})


@pytest.mark.parametrize(
    "labels",
    [
        ["glad", "sad"],
        np.array([b"glad", b"sad"]),
        [" glad ", "0"],
        [1.0, 0.0],
        [True, False],
        np.array([1, 0], dtype=object),
    ],
)
def test_labels_are_encoded(labels):
    encoded = make_task().encode_labels(labels)
    assert encoded.tolist() == [1, 0]
    assert encoded.dtype == np.int32


def test_scores_are_encoded():
    scores = make_task(label_names=None, metrics=["pearson"])
    assert scores.encode_labels([1, 2]).dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["glad", "Sad"], "row 1: unknown label 'Sad'.*Did you mean 'sad'"),
        (["glad", None], "row 1: unknown label ''.*without a label"),
        ([0, 3], "from 0 to 2.* Received: 3 in row 1"),
        ([0, -1], "-1 in row 1; -1 marks rows without a label"),
        ([1, 2, 3], "3 in row 2; classes count from 0"),
        ([0, 0.5], "0.5 in row 1"),
    ],
)
def test_labels_that_are_no_class(labels, message):
    with pytest.raises(ValueError, match=message):
        make_task().encode_labels(labels)
