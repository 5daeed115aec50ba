"""Reads the splits of a task from tables, a file each."""

import dataclasses
import functools

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.column_names import find_column
from keras_distill.data.readers.labelled_rows import read_examples
from keras_distill.data.readers.labelled_rows import text_id
from keras_distill.data.readers.tables import column_names
from keras_distill.data.readers.tables import read_table


def table_readers(task, files, label_column, reading, separator=None):
    """How the splits of a task are read.

    Args:
        task: `Task`. Its `text_columns` are those of the files.
        files: dict of split name to `pathlib.Path`.
        label_column: str.
        reading: `Reading`.
        separator: str. What stands between several labels of a row. Defaults
            to `None`.

    Returns:
        dict of split name to a function that returns its `Examples`. Only
        `"test"` may lack the labels.
    """
    return {
        split: functools.partial(
            _read_split, task, split, path, label_column, reading, separator
        )
        for split, path in files.items()
    }


def _read_split(task, split, path, label_column, reading, separator):
    columns, parse = task.text_columns, None
    bad = BadRows(path, reading.skip_bad_rows)
    format_of_file = {
        "encoding": reading.encoding,
        "quoting": reading.quoting,
    }
    if reading.id_column is not None:
        columns = (*columns, reading.id_column)
    wanted = (*columns, label_column)
    names = column_names(path, columns=wanted, **format_of_file)
    if split != "test" or find_column(names, label_column) is not None:
        columns = wanted
        parse = task.label_parser(separator)
    rows = read_table(
        path,
        columns,
        bad=bad,
        optional=(label_column,),
        lists=(label_column,),
        **format_of_file,
    )
    examples = read_examples(
        rows,
        task.text_columns,
        bad,
        parse,
        may_lack_labels=split == "test",
        read_id=None if reading.id_column is None else text_id,
    )
    if examples.labels is None:
        return examples
    try:
        labels = task.labels_of(examples.texts, examples.labels)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return dataclasses.replace(examples, labels=labels)
