"""Reads GLUE from a folder in its usual layout of TSV files.

Where another library wrote a split as CSV or JSON, with the names of columns
that TensorFlow Datasets has, that is read.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.column_names import find_column
from keras_distill.data.readers.labelled_rows import class_parser
from keras_distill.data.readers.labelled_rows import number_id
from keras_distill.data.readers.labelled_rows import read_examples
from keras_distill.data.readers.labelled_rows import score_parser
from keras_distill.data.readers.tables import OTHER_ENDINGS
from keras_distill.data.readers.tables import column_names
from keras_distill.data.readers.tables import find_table
from keras_distill.data.readers.tables import read_table
from keras_distill.data.readers.tsv import find_file
from keras_distill.data.readers.tsv import listing
from keras_distill.data.readers.tsv import read_columns
from keras_distill.data.readers.tsv import read_header
from keras_distill.data.splits import Splits
from keras_distill.io.saving import local_path
from keras_distill.tasks import msr_paraphrase

# STS-B's human similarity scores run from 0 to 5.
_HIGHEST_SCORE = 5.0

# The number by which the server knows a row of a test file: GLUE's, QQP's, and
# that of other libraries.
_INDICES = ("index", "id", "idx")

# What other libraries that write GLUE as CSV or JSON call these.
_OTHER_LABEL = "label"
_OTHER_STEMS = {
    "dev_matched": ("validation_matched",),
    "dev_mismatched": ("validation_mismatched",),
}

_SPLITS = {"train": ("train",), "dev": ("dev",), "test": ("test",)}
_MNLI_SPLITS = {
    split: (split,)
    for split in (
        "train",
        "dev_matched",
        "dev_mismatched",
        "test_matched",
        "test_mismatched",
    )
}
# The diagnostic file goes by three names.
_AX_SPLITS = {"test": ("test", "AX", "diagnostic")}


@dataclasses.dataclass(frozen=True)
class _Layout:
    """How one task's files look.

    Args:
        folders: tuple of strings. The names that the folder may have, GLUE's
            own first.
        text_columns: tuple of strings. The columns that hold the texts.
        label_column: string. The column that holds the label.
        splits: dict of split name to the file names, without ending, that
            it may have.
        header: tuple of strings. The columns of files without a header line.
        find_originals: function of the folder that finds the splits in files
            that GLUE's were made of, as `msr_paraphrase.find_splits` does.
            Defaults to `None`.
    """

    folders: tuple
    text_columns: tuple
    label_column: str
    splits: dict = dataclasses.field(default_factory=lambda: _SPLITS)
    header: tuple | None = None
    find_originals: Callable | None = None

    @property
    def folder(self):
        """The folder's name."""
        return self.folders[0]


@dataclasses.dataclass(frozen=True)
class _SplitFile:
    """The file of a split, and which of its rows are of the split.

    `keeps` is a function of the two ids of a row of MRPC.
    """

    path: pathlib.Path
    keeps: Callable | None = None


_SENTENCES = ("sentence1", "sentence2")
_LAYOUTS = {
    # Only CoLA's test file has a header.
    "cola": _Layout(
        ("CoLA",),
        ("sentence",),
        "is_acceptable",
        header=("source", "is_acceptable", "mark", "sentence"),
    ),
    "sst2": _Layout(("SST-2",), ("sentence",), "label"),
    "mrpc": _Layout(
        ("MRPC",),
        ("#1 String", "#2 String"),
        "Quality",
        find_originals=msr_paraphrase.find_splits,
    ),
    "stsb": _Layout(("STS-B",), _SENTENCES, "score"),
    "qqp": _Layout(("QQP",), ("question1", "question2"), "is_duplicate"),
    "mnli": _Layout(("MNLI",), _SENTENCES, "gold_label", splits=_MNLI_SPLITS),
    "qnli": _Layout(("QNLI",), ("question", "sentence"), "label"),
    "rte": _Layout(("RTE",), _SENTENCES, "label"),
    "wnli": _Layout(("WNLI",), _SENTENCES, "label"),
    # GLUE's download script writes diagnostic/diagnostic.tsv.
    "ax": _Layout(("AX", "diagnostic"), _SENTENCES, "label", splits=_AX_SPLITS),
}


def glue_folder(name):
    """The folder of a GLUE task in GLUE's layout, such as `SST-2`."""
    return _LAYOUTS[name].folder


def open_folder(task, data_dir, encoding=None, skip_bad_rows=False):
    """Opens the TSV files of one GLUE task.

    Args:
        task: `Task`. A task of `glue.GLUE_TASKS`.
        data_dir: string or path. The folder that holds the tasks' folders
            (`CoLA`, `SST-2`, ...), the folder above it if it is called
            `glue`, or the task's own folder.
        encoding: string. The encoding of files without byte order mark.
            Defaults to `None`: UTF-8.
        skip_bad_rows: bool. Whether to leave out rows that cannot be read,
            such as the short ones of QQP's official file. Defaults to
            `False`: the first one raises.

    Returns:
        `Splits` with one entry per file that is there.

    Raises:
        ValueError: a missing folder, or one without files of this task.
    """
    layout = _LAYOUTS[task.name]
    folder = _task_folder(local_path(data_dir), layout)
    files = _split_files(folder, layout)
    if not files:
        wanted = ", ".join(f"{split}.tsv" for split in layout.splits)
        raise ValueError(
            f"`data_dir` has no file of {task.name}: looked for {wanted} "
            f"(plain or .gz) in {folder}, found {listing(folder)}."
        )
    readers = {
        split: functools.partial(
            _read_split, task, layout, split, file, encoding, skip_bad_rows
        )
        for split, file in files.items()
    }
    return Splits(readers, f"{folder}, which holds {listing(folder)}")


