"""Reads GLUE's tab-separated files, which never quote, plain or compressed.

A quotation mark is a character of the text, and a field cannot hold a tab or
a line feed. This is what `csv.QUOTE_NONE` means, except that a carriage return
inside a text does not end the row. People's own files, which may quote, are
read by `keras_distill.data.readers.delimited`.
"""

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.column_names import find_columns
from keras_distill.data.readers.text_lines import read_lines


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


def listing(folder):
    """What a folder holds, short enough for a message.

    Args:
        folder: `pathlib.Path`.

    Returns:
        String.
    """
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return "nothing"
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(names[:12]) + more


def read_header(path, encoding=None):
    """Returns the column names of a file's first line.

    Args:
        path: `pathlib.Path`. The file.
        encoding: as for `read_lines`. Defaults to `None`.

    Returns:
        List of strings.

    Raises:
        ValueError: an empty file.
    """
    lines = read_lines(path, None, encoding)
    for _, line in lines:
        lines.close()
        return line.split("\t")
    raise ValueError(f"{path}:1: the file is empty.")


def read_columns(
    path, columns, header=None, progress=None, bad=None, encoding=None
):
    """Yields the values of some columns of a tab-separated file.

    Empty lines are no rows.

    Args:
        path: `pathlib.Path`. The file.
        columns: sequence of strings. The columns to read, in this order.
        header: sequence of strings. The column names of a file that has no
            header line. Defaults to `None`, which reads the first line.
        progress: function of how many bytes of the file were read. Defaults
            to `None`.
        bad: `BadRows`. What happens to rows with another number of columns
            than the header. Defaults to `None`: the first one raises.
        encoding: as for `read_lines`. Defaults to `None`.

    Yields:
        Pairs of the line's number, from 1, and the list of values.

    Raises:
        ValueError: an empty file, a missing column or a bad row, with the
            file and the line.
    """
    bad = bad or BadRows(path)
    names = read_header(path, encoding) if header is None else list(header)
    try:
        places = find_columns(names, columns)
    except ValueError as error:
        raise ValueError(f"{path}:1: {error}") from error
    first_row = 2 if header is None else 1
    rows = 0
    for number, line in read_lines(path, progress, encoding, bad):
        if number < first_row or not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) == len(names) + 1 and not fields[-1]:
            # A tab at the end of the row.
            fields.pop()
        if len(fields) != len(names):
            bad.add(
                number,
                f"expected {len(names)} columns ({', '.join(names)}), found "
                f"{len(fields)}; mend or delete the line.",
            )
            continue
        yield number, [fields[place] for place in places]
        rows += 1
    if not rows and not bad.count:
        raise ValueError(f"{path}:{first_row}: the file has no rows.")
