"""Labels and weights as people have them, as arrays."""

from collections.abc import Mapping

import keras
import numpy as np

from keras_distill.checks.columns import label_column
from keras_distill.checks.columns import text_column
from keras_distill.fitting.text_columns import first_of
from keras_distill.fitting.text_columns import is_column
from keras_distill.fitting.text_columns import is_text


def as_labels(y, label_names=None, name="y"):
    """Labels as arrays, those of several outputs in the same structure.

    Args:
        y: What `fit` got: a column or table of numbers, or a dict, list or
            tuple of them; names of classes in place of their numbers.
        label_names: Optional sequence of str. The names of the classes in the
            order of the outputs, if they are known.
        name: str. The argument's name, for messages.

    Returns:
        Array, or structure of arrays.

    Raises:
        ValueError: If a row has no label, or a name is unknown.
    """
    if y is None:
        return None
    if isinstance(y, Mapping):
        return {
            key: as_labels(part, label_names, f"{name}[{key!r}]")
            for key, part in y.items()
        }
    if isinstance(y, (list, tuple)):
        if is_column(first_of(y)) and _are_several(y):
            return type(y)(
                as_labels(part, label_names, f"{name}[{number}]")
                for number, part in enumerate(y)
            )
        if not is_text(y):
            y = as_arrays(list(y))
    if is_text(y):
        return class_numbers(text_column(y, name), label_names, name)
    y = to_numpy(y)
    if y.dtype.kind == "O" and y.ndim == 1:
        y = label_column(y, name)
    return y.astype(keras.config.floatx()) if y.dtype.kind == "f" else y


def word_labels(y, label_names=None):
    """The labels of words, a list for each sentence, as numbers."""
    if y is None or not is_text(first_of(y)):
        return y
    return [class_numbers(list(labels), label_names, "y") for labels in y]


def class_numbers(labels, label_names, name):
    """The numbers of classes that are given by their names."""
    if label_names is None:
        raise ValueError(
            f"`{name}` must hold numbers. Received: texts. Give each class "
            "its number, from 0, in the order of the model's outputs; or pass "
            "what keras_distill.teachers.load_teacher returned as `teacher`, "
            "which knows the names of the classes if its preset does."
        )
    numbers = {label: number for number, label in enumerate(label_names)}
    for row, label in enumerate(labels):
        if label not in numbers:
            raise ValueError(
                f"`{name}` must hold the teacher's classes, "
                f"{', '.join(label_names)}. Received: {label!r} in row {row}."
            )
    return np.array([numbers[label] for label in labels], "int32")


def as_arrays(part):
    """Lists of numbers as arrays, and any mapping as a dict."""
    if isinstance(part, Mapping):
        return {key: as_arrays(value) for key, value in part.items()}
    if isinstance(part, tuple):
        return tuple(as_arrays(one) for one in part)
    if not isinstance(part, list) or not part:
        return part
    first = part[0]
    while isinstance(first, list) and first:
        first = first[0]
    if not isinstance(first, (int, float, np.number, np.bool_, type(None))):
        return [as_arrays(one) for one in part]
    try:
        return np.array(part)
    except ValueError as error:
        raise ValueError(
            "Rows must be of one length. Received: lists of different lengths."
            " Pad them, or use keras_distill.tasks.TokenizedExamples, which "
            "pads each batch."
        ) from error


def to_numpy(values):
    """An array, a tensor or a column of a table as a NumPy array."""
    if hasattr(values, "to_numpy"):
        # Of pandas and Polars.
        return values.to_numpy()
    if isinstance(values, np.ndarray):
        return values
    return keras.ops.convert_to_numpy(values)


def _are_several(y):
    """Whether a list holds the labels of outputs, not of rows."""
    # Rows of a list are lists of numbers; outputs are arrays.
    return isinstance(y, tuple) or any(hasattr(part, "shape") for part in y)
