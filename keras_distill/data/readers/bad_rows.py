"""Rows of a file that cannot be read: refused, or left out and told."""

import sys

# Of the rows that are left out, those that are told one by one.
_TOLD = 3


class BadRows:
    """What happens to the rows of a file that cannot be read.

    Args:
        path: `pathlib.Path`. The file.
        skip: bool. Whether to leave such rows out. Defaults to `False`: the
            first one raises.
        unit: str. What is left out. Defaults to `"rows"`.

    Attributes:
        count: int. The rows that were left out.

    Example:

    >>> from keras_distill.data.readers.bad_rows import BadRows
    >>> bad = BadRows("train.tsv", skip=True)
    >>> bad.add(12, "the text is empty.")
    >>> bad.count
    1
    """

    def __init__(self, path, skip=False, unit="rows"):
        if not isinstance(skip, bool):
            raise ValueError(
                "`skip_bad_rows` must be True or False. Received: "
                f"skip_bad_rows={skip!r}."
            )
        self.path = path
        self.skip = skip
        self.count = 0
        self._unit = unit
        self._first = []

    def add(self, line, message):
        """Raises, or counts the row as left out.

        Args:
            line: int. The number of the row's line, from 1; or a string, its
                place in a file whose rows are no lines.
            message: str or exception. What is wrong with it.

        Raises:
            ValueError: with the file and the line.
        """
        if not self.skip:
            raise ValueError(
                f"{self.path}:{line}: {message} `skip_bad_rows` leaves such "
                f"{self._unit} out."
            )
        self.count += 1
        if len(self._first) < _TOLD:
            place = f"line {line}" if isinstance(line, int) else line
            self._first.append(f"{place} ({str(message).rstrip('.')})")

    def tell(self):
        """Says on standard error what was left out, if anything."""
        if self.count:
            unit = (
                self._unit.removesuffix("s") if self.count == 1 else self._unit
            )
            more = self.count - len(self._first)
            print(
                f"left out {self.count:,} {unit} of {self.path}: "
                + ", ".join(self._first)
                + (f" and {more:,} more" if more else ""),
                file=sys.stderr,
            )
