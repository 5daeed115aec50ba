"""Reads people's own CSV and TSV files, quoted or not.

A CSV file may quote its fields (RFC 4180). A TSV file may be written with
quoting or without: without, a quotation mark is a character of the text.
Which of both a file is shows in the whole of it.
"""

import collections
import csv
import re
import sys

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.column_names import find_columns
from keras_distill.data.readers.text_lines import read_lines

_DELIMITERS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "vertical bars",
}
# The first line of a CSV file that Excel wrote or should read.
_EXCEL = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
# A row of a file that is written with quoting: each field is quoted as a
# whole, with inner marks doubled, or holds no quotation mark.
_FIELD = r'(?:"(?:[^"]|"")*"|[^"\t]*)'
_QUOTED_ROW = re.compile(rf"{_FIELD}(?:\t{_FIELD})*")
# What Python's csv says of a quotation mark that is still open.
_STILL_OPEN = "unexpected end of data"


def read_names(path, encoding=None, quoting=None, columns=()):
    """Returns the names of a file's columns.

    Args:
        path: `pathlib.Path`. CSV if its name says so, otherwise TSV.
        encoding: as for `read_lines`.
        quoting: as for `read_columns`.
        columns: sequence of str. Columns that may be there: they tell the
            delimiter.

    Returns:
        List of str.

    Raises:
        ValueError: an empty file.
    """
    return _Table(path, columns, encoding, quoting).names


def read_columns(
    path, columns, bad, progress=None, encoding=None, quoting=None
):
    """Yields the values of some columns.

    Empty lines are no rows. A row may have one empty field too many, or lack
    the last one if that has no name.

    Args:
        path: `pathlib.Path`. CSV if its name says so, otherwise TSV. The
            delimiter of either shows in the header.
        columns: sequence of str, the names of the columns; or of int, their
            places from 0 in a file without header.
        bad: `BadRows`. What happens to rows of another width, and to
            quotation marks that are not closed.
        progress: as for `read_lines`.
        encoding: as for `read_lines`.
        quoting: bool. Whether fields are quoted. Defaults to `None`: what the
            file shows.

    Yields:
        Pairs of the number of the row's first line, from 1, and the list of
        values.

    Raises:
        ValueError: an empty file, a missing column, no rows, or a TSV file
            that may be quoted or not, with the file and the line.
    """
    table = _Table(path, columns, encoding, quoting)
    places = table.find(columns)
    rows = 0
    for number, fields in table.rows(bad, progress):
        rows += 1
        yield number, [fields[place] for place in places]
    if not rows and not bad.count:
        raise ValueError(f"{path}:{table.first_row}: the file has no rows.")


