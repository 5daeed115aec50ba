"""Batches of several tasks: each one's alone, every example once an epoch."""

import collections

import numpy as np
import pytest

from keras_distill.data import AnnealedMixing
from keras_distill.data import Examples
from keras_distill.data import MainTaskMixing
from keras_distill.data import MultiTaskExamples
from keras_distill.data import TokenizedExamples

SIZES = {"mnli": 21, "rte": 9, "cola": 4}
# Batches of 4, the last one short.
BATCHES = {"mnli": 6, "rte": 3, "cola": 1}


@pytest.fixture(scope="module")
def rows(tokenizer):
    """Rows of 3 to 11 tokens; the label is the number of the row."""

    def make(size):
        lengths = np.random.RandomState(size).randint(1, 10, size)
        texts = [" ".join(["film"] * length) for length in lengths]
        examples = Examples((texts,), labels=np.arange(size))
        return TokenizedExamples(examples, tokenizer, sequence_length=16)

    return {task: make(size) for task, size in SIZES.items()}


@pytest.fixture(scope="module")
def examples(rows):
    return MultiTaskExamples(rows)


def passes(batches, count=1):
    """Pairs of a task and its labels, of each pass."""
    return [
        [
            (task, tuple(batch[1].tolist()))
            for each in batches
            for task, batch in each.items()
        ]
        for _ in range(count)
    ]


def labels_of(turns):
    found = collections.defaultdict(list)
    for task, labels in turns:
        found[task] += labels
    return {task: sorted(labels) for task, labels in found.items()}


ALL = {task: list(range(size)) for task, size in SIZES.items()}


def test_every_example_of_every_task_has_its_turn_once_an_epoch(examples):
    batches = examples.batches(4, shuffle=True, seed=5)
    assert len(batches) == examples.num_batches(4) == 10
    assert examples.counts(4) == BATCHES
    assert examples.sequence_length == 16
    first, second = passes(batches, 2)
    for turns in (first, second):
        assert collections.Counter(task for task, _ in turns) == BATCHES
        assert labels_of(turns) == ALL
    # Other rows stand together, and the tasks take turns otherwise.
    assert {frozenset(y) for t, y in first if t == "mnli"} != {
        frozenset(y) for t, y in second if t == "mnli"
    }
    assert [task for task, _ in first] != [task for task, _ in second]
    # No order of one task after the other.
    assert [task for task, _ in first] != sorted(t for t, _ in first)


def test_the_order_follows_from_seed_and_epoch(examples):
    two = passes(examples.batches(4, shuffle=True, seed=5), 2)
    assert passes(examples.batches(4, shuffle=True, seed=5), 2) == two
    assert passes(examples.batches(4, shuffle=True, seed=6)) != two[:1]
    later = examples.batches(4, shuffle=True, seed=5, initial_epoch=1)
    assert passes(later) == two[1:]
    rest = examples.batches(
        4, shuffle=True, seed=5, initial_epoch=1, first_batch=7
    )
    assert len(rest) == 3
    assert passes(rest, 2) == [two[1][7:]] * 2


def test_a_pass_that_is_given_up_does_not_count(examples):
    batches = examples.batches(4, shuffle=True, seed=5)
    whole = passes(examples.batches(4, shuffle=True, seed=5))
    next(iter(batches))
    assert passes(batches) == whole
    batches.first("rte")
    assert passes(batches) != whole


def test_a_task_has_its_batches_as_if_it_were_alone(examples, rows):
    """By length, too: what is one task's does not depend on the others."""
    (turns,) = passes(examples.batches(4, shuffle=True, seed=5))
    alone = rows["mnli"].iterate(4, shuffle=True, seed=5)
    assert [labels for task, labels in turns if task == "mnli"] == [
        tuple(y.tolist()) for _, y in alone
    ]


def test_without_shuffle_one_task_comes_after_the_other(rows):
    # However they are mixed in training.
    examples = MultiTaskExamples(rows, MainTaskMixing("rte", 0.5))
    (turns,) = passes(examples.batches(4))
    assert [task for task, _ in turns] == ["mnli"] * 6 + ["rte"] * 3 + ["cola"]
    assert sum((y for t, y in turns if t == "mnli"), ()) == tuple(range(21))


@pytest.mark.parametrize(
    "mixing", [MainTaskMixing("rte", 1.5), AnnealedMixing(3)]
)
def test_no_example_comes_again_before_all_of_its_task_had_their_turn(
    rows, mixing
):
    examples = MultiTaskExamples(rows, mixing)
    batches = examples.batches(4, shuffle=True, seed=2)
    seen = {task: [] for task in SIZES}
    for epoch in range(4):
        (turns,) = passes(batches)
        assert len(turns) == len(batches) == examples.num_batches(4)
        counts = collections.Counter(task for task, _ in turns)
        assert counts == {
            task: count
            for task, count in examples.counts(4, epoch, seed=2).items()
            if count
        }
        # Within an epoch a task's own batches come in any order of theirs.
        for task, labels in turns:
            seen[task].append(labels)
    for task, pieces in seen.items():
        whole = BATCHES[task]
        for start in range(0, len(pieces) - whole + 1, whole):
            labels = sum(pieces[start : start + whole], ())
            assert sorted(labels) == list(range(SIZES[task]))
        assert len(pieces) > whole or isinstance(mixing, MainTaskMixing)


def test_rows_that_fill_no_batch_are_left_out(examples):
    batches = examples.batches(4, shuffle=True, drop_remainder=True)
    assert len(batches) == examples.num_batches(4, True) == 5 + 2 + 1
    assert {len(y) for _, y in passes(batches)[0]} == {4}
    with pytest.raises(ValueError, match="Task 'cola' has fewer rows than"):
        examples.batches(5, shuffle=True, drop_remainder=True)


def test_fingerprints_tell_rows_tasks_and_mixing(rows, examples):
    found = examples.fingerprints()
    assert found["rte/labels"] == rows["rte"].fingerprints()["labels"]
    others = [
        MultiTaskExamples(dict(reversed(rows.items()))),
        MultiTaskExamples(rows, AnnealedMixing(2)),
        MultiTaskExamples(rows, AnnealedMixing(3)),
    ]
    hashes = [one.fingerprints()["mixing"] for one in (examples, *others)]
    assert len(set(hashes)) == 4
    assert MultiTaskExamples(rows).fingerprints() == found


@pytest.mark.parametrize(
    "given, message",
    [
        ({}, "`examples` must be a dict of the name of a task"),
        ([1], "`examples` must be a dict of the name of a task"),
        ({"": 1}, "must have a name for each task. Received: ''"),
        ({"a": Examples((["x"],))}, "The examples of task 'a' must be token"),
    ],
)
def test_what_are_no_examples(given, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskExamples(given)


def test_what_cannot_be_mixed(rows):
    with pytest.raises(ValueError, match="hold rows of each task.*'rte'"):
        MultiTaskExamples({**rows, "rte": rows["rte"].select([])})
    with pytest.raises(ValueError, match="`mixing` must be a mixing"):
        MultiTaskExamples(rows, "annealed")
    with pytest.raises(ValueError, match="`main_task` must be one of the"):
        MultiTaskExamples(rows, MainTaskMixing("sst2", 1.0))
    with pytest.raises(ValueError, match="Task 'mnli': `fixed_length` must"):
        MultiTaskExamples(rows).batches(4, fixed_length=2)
