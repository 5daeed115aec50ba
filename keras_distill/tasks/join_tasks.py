"""Several tasks with the same labels as one."""

import dataclasses
import functools

from keras_distill.data.concatenate import concatenate
from keras_distill.data.splits import Splits


def join_tasks(*loaded):
    """Joins tasks that have the same labels, such as several sets of NLI.

    A split of the joined task is that split of each task that has it, one
    after the other.

    Args:
        *loaded: pairs of a `Task` and its splits, as `load` returns them.

    Returns:
        A `Task`, named such as `"litl+cad_snli"` and for the rest as the
        first one, but with the largest `sequence_length`, and a mapping of
        split name to `Examples`.

    Raises:
        ValueError: fewer than two tasks, or tasks with other label names, in
            another order, or another number of texts.

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.get_task("rte")
    >>> splits = {"train": tasks.Examples((["a"], ["b"]), labels=[1])}
    >>> joined, both = tasks.join_tasks((task, splits), (task, splits))
    >>> joined.name, both["train"].labels
    ('rte+rte', array([1, 1], dtype=int32))
    """
    if len(loaded) < 2:
        raise ValueError(
            f"`loaded` must hold at least two tasks. Received: {len(loaded)}."
        )
    task = joined_task(*(task for task, _ in loaded))
    names = dict.fromkeys(name for _, splits in loaded for name in splits)
    readers = {
        name: functools.partial(_read, name, [splits for _, splits in loaded])
        for name in names
    }
    return task, Splits(readers, f"the joined tasks {task.name}")


def joined_task(*parts):
    """Returns the task that several with the same labels make together.

    Args:
        *parts: `Task`s.

    Returns:
        `Task`.

    Raises:
        ValueError: other label names, or another number of texts.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.label_names != first.label_names:
            raise ValueError(
                "Only tasks with the same label names in the same order can "
                f"be joined. Received: {first.name} with {first.label_names} "
                f"and {part.name} with {part.label_names}."
            )
        if len(part.text_columns) != len(first.text_columns):
            raise ValueError(
                "Only tasks with equally many texts can be joined. Received: "
                f"{first.name} with {len(first.text_columns)} and "
                f"{part.name} with {len(part.text_columns)}."
            )
    return dataclasses.replace(
        first,
        name="+".join(part.name for part in parts),
        sequence_length=max(part.sequence_length for part in parts),
    )


def _read(name, all_splits):
    return concatenate(
        *(splits[name] for splits in all_splits if name in splits)
    )
