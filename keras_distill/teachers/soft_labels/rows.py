"""Rows of soft labels, as a file of any format gives them."""

import dataclasses
import re
from collections.abc import Callable

from keras_distill.data.examples import id_column

_WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d*")


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows of soft labels, as a file of any format gives them.

    Attributes:
        ids: list of int or str.
        values: list of lists of numbers, one for each class.
        label_names: tuple of str, the classes that the file names in the
            order of the values, or `None` if it names none.
        place: function of a row's number, from 0, that gives where it stands.
    """

    ids: list
    values: list
    label_names: tuple | None
    place: Callable


def as_number(value, what):
    """A number of a file, or an error that says what it is of."""
    # JSON has true and false; a text may be a number.
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{what} must be a number. Received: {value!r}.")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{what} must be a number. Received: {value!r}."
        ) from None


def ids_of_text(texts):
    """Ids out of a format that has texts alone: numbers if all are some."""
    if all(isinstance(t, int) or _WHOLE_NUMBER.fullmatch(t) for t in texts):
        return [int(text) for text in texts]
    return list(texts)


def check_ids(ids, place):
    """Ids as an array; raises on one that is none or stands twice."""
    for row, one in enumerate(ids):
        is_id = isinstance(one, (int, str)) and not isinstance(one, bool)
        if not is_id or one == "":
            raise ValueError(
                f"{place(row)}: an id must be a whole number or a text. "
                f"Received: {one!r}."
            )
    if len({isinstance(one, str) for one in ids}) > 1:
        first = type(ids[0])
        row = next(i for i, one in enumerate(ids) if not isinstance(one, first))
        raise ValueError(
            f"{place(row)}: ids must be all numbers or all texts. Received: "
            f"{ids[row]!r} after {ids[0]!r}."
        )
    known = {}
    for row, one in enumerate(ids):
        if known.setdefault(one, row) != row:
            raise ValueError(
                f"{place(row)}: the id {one!r} stands twice, at "
                f"{place(known[one])} too."
            )
    return id_column(ids, len(ids))
