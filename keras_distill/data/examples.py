"""The rows of one split of a task."""

import dataclasses

import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.checks.columns import example_labels
from keras_distill.checks.columns import in_order
from keras_distill.checks.columns import text_column


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Texts and labels of one split, in the order of the source.

    Columns are read by position: those of a table may have any index.

    Args:
        texts: tuple of one or two columns of strings: lists, NumPy arrays or
            pandas series, also of UTF-8 bytes. Kept as lists of `str`.
        labels: column of class indices (ints or bools) or scores (floats), or
            `None` when the split is unlabelled. Kept as an array of `int32`
            or `float32`. Rows of several labels are a table of shape `(rows,
            classes)` of 1 and 0, kept as `float32`. Names of classes, one or
            a list for each row, and class indices that a table holds as
            floats, become such numbers by `Task.encode_labels`.
        ids: column of row ids: ints, kept as `int64`, or strings, kept as
            `str` in an array of objects. Defaults to `None`, which counts
            rows from 0.

    Raises:
        ValueError: a missing text or label, with its row; columns of other
            types, or of different lengths.

    Example:

    >>> import keras_distill
    >>> examples = keras_distill.tasks.Examples(
    ...     texts=(["a good film", "a dull plot"],), labels=[1, 0]
    ... )
    >>> len(examples), examples.take(1).texts
    (2, (['a good film'],))
    """

    texts: tuple
    labels: np.ndarray | None = None
    ids: np.ndarray | None = None

    def __post_init__(self):
        texts = self.texts
        if not isinstance(texts, tuple) or any(
            isinstance(column, (str, bytes)) for column in texts
        ):
            raise ValueError(
                "`texts` must be a tuple with one list of strings per text "
                f"column. Received: {type(texts).__name__}{_hint(texts)}."
            )
        if len(texts) not in (1, 2):
            raise ValueError(
                "`texts` must hold one or two text columns. "
                f"Received: {len(texts)}."
            )
        texts = tuple(
            text_column(column, f"texts[{number}]")
            for number, column in enumerate(texts)
        )
        # A frozen dataclass sets its own normalised fields this way.
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "ids", id_column(self.ids, len(self)))
        if self.labels is not None:
            object.__setattr__(self, "labels", example_labels(self.labels))
        lengths = [len(column) for column in texts] + [len(self.ids)]
        if self.labels is not None:
            lengths.append(len(self.labels))
        if len(set(lengths)) > 1:
            raise ValueError(
                "`texts`, `ids` and `labels` must have the same number of "
                f"rows. Received: {lengths}."
            )

    def __len__(self):
        return len(self.texts[0])

    def take(self, count):
        """Returns the first `count` rows, or all if there are fewer.

        Args:
            count: int. The number of rows.

        Returns:
            `Examples` over the first rows.
        """
        check_int("count", count, minimum=0)
        return self.select(np.arange(min(count, len(self))))

    def select(self, rows):
        """Returns some rows, with their ids.

        Args:
            rows: integer array of row numbers.

        Returns:
            `Examples`.
        """
        rows = row_numbers(rows, len(self))
        return Examples(
            texts=tuple([column[row] for row in rows] for column in self.texts),
            labels=None if self.labels is None else self.labels[rows],
            ids=self.ids[rows],
        )


def id_column(ids, count):
    """Row ids as an array; those of `None` count from 0.

    Args:
        ids: column of ints or of strings, or `None`.
        count: int. The number of rows.

    Returns:
        int64 array, or array of objects that are `str`, which are the same
        whatever the longest of them is.

    Raises:
        ValueError: ids that are neither integers nor strings, with the row
            where it is one of them.
    """
    if ids is None:
        return np.arange(count, dtype="int64")
    values = in_order(ids, "ids")
    ids = np.asarray(values)
    if ids.dtype.kind == "f" and np.all(ids == np.floor(ids)):
        ids = ids.astype("int64")
    if ids.ndim == 1 and ids.dtype.kind in "SUO" and _has_text(values):
        texts = text_column(values, "ids")
        if "" in texts:
            raise ValueError(
                "`ids` must not be empty. Received: an empty string in row "
                f"{texts.index('')}."
            )
        return np.array(texts, dtype="object")
    if ids.ndim != 1 or (ids.dtype.kind not in "iu" and len(ids)):
        raise ValueError(
            "`ids` must be one integer or string per row. Received: shape "
            f"{ids.shape}, dtype {ids.dtype}; leave `ids` out to count rows."
        )
    return ids.astype("int64")


def row_numbers(rows, count):
    """Row numbers as an integer array; a mask gives those that it marks.

    Args:
        rows: sequence of ints, or of as many bools as there are rows.
        count: int. The number of rows.

    Returns:
        Integer array.

    Raises:
        ValueError: a mask of another length, or what is no row.
    """
    rows = np.asarray(in_order(rows, "rows"))
    if rows.dtype.kind == "b":
        if rows.shape != (count,):
            raise ValueError(
                "`rows` must be row numbers, or a mask with one bool for each "
                f"of {count} rows. Received: a mask of shape {rows.shape}."
            )
        return np.flatnonzero(rows)
    if not len(rows):
        return np.zeros(0, dtype="int64")
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(
            "`rows` must be row numbers. Received: shape "
            f"{rows.shape}, dtype {rows.dtype}."
        )
    if rows.min() < -count or rows.max() >= count:
        raise ValueError(
            f"`rows` must be from 0 to {count - 1}. Received: "
            f"{rows[(rows < -count) | (rows >= count)][0]}."
        )
    return rows


def _has_text(values):
    """Whether a column has a text in any row."""
    return any(isinstance(value, (str, bytes)) for value in values)


def _hint(texts):
    """How what was given becomes a tuple of columns."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__len__"):
        return ""
    if hasattr(texts, "columns"):
        return "; choose columns, such as `(table['text'],)`"
    if isinstance(texts, tuple):
        return "; a tuple of one list is `([...],)`"
    return "; put it in a tuple, `(texts,)`"
