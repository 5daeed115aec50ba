"""What a task says about itself."""

import dataclasses
import json

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


def test_it_goes_through_json():
    for task in (
        make_task(),
        tasks.get_task("stsb"),
        tasks.tagging_task("names", ["O", "B-PER"]),
    ):
        text = json.dumps(task.to_config())
        assert Task.from_config(json.loads(text)) == task


def test_a_part_is_held_out_by_a_seed():
    examples = tasks.Examples((list("abcdefghij"),), list(range(2)) * 5)
    train, dev = make_task().hold_out(examples, share=0.2, seed=3)
    assert len(train) == 8 and len(dev) == 2
    drawn = np.sort(np.random.default_rng(3).permutation(10)[:2])
    assert dev.ids.tolist() == drawn.tolist()
    assert sorted([*train.ids, *dev.ids]) == list(range(10))
    assert len(make_task().hold_out(examples, minimum=4)[1]) == 4
    with pytest.raises(ValueError, match="more than the 10 that are held out"):
        make_task().hold_out(examples, minimum=10)
    with pytest.raises(ValueError, match="`share` must be between 0 and 1"):
        make_task().hold_out(examples, share=1.0)


def test_rows_become_examples():
    task = make_task()
    table = {"sentence": ["a", "b"], "label": ["glad", "sad"], "other": [0, 0]}
    examples = task.as_examples(table)
    assert examples.texts == (["a", "b"],)
    assert examples.labels.tolist() == [1, 0]
    assert task.as_examples(["a", "b"]).texts == (["a", "b"],)
    assert task.as_examples((["a", "b"],)).texts == (["a", "b"],)
    pairs = make_task(text_columns=("a", "b"))
    assert pairs.as_examples([("x", "y"), ("u", "v")]).texts == (
        ["x", "u"],
        ["y", "v"],
    )
    with pytest.raises(ValueError, match="without 'sentence'; it has text"):
        task.as_examples({"text": ["a"]})
    with pytest.raises(ValueError, match="Received: 2 text columns"):
        task.as_examples(tasks.Examples((["a"], ["b"])))
