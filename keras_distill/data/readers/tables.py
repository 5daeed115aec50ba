"""Reads columns of text from CSV, TSV and JSON files alike."""

from keras_distill.data.readers import delimited
from keras_distill.data.readers import jsonl
from keras_distill.data.readers.bad_rows import BadRows

TABLE_ENDINGS = (".tsv", ".csv", ".jsonl", ".json", ".tab", ".ndjson")
JSON_ENDINGS = (".jsonl", ".json", ".ndjson")
# Those of files that are not in GLUE's own layout.
OTHER_ENDINGS = (".csv", ".jsonl", ".json")

SPLITS = ("train", "dev", "test")
# The file of a split by the names that people give it.
_STEMS = {"dev": ("dev", "validation", "valid", "val")}

# Tables that are not read, and how they become such as are.
_TO_CSV = "write it as CSV, such as by `pandas.read_{}(...).to_csv(...)`"
_UNREAD = {
    ".xlsx": _TO_CSV.format("excel"),
    ".xls": _TO_CSV.format("excel"),
    ".ods": _TO_CSV.format("excel"),
    ".parquet": _TO_CSV.format("parquet"),
    ".feather": _TO_CSV.format("feather"),
    ".arrow": _TO_CSV.format("feather"),
    ".pkl": "write it as CSV; a pickle may run any code",
    ".pickle": "write it as CSV; a pickle may run any code",
    ".txt": "rename it to .tsv, if there are tabs between its columns",
    ".zip": "unpack it",
    ".bz2": "unpack it, or compress it by gzip",
    ".xz": "unpack it, or compress it by gzip",
    ".zst": "unpack it, or compress it by gzip",
}


def is_table(path):
    """Whether a file's name says that its rows have columns."""
    return _ending(path.name) in TABLE_ENDINGS


def is_json(path):
    """Whether a file's name says that it is JSON."""
    return _ending(path.name) in JSON_ENDINGS


def unread_table(path):
    """What to do with a table that is not read, or `None`."""
    name = path.name.lower()
    return next(
        (
            what
            for ending, what in _UNREAD.items()
            if name.endswith(ending) and ending != ".txt"
        ),
        None,
    )


def find_table(folder, split, endings=TABLE_ENDINGS):
    """Looks for the one table of a split, plain or `.gz`.

    Args:
        folder: `pathlib.Path`. The folder to look in.
        split: string: `"train"`, `"dev"`, which may also be called
            `validation`, `valid` or `val`, or `"test"`.
        endings: sequence of strings that the file may end in. Defaults to
            those of tables.

    Returns:
        The path, or `None` when there is none.

    Raises:
        ValueError: several files of the split, or one alone that is not read.
    """
    stems = _STEMS.get(split, (split,))
    files = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.name.lower().split(".")[0] in stems
    )
    tables = [
        path for path in files if path.name.lower() in _names(stems, endings)
    ]
    # Of a file and the same file compressed the plain one goes first.
    plain = {path.name for path in tables}
    tables = [
        path
        for path in tables
        if not path.name.endswith(".gz")
        or path.name.removesuffix(".gz") not in plain
    ]
    if len(tables) > 1:
        raise ValueError(
            f"`data_dir` must have one file of {split}. Received: "
            f"{' and '.join(path.name for path in tables)} in {folder}; move "
            "one away."
        )
    if tables:
        return tables[0]
    for path in files:
        for ending, what in _UNREAD.items():
            if path.name.lower().endswith(ending):
                raise ValueError(
                    f"`data_dir` must have its files as {', '.join(endings)}, "
                    f"plain or .gz. Received: {path}; {what}."
                )
    return None


def find_tables(folder, endings=TABLE_ENDINGS):
    """Looks for the tables of all splits, as `find_table` does.

    Args:
        folder: `pathlib.Path`. The folder to look in.
        endings: as for `find_table`.

    Returns:
        dict of split name to path, without splits that have no file.
    """
    found = {split: find_table(folder, split, endings) for split in SPLITS}
    return {split: path for split, path in found.items() if path is not None}


def column_names(path, encoding=None, quoting=None, columns=()):
    """Returns the names of a file's columns.

    Args:
        path: `pathlib.Path`. JSON or CSV if its name says so, otherwise TSV
            with a header.
        encoding: as for `read_table`.
        quoting: as for `read_table`.
        columns: sequence of strings. Columns that may be there.

    Returns:
        List of strings.
    """
    if is_json(path):
        return jsonl.read_names(path, encoding)
    return delimited.read_names(path, encoding, quoting, columns)


def read_table(
    path,
    columns,
    progress=None,
    bad=None,
    encoding=None,
    quoting=None,
    optional=(),
    lists=(),
):
    """Yields the values of some columns.

    Args:
        path: `pathlib.Path`. JSON or CSV if its name says so, otherwise TSV.
        columns: sequence of strings, the columns' names; or of ints, their
            places from 0 in a table without header.
        progress: function of how many bytes of the file were read. Defaults
            to `None`.
        bad: `BadRows`. What happens to rows that cannot be read. Defaults to
            `None`: the first one raises.
        encoding: string. The encoding of a file without byte order mark.
            Defaults to `None`: UTF-8.
        quoting: bool. Whether fields of a TSV or CSV file are quoted.
            Defaults to `None`: what the file shows.
        optional: sequence of strings. Columns of JSON whose value may be
            null, which is read as an empty string. Defaults to `()`.
        lists: sequence of strings. Columns of JSON whose value may be a list,
            which is read as a list of strings. Defaults to `()`.

    Yields:
        Pairs of the line's number, from 1, and the list of values.

    Raises:
        ValueError: what cannot be read, with the file and the line.
    """
    bad = bad or BadRows(path)
    if is_json(path):
        if any(isinstance(column, int) for column in columns):
            raise ValueError(
                f"{path}:1: columns of JSON have names, not places. "
                f"Received: columns={tuple(columns)}."
            )
        return jsonl.read_columns(
            path, columns, progress, bad, encoding, optional, lists
        )
    return delimited.read_columns(
        path, columns, bad, progress, encoding, quoting
    )


def _names(stems, endings):
    return {
        stem + ending + compressed
        for stem in stems
        for ending in endings
        for compressed in ("", ".gz")
    }


def _ending(name):
    """The ending that tells how a file is read, in small letters."""
    name = name.lower().removesuffix(".gz")
    return name[name.rfind(".") :]
