"""The best of several trained teachers."""

import math

from keras_distill.checks.arguments import check_int
from keras_distill.checks.arguments import did_you_mean


def select_members(scores, count, tasks=None):
    """Chooses the best of several teachers by their scores.

    They are compared by the mean of their scores on some tasks. Among equal
    ones the first in `scores` is taken, whatever their names.

    Args:
        scores: dict of the name of a teacher to its scores on dev splits, a
            dict of task to number, of which more is better.
        count: int. How many to choose.
        tasks: Optional str or sequence of str. The tasks that count. Defaults
            to all, which must be the same for all teachers.

    Returns:
        list of names, the best first.

    Raises:
        ValueError: If there are fewer than `count`, or one has no score on a
            task, or one that is no number.

    Example:

    >>> from keras_distill import teachers
    >>> scores = {
    ...     "cased, 0.1": {"mnli": 0.861, "rte": 0.780, "cola": 0.60},
    ...     "cased, 0.2": {"mnli": 0.860, "rte": 0.791, "cola": 0.58},
    ...     "uncased, 0.1": {"mnli": 0.858, "rte": 0.801, "cola": 0.61},
    ... }
    >>> teachers.select_members(scores, 2, tasks=("mnli", "rte"))
    ['uncased, 0.1', 'cased, 0.2']
    """
    if not isinstance(scores, dict) or not scores:
        raise ValueError(
            "`scores` must be a dict of the name of a teacher to its scores. "
            f"Received: scores={scores!r}"
        )
    check_int("count", count, minimum=1)
    if count > len(scores):
        raise ValueError(
            f"`count` must be at most the {len(scores)} teachers of `scores`. "
            f"Received: count={count}"
        )
    if isinstance(tasks, str):
        tasks = (tasks,)
    named = tuple(tasks or dict.fromkeys(t for s in scores.values() for t in s))
    if not named:
        raise ValueError(
            "`scores` must have a score of each teacher. Received: none."
        )
    means = {
        name: math.fsum(_score(name, found, task) for task in named)
        / len(named)
        for name, found in scores.items()
    }
    # Sorting keeps the order of equal ones.
    return sorted(means, key=lambda name: -means[name])[:count]


def _score(name, found, task):
    if task not in found:
        raise ValueError(
            f"`scores[{name!r}]` has no score on {task!r}"
            f"{did_you_mean(task, found)}. Received: {', '.join(found)}"
        )
    value = float(found[task])
    if not math.isfinite(value):
        raise ValueError(
            f"`scores[{name!r}]` must hold numbers. Received: {value} on "
            f"{task!r}"
        )
    return value
