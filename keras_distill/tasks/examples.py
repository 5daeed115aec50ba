"""The rows of one split of a task."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Texts and labels of one split, in the order of the source.

    Args:
        texts: tuple of one or two lists of strings, one list per text column.
        labels: array of class indices or scores, or `None` when the split is
            unlabelled. Kept as `int32` or `float32`.
        ids: array of row ids. Defaults to `None`, which counts rows from 0.

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
            isinstance(column, str) for column in texts
        ):
            raise ValueError(
                "`texts` must be a tuple with one list of strings per text "
                f"column. Received: {type(texts).__name__}."
            )
        if len(texts) not in (1, 2):
            raise ValueError(
                "`texts` must hold one or two text columns. "
                f"Received: {len(texts)}."
            )
        ids = np.arange(len(self)) if self.ids is None else self.ids
        # A frozen dataclass sets its own normalised fields this way.
        object.__setattr__(self, "ids", np.asarray(ids, dtype="int64"))
        if self.labels is not None:
            object.__setattr__(self, "labels", _label_array(self.labels))
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
        if count < 0:
            raise ValueError(
                f"`count` must not be negative. Received: {count}."
            )
        return self.select(np.arange(min(count, len(self))))

    def select(self, rows):
        """Returns some rows, with their ids.

        Args:
            rows: integer array of row numbers.

        Returns:
            `Examples`.
        """
        return Examples(
            texts=tuple([column[row] for row in rows] for column in self.texts),
            labels=None if self.labels is None else self.labels[rows],
            ids=self.ids[rows],
        )


def _label_array(labels):
    """Class indices as int32, scores as float32."""
    labels = np.asarray(labels)
    if labels.ndim == 1 and labels.dtype.kind in "iu":
        return labels.astype("int32")
    if labels.ndim == 1 and labels.dtype.kind == "f":
        return labels.astype("float32")
    raise ValueError(
        "`labels` must be one integer or one float per row. "
        f"Received: shape {labels.shape}, dtype {labels.dtype}."
    )
