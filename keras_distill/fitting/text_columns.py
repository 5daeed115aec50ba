"""Raw texts as people have them, as the rows of a split."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from keras_distill.checks.columns import is_missing
from keras_distill.checks.columns import text_column
from keras_distill.data import Examples
from keras_distill.data import TaggedExamples


def is_text(part):
    """Whether there are texts in a part of a batch, or in its specs."""
    if isinstance(part, (str, bytes)):
        return True
    if isinstance(part, Sequence):
        return is_text(first_of(part))
    if isinstance(part, Mapping):
        return any(is_text(value) for value in part.values())
    dtype = getattr(part, "dtype", None)
    if dtype is None:
        if hasattr(part, "columns"):
            return any(is_text(part[name]) for name in part.columns)
        return False
    if getattr(dtype, "kind", None) == "O" and not hasattr(dtype, "categories"):
        return is_text(first_of(np.asarray(part).flat))
    if hasattr(dtype, "categories"):
        return is_text(list(dtype.categories))
    # Of NumPy, pandas, Polars and TensorFlow.
    return (
        getattr(dtype, "kind", None) in ("U", "S", "T")
        or str(dtype).lower() in ("str", "string")
        or getattr(dtype, "name", None) == "string"
    )


def text_rows(x):
    """Raw texts as the rows of a split.

    Args:
        x: What `fit` got: one column of texts; a tuple or dict of one or two;
            a table; rows of words; or `Examples` or `TaggedExamples`.

    Returns:
        `Examples` or `TaggedExamples`, or `None` if `x` is no raw text.

    Raises:
        ValueError: If it is, and cannot be read.
    """
    if isinstance(x, (Examples, TaggedExamples)):
        return x
    if not is_text(x):
        return None
    if isinstance(x, Mapping) or hasattr(x, "columns"):
        names = list(x) if isinstance(x, Mapping) else list(x.columns)
        columns = {f"x[{name!r}]": x[name] for name in names}
        others = [name for name, c in columns.items() if not is_text(c)]
        if others:
            raise ValueError(
                "`x` must hold one or two columns of texts and nothing else. "
                f"Received: {', '.join(others)} beside them. Choose the "
                "columns, such as `x={'text': table['text']}`."
            )
    elif isinstance(x, tuple):
        if isinstance(first_of(x), (str, bytes)):
            raise ValueError(
                "`x` must be a list of texts, or a tuple of two columns of "
                "them. Received: a tuple of texts. Put them in a list."
            )
        columns = {f"x[{number}]": column for number, column in enumerate(x)}
    elif isinstance(x, (str, bytes)):
        columns = {"x": x}
    elif getattr(x, "ndim", 1) == 2:
        columns = {f"x[:, {i}]": x[:, i] for i in range(x.shape[1])}
    elif is_column(first_of(x)):
        return TaggedExamples(words=x)
    else:
        columns = {"x": x}
    if len(columns) > 2:
        raise ValueError(
            "`x` must be one column of texts, or two for pairs. Received: "
            f"{len(columns)} columns, {', '.join(columns)}."
        )
    columns = tuple(
        text_column(column, name) for name, column in columns.items()
    )
    if len({len(column) for column in columns}) > 1:
        raise ValueError(
            "The columns of `x` must have the same number of rows. Received: "
            f"{' and '.join(str(len(column)) for column in columns)}."
        )
    return Examples(columns)


def first_of(values):
    """The first value that is not missing, or `None`."""
    for value in values:
        if hasattr(value, "shape") or not is_missing(value):
            return value
    return None


def is_column(value):
    """Whether a value holds others, one after the other."""
    if hasattr(value, "shape"):
        return len(value.shape) > 0
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