def is_in_layout(task, path, encoding=None):
    """Whether a TSV file has the columns of a GLUE task's training file.

    Args:
        task: `Task`. Any.
        path: `pathlib.Path`.
        encoding: as for `open_folder`.

    Returns:
        bool.
    """
    layout = _LAYOUTS.get(task.name)
    if layout is None or path.name.removesuffix(".gz").endswith(OTHER_ENDINGS):
        return False
    names = read_header(path, encoding)
    if _has_columns(names, (*layout.text_columns, layout.label_column)):
        return True
    # A file without a header line.
    return layout.header is not None and len(names) == len(layout.header)


def read_file(task, path, encoding=None, skip_bad_rows=False):
    """Reads labelled rows of a GLUE task from a file in its layout.

    Args:
        task: `Task`. A task of `glue.GLUE_TASKS`.
        path: `pathlib.Path`.
        encoding: as for `open_folder`.
        skip_bad_rows: as for `open_folder`.

    Returns:
        `Examples`.
    """
    layout, file = _LAYOUTS[task.name], _SplitFile(path)
    return _read_split(task, layout, "train", file, encoding, skip_bad_rows)


def _task_folder(data_dir, layout):
    """`SST-2` below `data_dir`, or `data_dir` if it has the task's files."""
    if not data_dir.is_dir():
        raise ValueError(
            f"`data_dir` must be a folder. Received: {str(data_dir)!r}, "
            f"which is {'a file' if data_dir.exists() else 'not there'}."
        )
    for parent in (data_dir, data_dir / "glue"):
        for name in layout.folders:
            if (parent / name).is_dir():
                return parent / name
    # Some tasks have the same columns but other labels, so another task's
    # folder must not be read as this one's.
    others = {name for other in _LAYOUTS.values() for name in other.folders}
    others -= set(layout.folders)
    if data_dir.name not in others and _split_files(data_dir, layout):
        return data_dir
    raise ValueError(
        f"`data_dir` must hold the folder {layout.folder} or be it. "
        f"Received: {str(data_dir)!r}, which holds {listing(data_dir)}."
    )


def _split_files(folder, layout):
    """The file of each split that has one."""
    files = {}
    for split, stems in layout.splits.items():
        found = [path for stem in stems if (path := find_file(folder, stem))]
        if not found:
            # Written by other libraries, with quotes and names of their own.
            found = [
                path
                for stem in (*stems, *_OTHER_STEMS.get(split, ()))
                if (path := find_table(folder, stem, OTHER_ENDINGS))
            ]
        if found:
            files[split] = _SplitFile(found[0])
    if layout.find_originals is None:
        return files
    originals = {
        split: _SplitFile(*found)
        for split, found in layout.find_originals(folder).items()
    }
    if {"train", "dev"} & set(files):
        # The original train file holds the rows of both splits.
        originals = {k: v for k, v in originals.items() if k == "test"}
    files = originals | files
    return {split: files[split] for split in layout.splits if split in files}


def _read_split(task, layout, split, file, encoding, skip_bad_rows):
    """Reads one file into `Examples`."""
    path = file.path
    bad = BadRows(path, skip_bad_rows)
    is_tsv = not path.name.removesuffix(".gz").endswith(OTHER_ENDINGS)
    header = None
    if is_tsv:
        names = read_header(path, encoding)
        if layout.header and not _has_columns(names, layout.text_columns):
            names = header = layout.header
    else:
        names = column_names(path, encoding)
    text_columns, label_column = layout.text_columns, layout.label_column
    if not is_tsv and not _has_columns(names, text_columns):
        text_columns = task.text_columns
    if not is_tsv and not _has_columns(names, (label_column,)):
        label_column = _OTHER_LABEL
    # A test file may lack the labels; for the others that is an error.
    is_test = split.startswith("test")
    columns, parse = text_columns, None
    index = None
    if is_test:
        index = next((n for n in _INDICES if _has_columns(names, (n,))), None)
        columns += (index,) if index else ()
    if not is_test or _has_columns(names, (label_column,)):
        columns += (label_column,)
        parse = (
            score_parser(0.0, _HIGHEST_SCORE)
            if task.label_names is None
            else class_parser(task.label_names)
        )
    if is_tsv:
        if file.keeps is not None:
            columns += msr_paraphrase.IDS
        rows = read_columns(path, columns, header, bad=bad, encoding=encoding)
        if file.keeps is not None:
            rows = _rows_of_split(rows, file.keeps)
    else:
        rows = read_table(
            path,
            columns,
            bad=bad,
            encoding=encoding,
            optional=(label_column,),
        )
    return read_examples(
        rows,
        text_columns,
        bad,
        parse,
        may_lack_labels=is_test,
        read_id=None if index is None else number_id,
        # The server takes an answer to every row.
        may_be_empty=is_test,
    )


def _rows_of_split(rows, keeps):
    """The rows that are of a split, by the ids that stand behind them."""
    count = len(msr_paraphrase.IDS)
    for line, values in rows:
        if keeps(values[-count:]):
            yield line, values[:-count]


def _has_columns(names, columns):
    return all(find_column(names, column) is not None for column in columns)
