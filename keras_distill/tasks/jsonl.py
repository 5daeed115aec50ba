"""Reads files of one JSON object a line, plain or compressed."""

import json

from keras_distill.tasks.tsv import read_lines


def read_names(path):
    """Returns the names in the object of a file's first line.

    Args:
        path: `pathlib.Path`. The file.

    Returns:
        List of strings.

    Raises:
        ValueError: an empty file, or a first line that is no JSON object.
    """
    lines = read_lines(path)
    for number, line in lines:
        lines.close()
        return list(_parse(line, path, number))
    raise ValueError(f"{path}:1: the file is empty.")


def read_columns(path, columns, progress=None):
    """Yields the values of some names of each object.

    Args:
        path: `pathlib.Path`. The file.
        columns: sequence of strings. The names to read, in this order.
        progress: function of how many bytes of the file were read. Defaults
            to `None`.

    Yields:
        Pairs of the line's number, from 1, and the list of values. Strings
        are as they are; numbers, `true` and `false` are as JSON writes them.

    Raises:
        ValueError: an empty file, a line that is no JSON object, or one
            without the names, with the file and the line.
    """
    number = 0
    for number, line in read_lines(path, progress):
        row = _parse(line, path, number)
        for column in columns:
            if column not in row:
                raise ValueError(
                    f"{path}:{number}: there is no {column!r}; "
                    f"the names are: {', '.join(row)}."
                )
        try:
            yield number, [_text(row[column], column) for column in columns]
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from error
    if not number:
        raise ValueError(f"{path}:1: the file is empty.")


def _parse(line, path, number):
    try:
        row = json.loads(line)
    except (RecursionError, ValueError) as error:
        raise ValueError(
            f"{path}:{number}: the line is not JSON ({error}); "
            "mend or delete it."
        ) from error
    if not isinstance(row, dict):
        raise ValueError(
            f"{path}:{number}: the line is not a JSON object, such as "
            '{"text": "a good film"}.'
        )
    return row


def _text(value, column):
    if isinstance(value, (list, dict, type(None))):
        raise ValueError(
            f"{column!r} is {json.dumps(value)[:40]}, not a string."
        )
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # JSON can spell what no UTF-8 file holds, and no tokenizer takes.
        raise ValueError(f"{column!r} holds half of a character.") from error
    return text
