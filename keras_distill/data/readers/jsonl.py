"""Reads JSON Lines, and JSON arrays, of one object for each row."""

import itertools
import json
import re

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.column_names import find_column
from keras_distill.data.readers.text_lines import read_lines

_SPACE = re.compile(r"\s*")


def read_first(path, encoding=None):
    """Returns the object of a file's first row.

    Args:
        path: `pathlib.Path`. The file.
        encoding: as for `read_lines`. Defaults to `None`.

    Returns:
        dict of a column's name to its value.

    Raises:
        ValueError: an empty file, or a first row that is no JSON object.
    """
    for number, value in _values(path, BadRows(path), None, encoding):
        try:
            return _object(value)
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from error
    raise ValueError(f"{path}:1: the file is empty.")


def read_names(path, encoding=None):
    """Returns the names of the columns, as of `read_first`."""
    return list(read_first(path, encoding))


def read_columns(
    path,
    columns,
    progress=None,
    bad=None,
    encoding=None,
    optional=(),
    lists=(),
):
    """Yields the values of some names of each object.

    The file holds an object a line (empty lines are none), an array of
    objects, or one object of columns, as pandas writes it.

    Args:
        path: `pathlib.Path`. The file.
        columns: sequence of strings. The names to read, in this order.
        progress: function of how many bytes of the file were read. Defaults
            to `None`.
        bad: `BadRows`. What happens to rows that cannot be read. Defaults to
            `None`: the first one raises.
        encoding: as for `read_lines`. Defaults to `None`.
        optional: sequence of strings. The columns whose value may be null,
            which is read as an empty string. Defaults to `()`.
        lists: sequence of strings. The columns whose value may be a list,
            which is read as a list of strings. Defaults to `()`.

    Yields:
        Pairs of the line's number, from 1, and the list of values. Strings
        are as they are; numbers, `true` and `false` are as JSON writes them.

    Raises:
        ValueError: an empty file, a line that is no JSON object, or one
            without the names, with the file and the line.
    """
    bad = bad or BadRows(path)
    is_empty = True
    for number, value in _values(path, bad, progress, encoding):
        is_empty = False
        try:
            row = _object(value)
            found = [
                _read(row, column, column in optional, column in lists)
                for column in columns
            ]
        except ValueError as error:
            bad.add(number, error)
            continue
        yield number, found
    if is_empty and not bad.count:
        raise ValueError(f"{path}:1: the file is empty.")


def _values(path, bad, progress, encoding):
    """Yields the number of the first line and the value of each row."""
    lines = read_lines(path, progress, encoding, bad)
    lines = ((number, line) for number, line in lines if line.strip())
    first = next(lines, None)
    if first is None:
        return
    lines = itertools.chain([first], lines)
    if _is_document(first[1], path):
        yield from _rows_of_document(list(lines), path)
        return
    for number, line in lines:
        try:
            value = json.loads(line)
        except (RecursionError, ValueError) as error:
            bad.add(
                number,
                f"the line is not JSON ({error}); mend or delete it.",
            )
            continue
        yield number, value


def _is_document(line, path):
    """Whether a file is one value of JSON over all its lines."""
    if line.lstrip().startswith("["):
        return True
    if _is_lines(path):
        return False
    try:
        columns = json.loads(line)
    except (RecursionError, ValueError):
        # It may go on in the next lines.
        return True
    return bool(columns) and all(
        isinstance(column, (list, dict)) for column in _object(columns).values()
    )


def _is_lines(path):
    return not path.name.lower().removesuffix(".gz").endswith(".json")


def _rows_of_document(lines, path):
    """Yields the line and the value of each row of an array, or of columns."""
    text = "\n".join(line for _, line in lines)
    numbers = [number for number, _ in lines]
    decoder = json.JSONDecoder()
    place, counted, line = 0, 0, 0
    try:
        place = _after_space(text, 0)
        if text[place] == "{":
            columns, place = decoder.raw_decode(text, place)
            if _after_space(text, place) < len(text):
                raise json.JSONDecodeError("Extra data", text, place)
            for row in _rows_of_columns(columns, path):
                yield numbers[0], row
            return
        # One after the other, for the lines that they begin on.
        place = _after_space(text, place + 1)
        while text[place] != "]":
            line += text.count("\n", counted, place)
            counted = place
            value, place = decoder.raw_decode(text, place)
            yield numbers[line], value
            place = _after_space(text, place)
            if text[place] == ",":
                place = _after_space(text, place + 1)
            elif text[place] != "]":
                raise json.JSONDecodeError("Expecting ','", text, place)
        if _after_space(text, place + 1) < len(text):
            raise json.JSONDecodeError("Extra data", text, place + 1)
    except IndexError:
        raise ValueError(
            f"{path}:{numbers[-1]}: the JSON array is never closed; the file "
            "was cut off."
        ) from None
    except json.JSONDecodeError as error:
        number = numbers[min(error.lineno, len(numbers)) - 1]
        raise ValueError(
            f"{path}:{number}: the file is not JSON ({error.msg}: column "
            f"{error.colno}); mend the line."
        ) from error
    except RecursionError as error:
        raise ValueError(
            f"{path}:1: the file is not JSON ({error})."
        ) from error


def _rows_of_columns(columns, path):
    """The rows of an object that holds a list or a dict for each column."""
    tables = list(columns.values())
    for kind in (dict, list):
        if tables and all(isinstance(table, kind) for table in tables):
            keys = [
                list(table) if kind is dict else list(range(len(table)))
                for table in tables
            ]
            if all(key == keys[0] for key in keys):
                return [
                    {name: table[key] for name, table in columns.items()}
                    for key in keys[0]
                ]
    raise ValueError(
        f"{path}:1: the file is one JSON object with {', '.join(columns)}, not "
        "rows; write an array of objects, or one object a line."
    )


def _after_space(text, place):
    return _SPACE.match(text, place).end()


def _object(value):
    if not isinstance(value, dict):
        raise ValueError(
            'the line is not a JSON object, such as {"text": "a good film"}.'
        )
    return value


def _value(row, column):
    if column in row:
        return row[column]
    names = list(row)
    place = find_column(names, column)
    if place is None:
        raise ValueError(
            f"there is no {column!r}; the names are: {', '.join(names)}."
        )
    return row[names[place]]


def _read(row, column, is_optional, may_be_list):
    value = _value(row, column)
    if value is None and is_optional:
        return ""
    if may_be_list and isinstance(value, list):
        return [_text(entry, column) for entry in value]
    return _text(value, column)


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
    if "\0" in text:
        raise ValueError(f"{column!r} holds a NUL, which no text does.")
    return text
