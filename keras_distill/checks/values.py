"""Whether a model can take labels and token ids, or which row it cannot.

On NumPy arrays, once for a data set: a step pays nothing for it. Without
these checks TensorFlow ends deep inside of the graph, and a GPU gives NaN.
"""

import numpy as np

from keras_distill.checks.columns import in_words

# What other libraries put where there is no label.
_NO_LABEL = {
    -1: "-1 marks rows without a label: leave them out",
    -100: "-100 marks what Hugging Face leaves out of the loss: give it a "
    "`sample_weight` of 0 and the label 0",
}


def check_class_labels(labels, num_classes, name="labels", first_row=0):
    """Raises unless all labels are class indices of a model."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iufb":
        raise ValueError(
            f"`{name}` must be class indices from 0 to {num_classes - 1}. "
            f"Received: dtype {labels.dtype}."
        )
    with np.errstate(invalid="ignore"):
        is_class = (labels >= 0) & (labels < num_classes)
        if labels.dtype.kind == "f":
            is_class &= labels == np.floor(labels)
    if is_class.all():
        return
    rows = _rows(is_class)
    label = labels[rows[0]][~is_class[rows[0]]].flat[0]
    hint = _NO_LABEL.get(label.item(), "")
    if label == num_classes and not (labels == 0).any():
        hint = "classes count from 0: subtract 1"
    raise ValueError(
        f"`{name}` must be class indices from 0 to {num_classes - 1}, of a "
        f"model of {num_classes} classes. Received: {label} in "
        f"{in_words(rows + first_row)}{'; ' + hint if hint else ''}."
    )


def check_scores(labels, name="labels", first_row=0):
    """Raises unless all labels are finite numbers."""
    labels = np.asarray(labels, dtype="float64")
    is_finite = np.isfinite(labels)
    if is_finite.all():
        return
    rows = _rows(is_finite)
    score = labels[rows[0]][~is_finite[rows[0]]].flat[0]
    raise ValueError(
        f"`{name}` must be finite numbers. Received: {score} in "
        f"{in_words(rows + first_row)}; leave out the rows without a score."
    )


def check_several_labels(labels, num_classes, name="labels"):
    """Raises unless rows of several labels have one number for each class."""
    if labels.shape[1] != num_classes:
        raise ValueError(
            f"`{name}` must have a number for each of the {num_classes} "
            f"outputs of the model. Received: {labels.shape[1]} in each row."
        )


def check_token_ids(token_ids, vocabulary_size, name="token_ids", first_row=0):
    """Raises unless all token ids are of a model's vocabulary."""
    token_ids = np.asarray(token_ids)
    is_known = (token_ids >= 0) & (token_ids < vocabulary_size)
    if is_known.all():
        return
    rows = _rows(is_known)
    token = token_ids[rows[0]][~is_known[rows[0]]].flat[0]
    raise ValueError(
        f"`{name}` must be from 0 to {vocabulary_size - 1}, of a model whose "
        f"vocabulary has {vocabulary_size} tokens. Received: {token} in "
        f"{in_words(rows + first_row)}; use the model's own tokenizer."
    )


def check_length(longest, max_length, name="sequence_length", row=None):
    """Raises if rows are longer than a model has positions."""
    if longest > max_length:
        where = "" if row is None else f" in row {row}"
        raise ValueError(
            f"`{name}` must be at most {max_length}, the positions that the "
            f"model has. Received: {longest} tokens{where}; tokenise with a "
            f"`sequence_length` of {max_length} or less."
        )


def num_positions(model):
    """How many tokens a model has positions for, or `None` if any number."""
    lengths = [
        layer.sequence_length
        for layer in model._flatten_layers()
        if type(layer).__name__ == "PositionEmbedding"
    ]
    return min(lengths, default=None)


def num_outputs(model):
    """The width of a model's one output, or `None` if that is not known."""
    width = getattr(model, "num_classes", None)
    if width is None:
        # A model without a fixed input has no such attribute.
        shape = getattr(model, "output_shape", None)
        is_one = isinstance(shape, tuple) and shape
        width = shape[-1] if is_one else None
    return width if isinstance(width, int) else None


def _rows(is_good):
    """The numbers of the rows that hold anything bad."""
    return np.flatnonzero(~is_good.reshape(len(is_good), -1).all(axis=1))