class _Table:
    """How a file is written: delimiter, quoting, header."""

    def __init__(self, path, columns, encoding, quoting):
        if quoting not in (None, True, False):
            raise ValueError(
                "`quoting` must be True, False or None. Received: "
                f"quoting={quoting!r}."
            )
        self._path = path
        self._encoding = encoding
        has_header = not columns or isinstance(columns[0], str)
        self._first_line, first, self._delimiter = self._find_start(
            columns if has_header else ()
        )
        self.first_row = self._first_line + has_header
        names = _parsed(first, self._delimiter)
        unquoted = first.split(self._delimiter)
        # A delimiter at the end of the header alone.
        self._has_empty_name = has_header and not names[-1].strip()
        self._width = len(names)
        if quoting is None:
            quoting = self._delimiter != "\t" or self._shows_quoting(
                has_header and names != unquoted
            )
        self._is_quoted = quoting
        self.names = names if quoting else unquoted
        if not has_header:
            self.names = [str(place) for place in range(len(self.names))]
        self._width = len(self.names)

    def find(self, columns):
        """The places of some columns."""
        try:
            return find_columns(self.names, list(map(str, columns)))
        except ValueError as error:
            raise ValueError(
                f"{self._path}:{self._first_line}: {error}"
            ) from error

    def rows(self, bad, progress):
        """Yields the line and the fields of each row."""
        records = self._records(bad, progress)
        blank = []
        for number, fields in records:
            if number < self.first_row:
                continue
            if not any(field.strip() for field in fields):
                # In a table of one column it may be an empty text.
                if self._width == 1:
                    blank.append((number, [""]))
                    continue
                if len(fields) <= 1 or len(fields) == self._width:
                    continue
            fields = self._fitted(fields)
            if len(fields) != self._width:
                bad.add(number, self._wrong_width(fields))
                continue
            yield from blank
            blank = []
            yield number, fields

    def _fitted(self, fields):
        if len(fields) == self._width + 1 and not fields[-1].strip():
            return fields[:-1]
        if len(fields) == self._width - 1 and self._has_empty_name:
            return [*fields, ""]
        return fields

    def _wrong_width(self, fields):
        hint = "mend or delete the line."
        if self._is_quoted and len(fields) > self._width:
            hint = (
                f"a text with {_DELIMITERS.get(self._delimiter, 'delimiters')} "
                "in it must be in quotation marks; mend or delete the line."
            )
        return (
            f"expected {self._width} columns ({', '.join(self.names)}), found "
            f"{len(fields)}; {hint}"
        )

    def _lines(self, bad, progress=None):
        """The lines from the first one that is part of the table."""
        for line in read_lines(self._path, progress, self._encoding, bad):
            if line[0] >= self._first_line:
                yield line

    def _find_start(self, columns):
        """The number and the text of the first line, and the delimiter."""
        delimiter = None
        lines = read_lines(self._path, None, self._encoding)
        for number, text in lines:
            told = _EXCEL.fullmatch(text.strip(" ")) if number == 1 else None
            if told:
                delimiter = told[1]
            elif text.strip():
                lines.close()
                if delimiter is None:
                    delimiter = self._find_delimiter(text, columns)
                return number, text, delimiter
        raise ValueError(f"{self._path}:1: the file is empty.")

    def _find_delimiter(self, header, columns):
        """The delimiter that shows the columns, or else the most of any."""
        usual = "," if is_csv(self._path) else "\t"
        wanted = {column.strip().casefold() for column in columns}
        widths = {}
        for delimiter in (usual, *_DELIMITERS):
            names = _parsed(header, delimiter)
            if wanted and wanted <= {name.strip().casefold() for name in names}:
                return delimiter
            widths.setdefault(delimiter, len(names))
        return max(widths, key=widths.get) if usual == "," else usual

    def _records(self, bad, progress):
        lines = self._lines(bad, progress)
        if not self._is_quoted:
            for number, text in lines:
                yield number, text.split(self._delimiter)
            return
        for number, fields, _ in _quoted_records(lines, self._delimiter, bad):
            yield number, fields

    def _shows_quoting(self, is_evident):
        """Whether a TSV file is written with quoting.

        Args:
            is_evident: bool. Whether the header is.
        """
        quoted_line, is_plain = None, True
        for number, text in self._lines(BadRows(self._path, skip=True)):
            if quoted_line is None and '"' in text:
                quoted_line, quoted_text = number, text
            if text.strip():
                is_plain &= len(self._fitted(text.split("\t"))) == self._width
        if quoted_line is None:
            return False
        has_width = True
        lines = self._lines(BadRows(self._path, skip=True))
        try:
            for _, fields, text in _quoted_records(
                lines, "\t", BadRows(self._path)
            ):
                if '"' in text:
                    if not _QUOTED_ROW.fullmatch(text):
                        # No writer that quotes leaves a mark like this.
                        return False
                    # Who does not quote, writes no marks for these.
                    is_evident |= any(
                        mark in field for field in fields for mark in '"\t\n'
                    )
                if text.strip():
                    has_width &= len(self._fitted(fields)) == self._width
        except ValueError:
            return False
        if is_evident or (has_width and not is_plain):
            return True
        if not has_width:
            return False
        field = next(f for f in quoted_text.split("\t") if '"' in f)
        raise ValueError(
            f"{self._path}:{quoted_line}: {field[:40]!r} may be a text in "
            "quotation marks or a field that is quoted; pass quoting=False "
            "for the first, quoting=True for the second."
        )


def is_csv(path):
    """Whether a file's name says that it is CSV."""
    return path.name.lower().removesuffix(".gz").endswith(".csv")


def _quoted_records(lines, delimiter, bad):
    """Yields the first line, the fields and the text of quoted rows.

    A row whose quotation mark is not closed takes no other row with it: what
    comes after its first line is read anew.
    """
    waiting = collections.deque()
    while True:
        taken = [waiting.popleft()] if waiting else [next(lines, None)]
        if taken[0] is None:
            return
        number, text = taken[0]
        while True:
            try:
                fields = _parsed(text, delimiter, strict=True)
                yield number, fields, text
                break
            except csv.Error as error:
                is_open = _STILL_OPEN in str(error)
                more = _until_a_mark(waiting, lines) if is_open else []
                taken += more
                if more and '"' in more[-1][1]:
                    text = "\n".join(line for _, line in taken)
                    continue
                bad.add(number, _in_words(error))
                waiting.extendleft(reversed(taken[1:]))
                break


def _in_words(error):
    """What Python's csv does not like, and what to do about it."""
    if _STILL_OPEN in str(error):
        what = "a quotation mark is opened and never closed"
    elif "expected after" in str(error):
        what = "a quotation mark closes a field that goes on after it"
    else:
        return f"the row cannot be read ({error}); mend or delete the line."
    return (
        f"{what}; double the marks inside of a quoted text, or delete the line."
    )


def _until_a_mark(waiting, lines):
    """The next lines up to one with a quotation mark."""
    more = []
    while waiting or (line := next(lines, None)) is not None:
        more.append(waiting.popleft() if waiting else line)
        if '"' in more[-1][1]:
            break
    return more


def _parsed(text, delimiter, strict=False):
    """The fields of a row; its text may hold line ends."""
    # Python limits a field to 131,072 characters, for the whole process.
    limit = csv.field_size_limit()
    try:
        if len(text) >= limit:
            csv.field_size_limit(sys.maxsize)
        reader = csv.reader([text], delimiter=delimiter, strict=strict)
        return next(reader, [])
    finally:
        csv.field_size_limit(limit)
