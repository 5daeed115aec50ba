"""The best of several teachers by named tasks."""

import pytest

from keras_distill import teachers

SCORES = {
    "cased 0.1": {"mnli": 0.8610, "rte": 0.7800, "cola": 0.60},
    "cased 0.2": {"mnli": 0.8600, "rte": 0.7910, "cola": 0.58},
    "cased 0.3": {"mnli": 0.8510, "rte": 0.7900, "cola": 0.70},
    "uncased 0.1": {"mnli": 0.8580, "rte": 0.8010, "cola": 0.61},
    "uncased 0.2": {"mnli": 0.7910, "rte": 0.8600, "cola": 0.10},
    "uncased 0.3": {"mnli": 0.8000, "rte": 0.7000, "cola": 0.99},
}


def test_the_best_by_the_mean_of_named_tasks_are_chosen():
    found = teachers.select_members(SCORES, 3, ("mnli", "rte"))

    # The second and the third are equal: the first of them comes first.
    assert found == ["uncased 0.1", "cased 0.2", "uncased 0.2"]
    backwards = dict(reversed(SCORES.items()))
    found = teachers.select_members(backwards, 3, ("mnli", "rte"))
    assert found == ["uncased 0.1", "uncased 0.2", "cased 0.2"]


def test_all_tasks_count_where_none_is_named():
    assert teachers.select_members(SCORES, 1) == ["uncased 0.3"]
    assert teachers.select_members(SCORES, 1, "cola") == ["uncased 0.3"]


@pytest.mark.parametrize(
    ("scores", "count", "tasks", "message"),
    [
        (SCORES, 7, None, "at most the 6 teachers"),
        (SCORES, 0, None, "`count`"),
        (SCORES, 1, "mnl", r"'mnl' \(did you mean 'mnli'"),
        ({"a": {"rte": 0.5}, "b": {"mnli": 0.5}}, 1, None, "'a'.* on 'mnli'"),
        ({"a": {"rte": float("nan")}}, 1, None, "numbers. Received: nan"),
        ({}, 1, None, "dict of the name"),
        ([0.5], 1, None, "dict of the name"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(
    scores, count, tasks, message
):
    with pytest.raises(ValueError, match=message):
        teachers.select_members(scores, count, tasks)
