"""Reads a task from a folder with a file for each split."""

from keras_distill.data.readers.reading import Reading
from keras_distill.data.readers.tables import find_tables
from keras_distill.data.readers.tsv import listing
from keras_distill.data.splits import Splits
from keras_distill.io.saving import local_path
from keras_distill.tasks.kinds import kind_named
from keras_distill.tasks.labelled_tables import table_readers
from keras_distill.tasks.task import Task
from keras_distill.tasks.task import check_text_columns


def load_folder(
    data_dir,
    text_columns,
    label_names,
    label_column="label",
    metrics=None,
    sequence_length=None,
    encoding=None,
    quoting=None,
    skip_bad_rows=False,
    id_column=None,
):
    """Opens a task whose labels are known, from a folder of its splits.

    `load_data` finds out what it is not told, and draws a dev split.

    The files are `train`, `dev` (or `validation`, `valid`, `val`) and `test`:
    `.csv` or `.tsv` with a header line, `.jsonl` with one JSON object a line
    or `.json` with an array of them, plain or `.gz`. Those that are not there
    are splits that the task does not have. `test` may lack the labels, or
    have `-` or `-1` in their place in all rows. Names of columns may differ
    in case and in spaces around them.

    Args:
        data_dir: string or path. The folder, whose name becomes the task's.
        text_columns: tuple of one or two strings. The columns of the texts.
        label_names: tuple of strings in the order of the class indices. The
            files may spell a label as its name or as its index. `None` for a
            regression, whose labels are any finite numbers.
        label_column: string. Defaults to `"label"`.
        metrics: tuple of strings, as in `Task`. Defaults to `None`: accuracy
            for classes, the mean of Pearson's and Spearman's correlations
            for a regression.
        sequence_length: int. The most tokens of an example. Defaults to
            `None`: 64 for one text and 128 for two.
        encoding: string. The encoding of files without byte order mark, such
            as `"cp1252"`. Defaults to `None`: UTF-8.
        quoting: bool. Whether the fields of TSV and CSV files are quoted.
            Defaults to `None`: those of CSV are, those of TSV as the file
            shows. A file that may be either is refused.
        skip_bad_rows: bool. Whether to leave out rows that cannot be read,
            which is told on standard error with their number and the first
            of them. Defaults to `False`: the first one raises.
        id_column: string. The column of the rows' ids, by which soft labels
            and a teacher's cache find them; each must be there once. Kept as
            strings. Defaults to `None`: rows are counted.

    Returns:
        A `Task` and a mapping of split name to `Examples`. A split is read
        when it is asked for.

    Raises:
        ValueError: a missing folder or file, or bad data, with the file and
            the line.

    Example:

    ```python
    import pathlib

    import keras_distill

    folder = pathlib.Path("mails")
    folder.mkdir()
    (folder / "train.tsv").write_text("text\\tlabel\\nwin a prize\\tspam\\n")
    task, splits = keras_distill.tasks.load_folder(
        "mails", text_columns=("text",), label_names=("ham", "spam")
    )
    print(task.name, splits["train"].labels)
    ```
    """
    folder = local_path(data_dir)
    if metrics is None:
        kind = "regression" if label_names is None else "classification"
        metrics = kind_named(kind).DEFAULT_METRICS
    text_columns = check_text_columns(text_columns)
    if sequence_length is None:
        sequence_length = 64 * len(text_columns)
    task = Task(
        name=folder.resolve().name,
        text_columns=text_columns,
        label_names=label_names,
        metrics=metrics,
        sequence_length=sequence_length,
    )
    reading = Reading(encoding, quoting, skip_bad_rows, id_column)
    return task, open_labelled_folder(task, folder, label_column, reading)


def open_labelled_folder(task, folder, label_column="label", reading=None):
    """Opens the files of a task.

    Args:
        task: `Task`. Its `text_columns` are those of the files.
        folder: `pathlib.Path`. The folder that holds the files.
        label_column: string. Defaults to `"label"`.
        reading: `Reading`. Defaults to `None`: as by default.

    Returns:
        `Splits` with one entry per file that is there.

    Raises:
        ValueError: a missing folder, or one without files.
    """
    if not folder.is_dir():
        raise ValueError(
            f"`data_dir` must be a folder. Received: {str(folder)!r}, "
            f"which is {_what_is(folder)}."
        )
    files = find_tables(folder)
    if not files:
        raise ValueError(
            f"`data_dir` has no file of {task.name}: looked for train, dev "
            "and test as .csv, .tsv, .jsonl or .json (plain or .gz) in "
            f"{folder}, found {listing(folder)}."
        )
    readers = table_readers(task, files, label_column, reading or Reading())
    return Splits(readers, f"{folder}, which holds {listing(folder)}")


def _what_is(path):
    if path.is_file():
        return f"a file; give the folder {str(path.parent)!r}"
    return "not there"
