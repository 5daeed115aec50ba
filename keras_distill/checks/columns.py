"""Columns of texts and labels as people have them, read by position.

A column is a list, a tuple, a NumPy array, a pandas or Polars series with any
index, or a tensor. What is missing in it is named by its row.
"""

import keras
import numpy as np

# Of a long list of rows, those that a message names.
_NAMED_ROWS = 3


def text_column(values, name="texts"):
    """Reads a column of texts by position."""
    if isinstance(values, (str, bytes)):
        raise ValueError(
            f"`{name}` must be a list of strings. Received: {values!r}; put "
            "it in a list."
        )
    texts = [
        value if type(value) is str else _text(value, row, name)
        for row, value in enumerate(in_order(values, name))
    ]
    _check_characters(texts, name)
    return texts


def label_column(values, name="labels"):
    """Reads a column of class indices or scores by position."""
    labels = np.asarray(in_order(values, name))
    if labels.dtype.kind == "O" and labels.ndim == 1:
        labels = _numbers(labels, name)
    if labels.ndim != 1 or labels.dtype.kind not in "iufb":
        raise ValueError(
            f"`{name}` must be one integer or one float per row. Received: "
            f"shape {labels.shape}, dtype {labels.dtype}{_hint(labels)}."
        )
    if labels.dtype.kind == "f":
        _raise_at(
            ~np.isfinite(labels),
            labels,
            f"`{name}` must have a finite number in each row; leave out the "
            "rows without a label, or all labels if none has one",
        )
        return labels.astype("float32")
    labels = labels.astype("int32" if labels.dtype.kind == "b" else "int64")
    _raise_at(
        np.abs(labels) > np.iinfo("int32").max,
        labels,
        f"`{name}` must be class indices",
    )
    return labels.astype("int32")


def example_labels(values, name="labels"):
    """Reads the labels of examples: one for each row, or several."""
    rows = in_order(values, name)
    if not (getattr(rows, "ndim", 1) == 2 or any(map(_is_several, rows))):
        return label_column(rows, name)
    try:
        table = np.asarray([np.asarray(row) for row in rows])
    except ValueError:
        table = np.zeros(len(rows), dtype="object")
    if table.ndim != 2 or table.dtype.kind not in "iufb" or table.shape[1] < 2:
        raise ValueError(
            f"`{name}` must be one integer or one float per row, or of several "
            "labels as many numbers as there are classes, 1 for those that "
            f"the row has and 0 for the others. Received: {_shown(rows)}; "
            "`task.encode_labels(labels)` of a `MultiLabelTask` makes them of "
            "names."
        )
    _raise_at(
        ~np.isin(table, (0, 1)).all(axis=1),
        table,
        f"`{name}` must be 0 or 1 for each class where a row may have several "
        "labels; where it has one, the class index is `labels.argmax(axis=1)`",
    )
    return table.astype("float32")


def is_missing(value):
    """Whether a value is None, NaN or pandas.NA."""
    if value is None:
        return True
    if isinstance(value, (str, bytes)):
        return False
    try:
        # NaN and NaT alone differ from themselves.
        return bool(value != value)
    except TypeError:
        # pandas.NA says neither yes nor no.
        return True
    except ValueError:
        # An array.
        return False


def in_order(values, name):
    """The values of a column one after the other, whatever its index."""
    if isinstance(values, (set, frozenset)):
        raise ValueError(
            f"`{name}` must have an order. Received: a set; put it in a list."
        )
    if hasattr(values, "columns") or isinstance(values, dict):
        raise ValueError(
            f"`{name}` must be one column. Received: a "
            f"{type(values).__name__}; choose a column of it."
        )
    if isinstance(values, (list, tuple, np.ndarray)):
        return values
    if keras.ops.is_tensor(values):
        return keras.ops.convert_to_numpy(values)
    if hasattr(values, "numpy") and not hasattr(values, "index"):
        # A tensor of strings, which other backends than TensorFlow lack.
        return np.asarray(values.numpy())
    if hasattr(values, "__iter__"):
        return list(values)
    raise ValueError(
        f"`{name}` must be a list, an array or a series. Received: "
        f"{type(values).__name__}."
    )


def in_words(rows):
    """Some row numbers in a message, such as `row 3 (and 2 more)`."""
    more = len(rows) - _NAMED_ROWS
    named = ", ".join(str(row) for row in rows[:_NAMED_ROWS])
    words = f"{'row' if len(rows) == 1 else 'rows'} {named}"
    return words + (f" and {more:,} more" if more > 0 else "")


def _text(value, row, name):
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"`{name}` must be strings or UTF-8 bytes. Received, in row "
                f"{row}: {value[:40]!r}, whose byte {error.start + 1} is not "
                "UTF-8; decode them."
            ) from error
    if is_missing(value):
        raise ValueError(
            f"`{name}` must have a text in each row. Received, in row {row}: "
            f"{value!r}; leave the row out or fill it in."
        )
    raise ValueError(
        f"`{name}` must be strings. Received, in row {row}: "
        f"{str(value)[:40]!r}, of type {type(value).__name__}."
    )


def _check_characters(texts, name):
    """Raises on what a Python string may hold and UTF-8 may not."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        for row, text in enumerate(texts):
            if any("\ud800" <= letter <= "\udfff" for letter in text):
                raise ValueError(
                    f"`{name}` must be whole characters. Received, in row "
                    f"{row}: {text[:40]!r}, which holds half of one."
                ) from None


def _numbers(labels, name):
    """An array of objects as one of numbers, if it holds them."""
    missing = np.array([is_missing(label) for label in labels], dtype=bool)
    if missing.any():
        rows = np.flatnonzero(missing)
        raise ValueError(
            f"`{name}` must have a label in each row; leave out the rows "
            f"without one. Received: {labels[rows[0]]!r} in {in_words(rows)}."
        )
    plain = np.array(labels.tolist()) if len(labels) else labels.astype("int32")
    return plain if plain.dtype.kind in "iufb" else labels


def _hint(labels):
    if labels.ndim == 2 and labels.shape[1] > 1:
        return (
            "; of one value for each class the class index is "
            "`labels.argmax(axis=1)`"
        )
    if labels.ndim == 2:
        return "; `labels[:, 0]` are one for each row"
    if labels.dtype.kind in "UO" and labels.size and isinstance(labels[0], str):
        return (
            f" ({labels[0]!r} in row 0); `task.encode_labels(labels)` gives "
            "the class indices of names"
        )
    return ""


def _is_several(label):
    """Whether what stands for a label is a list of them."""
    return isinstance(label, (list, tuple, np.ndarray)) and np.ndim(label) > 0


def _shown(rows):
    """The beginning of a column, in a message."""
    first = ", ".join(str(row) for row in rows[:_NAMED_ROWS])
    return f"{first}{', ...' if len(rows) > _NAMED_ROWS else ''}"


def _raise_at(is_bad, labels, message):
    if is_bad.any():
        rows = np.flatnonzero(is_bad)
        raise ValueError(
            f"{message}. Received: {labels[rows[0]]} in {in_words(rows)}."
        )
