"""Reads tab-separated files without quoting, plain or compressed.

GLUE's files never quote: a quotation mark is a character of the text, and a
field cannot hold a tab or a line feed. This is what `csv.QUOTE_NONE` means,
except that a carriage return inside a text does not end the row.
"""

import contextlib
import gzip
import zlib

# Lines between two reports of how far a file was read.
_REPORT_EVERY = 1000


def find_file(folder, stem):
    """Looks for `stem.tsv` or `stem.tsv.gz`; the plain file goes first.

    Args:
        folder: `pathlib.Path`. The folder to look in.
        stem: string. The file's name up to `.tsv`.

    Returns:
        The path, or `None` when there is neither.
    """
    for ending in (".tsv", ".tsv.gz"):
        path = folder / (stem + ending)
        if path.is_file():
            return path
    return None


def read_lines(path, progress=None):
    """Yields the lines of a UTF-8 text file, plain or `.gz`.

    Args:
        path: `pathlib.Path`. A name that ends in `.gz` is decompressed.
        progress: function of how many bytes of the file were read, called
            now and then. Defaults to `None`.

    Yields:
        Pairs of the line's number, from 1, and its text without line end. A
        byte order mark before the first line is dropped.

    Raises:
        ValueError: a damaged `.gz` or bytes that are not UTF-8, with the
            file and the line.
    """
    number = 0
    opener = gzip.open if path.suffix == ".gz" else contextlib.nullcontext
    try:
        with open(path, "rb") as raw, opener(raw) as file:
            for number, line in enumerate(file, start=1):
                if progress is not None and number % _REPORT_EVERY == 0:
                    progress(raw.tell())
                yield number, _decode(line, path, number)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{path}:{number + 1}: the compressed file is damaged ({error}); "
            "fetch it again."
        ) from error


def read_header(path):
    """Returns the column names of a file's first line.

    Args:
        path: `pathlib.Path`. The file.

    Returns:
        List of strings.

    Raises:
        ValueError: an empty file.
    """
    lines = read_lines(path)
    for _, line in lines:
        lines.close()
        return line.split("\t")
    raise ValueError(f"{path}:1: the file is empty.")


def read_columns(path, columns, header=None, progress=None):
    """Yields the values of some columns of a tab-separated file.

    Args:
        path: `pathlib.Path`. The file.
        columns: sequence of strings. The columns to read, in this order.
        header: sequence of strings. The column names of a file that has no
            header line. Defaults to `None`, which reads the first line.
        progress: function of how many bytes of the file were read. Defaults
            to `None`.

    Yields:
        Pairs of the line's number, from 1, and the list of values.

    Raises:
        ValueError: an empty file, a missing column or a row with another
            number of columns than the header, with the file and the line.
    """
    names = read_header(path) if header is None else header
    missing = [column for column in columns if column not in names]
    if missing:
        raise ValueError(
            f"{path}:1: there is no column {missing[0]!r}; "
            f"the columns are: {', '.join(names)}."
        )
    places = [names.index(column) for column in columns]
    first_row = 2 if header is None else 1
    rows = 0
    for number, line in read_lines(path, progress):
        if number < first_row:
            continue
        fields = line.split("\t")
        if len(fields) != len(names):
            raise ValueError(
                f"{path}:{number}: expected {len(names)} columns "
                f"({', '.join(names)}), found {len(fields)}; "
                "mend or delete the line."
            )
        yield number, [fields[place] for place in places]
        rows += 1
    if not rows:
        raise ValueError(f"{path}:{first_row}: the file has no rows.")


def _decode(line, path, number):
    """The text of one line; only a line feed or CR LF ends it."""
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}:{number}: byte {error.start + 1} of the line is not "
            "UTF-8; convert the file to UTF-8."
        ) from error
    return text.removesuffix("\n").removesuffix("\r")
