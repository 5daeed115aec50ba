"""Several sets of examples, or tasks, as one."""

import pytest

from keras_distill import tasks
from keras_distill.tasks import Examples


def test_concatenate_pairs():
    found = tasks.concatenate(
        Examples((["a"], ["b"]), labels=[2], ids=[9]),
        Examples((["c", "d"], ["e", "f"]), labels=[0, 1], ids=[9, 9]),
    )
    assert found.texts == (["a", "c", "d"], ["b", "e", "f"])
    assert found.labels.tolist() == [2, 0, 1]
    assert found.ids.tolist() == [0, 1, 2]


def test_concatenate_unlabelled_and_scores():
    part = Examples((["a"],))
    assert tasks.concatenate(part, part).labels is None
    part = Examples((["a"],), labels=[0.5])
    assert tasks.concatenate(part, part).labels.dtype == "float32"


def test_concatenate_several_labels():
    part = Examples((["a"],), labels=[[1, 0]])
    assert tasks.concatenate(part, part).labels.tolist() == [[1, 0], [1, 0]]
    wider = Examples((["a"],), labels=[[1, 0, 1]])
    with pytest.raises(ValueError, match="several labels of 3 classes"):
        tasks.concatenate(part, wider)


@pytest.mark.parametrize(
    "other",
    [
        Examples((["a"],)),
        Examples((["a"],), labels=[1.0]),
        Examples((["a"], ["b"]), labels=[1]),
        Examples((["a"],), labels=[[1, 0]]),
    ],
)
def test_parts_of_different_kinds(other):
    with pytest.raises(ValueError, match="1 text columns and classes; "):
        tasks.concatenate(Examples((["a"],), labels=[1]), other)


def test_nothing_to_concatenate():
    with pytest.raises(ValueError, match="at least one"):
        tasks.concatenate()


def test_joined_splits_are_those_of_each_task_that_has_them():
    rte, mrpc = tasks.get_task("rte"), tasks.get_task("qnli")
    splits = [
        {"train": Examples((["a"], ["b"]), [0])},
        {
            "train": Examples((["c"], ["d"]), [1]),
            "dev": Examples((["e"], ["f"]), [1]),
        },
    ]
    task, joined = tasks.join_tasks((rte, splits[0]), (mrpc, splits[1]))
    assert task.name == "rte+qnli"
    assert task.metrics == rte.metrics
    assert list(joined) == ["train", "dev"]
    assert joined["train"].labels.tolist() == [0, 1]
    assert joined["dev"].texts == (["e"], ["f"])
    with pytest.raises(ValueError, match="no split 'test' in the joined tasks"):
        joined["test"]


@pytest.mark.parametrize("name", ["rte+wnli", "rte+mnli", "sst2+stsb"])
def test_other_labels_are_refused(name):
    with pytest.raises(ValueError, match="same label names in the same order"):
        tasks.get_task(name)


def test_other_numbers_of_texts_are_refused():
    one = tasks.Task("one", ("text",), ("no", "yes"), ("accuracy",), 64)
    two = tasks.Task("two", ("a", "b"), ("no", "yes"), ("accuracy",), 64)
    with pytest.raises(ValueError, match="one with 1 and two with 2"):
        tasks.join_tasks((one, {}), (two, {}))


def test_one_task_is_not_joined():
    with pytest.raises(ValueError, match="at least two tasks"):
        tasks.join_tasks((tasks.get_task("rte"), {}))


@pytest.mark.parametrize("name", ["rte+", "+", "rte+none"])
def test_unknown_names(name):
    for function in (tasks.get_task, tasks.load):
        with pytest.raises(ValueError, match="`name` must be one of"):
            function(name)


def test_other_kinds_are_not_joined():
    names = ("no", "yes")
    one = tasks.Task("one", ("text",), names, ("accuracy",), 16)
    several = tasks.MultiLabelTask(
        "several", ("text",), names, ("micro_f1",), 16
    )
    with pytest.raises(ValueError, match="a classification, and several"):
        tasks.join_tasks((one, {}), (several, {}))
