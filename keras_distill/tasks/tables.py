"""Reads columns of text from TSV and JSON Lines files alike."""

from keras_distill.tasks import jsonl
from keras_distill.tasks import tsv

_ENDINGS = (".tsv", ".tsv.gz", ".jsonl", ".jsonl.gz")


def is_table(path):
    """Whether a file's name says that its rows have columns."""
    return path.name.endswith(_ENDINGS)


def find_table(folder, stem):
    """Looks for a TSV or JSON Lines file, plain or `.gz`.

    Args:
        folder: `pathlib.Path`. The folder to look in.
        stem: string. The file's name without its ending.

    Returns:
        The path, or `None` when there is none.
    """
    paths = (folder / (stem + ending) for ending in _ENDINGS)
    return next((path for path in paths if path.is_file()), None)


def column_names(path):
    """Returns the names of a file's columns.

    Args:
        path: `pathlib.Path`. JSON Lines if its name says so, otherwise TSV
            with a header.

    Returns:
        List of strings.
    """
    if _is_jsonl(path):
        return jsonl.read_names(path)
    return tsv.read_header(path)


def read_table(path, columns, progress=None):
    """Yields the values of some columns.

    Args:
        path: `pathlib.Path`. JSON Lines if its name says so, otherwise TSV.
        columns: sequence of strings, the columns' names; or of ints, their
            places from 0 in a TSV without header.
        progress: function of how many bytes of the file were read. Defaults
            to `None`.

    Yields:
        Pairs of the line's number, from 1, and the list of values.

    Raises:
        ValueError: what cannot be read, with the file and the line.
    """
    has_places = all(isinstance(column, int) for column in columns)
    if _is_jsonl(path):
        if has_places:
            raise ValueError(
                f"{path}:1: columns of JSON have names, not places. "
                f"Received: columns={tuple(columns)}."
            )
        return jsonl.read_columns(path, columns, progress)
    if not has_places:
        return tsv.read_columns(path, columns, progress=progress)
    header = [str(place) for place in range(len(tsv.read_header(path)))]
    columns = [str(column) for column in columns]
    return tsv.read_columns(path, columns, header, progress)


def _is_jsonl(path):
    return path.name.removesuffix(".gz").endswith(".jsonl")
