"""Opens a task by its name, or several with the same labels as one."""

import dataclasses
import functools
import os
import sys

from keras_distill.checks.arguments import did_you_mean
from keras_distill.data.readers.reading import Reading
from keras_distill.data.splits import Splits
from keras_distill.tasks.film_reviews import FILM_REVIEWS
from keras_distill.tasks.film_reviews import load_film_reviews
from keras_distill.tasks.folder_tasks import FOLDER_TASKS
from keras_distill.tasks.folder_tasks import load_folder_task
from keras_distill.tasks.glue import GLUE_TASKS
from keras_distill.tasks.glue import load_glue
from keras_distill.tasks.task import Task
from keras_distill.tasks.task_file import is_task_file
from keras_distill.tasks.task_file import load_task_file

# An environment variable: how many rows of each split `load` gives at most.
MAX_EXAMPLES = "KERAS_DISTILL_MAX_EXAMPLES"

_TASKS = {FILM_REVIEWS.name: FILM_REVIEWS, **GLUE_TASKS, **FOLDER_TASKS}
# Between the names of tasks that are joined.
_AND = "+"


def task_names():
    """Returns the names that `load` knows, the default task first."""
    return tuple(_TASKS)


def get_task(name):
    """Returns a task without its data.

    Args:
        name: string. One of `task_names()`, the path of a file as
            `load_task_file` reads it, or several with the same labels joined
            by `+`; a `Task` itself is returned as it is.

    Returns:
        `Task`.

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(name, Task):
        return name
    _check_is_string(name)
    if _AND in name:
        return joined_task(*map(get_task, name.split(_AND)))
    if is_task_file(name):
        return load_task_file(name, quiet=True)[0]
    _check_name(name)
    return _TASKS[name]


def load(
    name,
    data_dir=None,
    tfds_data_dir=None,
    encoding=None,
    skip_bad_rows=False,
):
    """Opens the data of a task.

    Nothing is read before a split is asked for. With the environment variable
    `KERAS_DISTILL_MAX_EXAMPLES` each split is cut to its first so many rows,
    which is said: a script is tried out in seconds as it stands.

    Args:
        name: string. One of `task_names()`; the path of a file that ends in
            `.json` and says what a task of yours is, as `load_task_file`
            reads it; or several with the same labels joined by `+`, such as
            `"litl+wiki_crowd_nli+cad_snli"`; see `join_tasks`.
        data_dir: string or path. For GLUE: the folder that holds `SST-2`,
            `CoLA` and so on, or the task's own folder, with `train.tsv` or
            `train.tsv.gz` and so on. Defaults to `None`, which takes GLUE
            from TensorFlow Datasets. For litl, wiki_crowd_nli, cad_snli and
            boolq, which need it: the folder that holds `litl`,
            `wiki_crowd_nli`, `cad_snli` or `BoolQ`, or the task's own, with
            `train.jsonl` or `train.tsv`, plain or `.gz`, and so on; for
            qnli_ranking the one that holds `squad`, or a file of it, as
            `load_squad_ranking` takes them. A folder that holds `glue`,
            `nli`, `superglue` and `squad` serves all of them.
        tfds_data_dir: string or path. For GLUE without `data_dir`: where
            TensorFlow Datasets keeps its files. Defaults to `None`, its own
            default.
        encoding: string. The encoding of files in `data_dir` without byte
            order mark, such as `"cp1252"`. Defaults to `None`: UTF-8.
        skip_bad_rows: bool. Whether to leave out rows of files in `data_dir`
            that cannot be read, which is told on standard error with their
            number and the first of them. Defaults to `False`: the first one
            raises.

    Returns:
        A `Task` and a mapping of split name to `Examples`. The splits are
        `"train"`, `"dev"` and, where there is one, `"test"`; MNLI has
        `"dev_matched"`, `"dev_mismatched"`, `"test_matched"` and
        `"test_mismatched"` instead of the last two.

    Raises:
        ValueError: an unknown name, missing or bad data.

    Example:

    ```python
    import keras_distill

    task, splits = keras_distill.tasks.load("film_reviews")
    train, dev = splits["train"], splits["dev"]
    print(task.label_names, len(train), dev.texts[0][0], dev.labels[0])
    ```
    """
    task, splits = _load_whole(
        name, data_dir, tfds_data_dir, Reading(encoding, None, skip_bad_rows)
    )
    return task, _cut_as_asked(splits)


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
        name: functools.partial(
            _read_joined, task, name, [splits for _, splits in loaded]
        )
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
        if part.kind != first.kind:
            raise ValueError(
                "Only tasks of the same kind can be joined. Received: "
                f"{first.name}, a {first.kind}, and {part.name}, a {part.kind}."
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


def _read_joined(task, name, all_splits):
    return task.concatenate(
        [splits[name] for splits in all_splits if name in splits]
    )


def _load_whole(name, data_dir, tfds_data_dir, reading):
    """`load` without the environment variable."""
    _check_is_string(name)
    names = name.split(_AND)
    for part in names:
        if not is_task_file(part):
            _check_name(part)
    if len(names) > 1:
        return join_tasks(
            *(
                _load_whole(part, data_dir, tfds_data_dir, reading)
                for part in names
            )
        )
    if is_task_file(name):
        if (data_dir, tfds_data_dir, reading) != (None, None, Reading()):
            raise ValueError(
                f"{name} says itself where its data lie and how they are read. "
                f"Received: data_dir={data_dir!r}, tfds_data_dir="
                f"{tfds_data_dir!r}, encoding={reading.encoding!r}, "
                f"skip_bad_rows={reading.skip_bad_rows!r} besides; leave them "
                "out."
            )
        return load_task_file(name)
    if data_dir is None and reading != Reading():
        raise ValueError(
            "`encoding` and `skip_bad_rows` are about files in `data_dir`. "
            f"Received: encoding={reading.encoding!r}, "
            f"skip_bad_rows={reading.skip_bad_rows!r} without `data_dir`."
        )
    if name in GLUE_TASKS:
        return load_glue(
            name,
            data_dir,
            tfds_data_dir,
            reading.encoding,
            reading.skip_bad_rows,
        )
    if name in FOLDER_TASKS:
        if tfds_data_dir is not None:
            raise ValueError(
                f"The task {name} is not in TensorFlow Datasets in this form; "
                f"give `data_dir`. Received: tfds_data_dir={tfds_data_dir!r}."
            )
        return load_folder_task(name, data_dir, reading)
    if data_dir is not None or tfds_data_dir is not None:
        raise ValueError(
            "film_reviews lies in a package and takes neither `data_dir` nor "
            "`tfds_data_dir`; leave them out or name a GLUE task. "
            f"Received: data_dir={data_dir!r}, "
            f"tfds_data_dir={tfds_data_dir!r}."
        )
    return load_film_reviews()


def _cut_as_asked(splits):
    """Cuts each split to what `MAX_EXAMPLES` says, if it says anything."""
    text = os.environ.get(MAX_EXAMPLES)
    if not text:
        return splits
    if not text.isdecimal() or not int(text):
        raise ValueError(
            f"The environment variable {MAX_EXAMPLES} must be a number of "
            f"rows of 1 or more. Received: {MAX_EXAMPLES}={text!r}. Unset it "
            "to read all rows."
        )
    count = int(text)
    print(
        f"{MAX_EXAMPLES}: each split is cut to its first {count} rows",
        file=sys.stderr,
    )

    def reader(name):
        return lambda: splits[name].take(count)

    return Splits({name: reader(name) for name in splits}, repr(splits))


def _check_is_string(name):
    if not isinstance(name, str):
        raise ValueError(
            f"`name` must be a string, several tasks joined by {_AND!r}. "
            f"Received: name={name!r}."
        )


def _check_name(name):
    if name not in _TASKS:
        # The folder SST-2 holds the task sst2.
        plain = name.casefold().replace("-", "").replace("_", "")
        raise ValueError(
            f"`name` must be one of {', '.join(_TASKS)}. Received: {name!r}."
            f"{did_you_mean(plain, _TASKS)}"
        )
