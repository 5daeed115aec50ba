"""More labelled rows of a task that is open already."""

from keras_distill.data.readers.reading import Reading
from keras_distill.data.readers.tables import column_names
from keras_distill.data.readers.tables import is_table
from keras_distill.io.saving import local_path
from keras_distill.tasks import glue_files
from keras_distill.tasks.choose_columns import choose_columns
from keras_distill.tasks.labelled_tables import table_readers
from keras_distill.tasks.text_task import TextTask


def read_rows(
    task,
    path,
    label_column=None,
    label_separator=None,
    encoding=None,
    skip_bad_rows=False,
):
    """Reads more labelled rows of a task, such as augmented ones.

    Args:
        task: `Task` of one or two texts with one answer.
        path: string or path of a file. A table whose header names the texts
            as the task's `text_columns` do, and the labels: `.tsv`, in which
            a quotation mark is a character of the text, `.csv` or JSON, plain
            or `.gz`. Or the training file of a GLUE task as GLUE has it, such
            as the `train_aug.tsv` of TinyBERT's script.
        label_column: string. Defaults to `None`: as the header shows, such as
            `label`.
        label_separator: string. What stands between the labels of a row that
            has several. Defaults to `None`: a list.
        encoding: string. The encoding of a file without byte order mark.
            Defaults to `None`: UTF-8.
        skip_bad_rows: bool. Whether to leave out rows that cannot be read.
            Defaults to `False`: the first one raises.

    Returns:
        `Examples`.

    Raises:
        ValueError: no such file, a task of another kind, a missing column, or
            bad data, with the file and the line.

    Example:

    >>> import pathlib
    >>> from keras_distill import tasks
    >>> text = "sentence\\tlabel\\na good film\\tpositive\\n"
    >>> _ = pathlib.Path("more.tsv").write_text(text)
    >>> tasks.read_rows(tasks.get_task("sst2"), "more.tsv").texts
    (['a good film'],)
    """
    if not isinstance(task, TextTask):
        raise ValueError(
            "`task` must have one answer for a whole text, or a pair of them. "
            f"Received: {task.name}, a task of {task.kind}."
        )
    path = local_path(path)
    if not path.is_file() or not is_table(path):
        what = "no table" if path.is_file() else "not there"
        raise ValueError(
            "`path` must be a file that ends in .tsv, .csv or .jsonl, plain "
            f"or .gz. Received: {str(path)!r}, which is {what}."
        )
    if glue_files.is_in_layout(task, path, encoding):
        return glue_files.read_file(task, path, encoding, skip_bad_rows)
    is_tsv = path.name.lower().removesuffix(".gz").endswith((".tsv", ".tab"))
    quoting = False if is_tsv else None
    try:
        _, label_column = choose_columns(
            column_names(path, encoding, quoting),
            task.text_columns,
            label_column,
        )
    except ValueError as error:
        raise ValueError(f"{path}:1: {error}") from error
    reading = Reading(encoding, quoting, skip_bad_rows)
    readers = table_readers(
        task, {"train": path}, label_column, reading, label_separator
    )
    return readers["train"]()
