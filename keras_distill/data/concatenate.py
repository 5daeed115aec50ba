"""Several sets of examples as one."""

import numpy as np

from keras_distill.data.examples import Examples


def concatenate(*parts):
    """Puts several `Examples` one after the other.

    The class indices must mean the same in each; `join_tasks` checks that.

    Args:
        *parts: `Examples` with equally many text columns, all with class
            indices, all with several labels of as many classes, all with
            scores, or all without labels.

    Returns:
        `Examples` whose ids count from 0.

    Raises:
        ValueError: no parts, or parts of different kinds.

    Example:

    >>> from keras_distill.tasks import Examples
    >>> from keras_distill.data import concatenate
    >>> examples = concatenate(
    ...     Examples((["a good film"],), labels=[1]),
    ...     Examples((["a dull plot", "bad"],), labels=[0, 0]),
    ... )
    >>> examples.labels
    array([1, 0, 0], dtype=int32)
    """
    if not parts:
        raise ValueError("`parts` must hold at least one `Examples`.")
    kinds = [_kind(part) for part in parts]
    if len(set(kinds)) > 1:
        raise ValueError(
            "`parts` must have equally many texts and the same kind of "
            f"labels. Received: {'; '.join(kinds)}."
        )
    columns = zip(*(part.texts for part in parts), strict=True)
    labels = None
    if parts[0].labels is not None:
        labels = np.concatenate([part.labels for part in parts])
    return Examples(
        texts=tuple(
            [text for texts in column for text in texts] for column in columns
        ),
        labels=labels,
    )


def _kind(examples):
    labels = "no labels"
    if examples.labels is not None:
        is_class = examples.labels.dtype.kind == "i"
        labels = "classes" if is_class else "scores"
        if examples.labels.ndim > 1:
            labels = f"several labels of {examples.labels.shape[1]} classes"
    return f"{len(examples.texts)} text columns and {labels}"
