"""Whether a batch has what models and losses read, without its values."""

from collections.abc import Mapping

import keras

from keras_distill.features import select_inputs
from keras_distill.fitting.compile_checks import loss_kind
from keras_distill.fitting.limits import expected_inputs
from keras_distill.fitting.limits import label_place
from keras_distill.fitting.text_columns import is_text


def check_inputs(role, model, x):
    """Raises unless a model finds its inputs in a batch.

    Args:
        role: str. `"student"` or `"teacher"`.
        model: `keras.Model`.
        x: The inputs of the batch, or their specs.

    Raises:
        ValueError: If it does not.
    """
    if x is None:
        raise ValueError(
            "`x` must be given: texts, arrays, a dict of arrays, or a data "
            "set. Received: x=None"
        )
    if is_text(x) and not reads_text(model):
        _refuse_text(x, role, model)
    select_inputs(model, x, role)
    _check_one_width(x)


def check_labels(x, y, losses, shapes, needs_labels=None):
    """Raises unless labels are there and have the shape that losses take.

    Args:
        x: The inputs of the batch, or their specs.
        y: The labels, their specs, or `None`.
        losses: dict of the name of an output to its loss on labels.
        shapes: dict of the name of an output to its shape.
        needs_labels: Optional pair of str. Why there must be labels, and what
            to do in place of that.

    Raises:
        ValueError: If they do not.
    """
    if y is None and needs_labels:
        in_x = [
            name
            for name in ("labels", "label", "y")
            if isinstance(x, Mapping) and name in x
        ]
        raise ValueError(
            f"{needs_labels[0]}. Received: a batch without labels"
            + (f", but with {in_x[0]!r} in `x`" if in_x else "")
            + ". Pass labels as `y`, in a data set as the second part of "
            f"each batch{needs_labels[1]}."
        )
    if y is None:
        return
    if is_text(y):
        raise ValueError(
            "`y` must hold numbers. Received: texts. Give each class its "
            "number, from 0, in the order of the model's outputs."
        )
    for output, loss in losses.items():
        place = label_place(losses, output)
        labels = place.find([x, y])
        if labels is not None:
            _check_shape(place.name, labels, shapes.get(output), loss)


def check_rows(batch):
    """Raises unless all parts of a batch have the same number of rows."""
    rows = {}
    for name, part in zip(("x", "y", "sample_weight"), batch, strict=True):
        for path, leaf in keras.tree.flatten_with_path(part):
            shape = _shape(leaf)
            if shape:
                place = "".join(f"[{key!r}]" for key in path)
                rows[f"{name}{place}"] = shape[0]
    if len(set(rows.values())) > 1:
        raise ValueError(
            "`x`, `y` and `sample_weight` must have the same number of rows. "
            f"Received: {', '.join(f'{k} with {v}' for k, v in rows.items())}."
        )


def reads_text(model):
    """Whether a model takes strings itself."""
    inputs = keras.tree.flatten(expected_inputs(model))
    return any(getattr(one, "dtype", None) == "string" for one in inputs)


def _refuse_text(x, role, model):
    kind = f"texts, as {type(x).__name__}"
    if isinstance(x, Mapping):
        texts = [repr(key) for key, value in x.items() if is_text(value)]
        kind = f"texts in {', '.join(texts)}"
    raise ValueError(
        f"`x` must be token ids, which the {role} '{model.name}' reads. "
        f"Received: {kind}. Texts are read where the models have a "
        "preprocessor, all of them at once (a list, an array, a column) or "
        "from a tf.data.Dataset; not from a generator or a PyDataset. Or "
        "tokenise them once: keras_distill.tasks.TokenizedExamples("
        "keras_distill.tasks.Examples((texts,), labels), tokenizer, "
        "sequence_length)."
    )


def _check_shape(name, labels, shape, loss):
    given = _shape(labels)
    if not shape or shape[-1] is None or given is None:
        return
    width, last = shape[-1], given[-1] if given else None
    is_class_numbers = len(given) == len(shape) - 1 or (last == 1 and width > 1)
    kind, _ = loss_kind(loss)
    received = f"Received: `{name}` of shape {given}"
    if kind == "sparse_categorical_crossentropy":
        if not is_class_numbers:
            raise ValueError(
                f"`loss` {kind} takes one class number for each prediction. "
                f"{received}, beside outputs {_shape_of(shape)}. Pass "
                "`np.argmax(y, -1)`, or use keras.losses."
                "CategoricalCrossentropy(from_logits=True) for labels of one "
                "number for each class."
            )
    elif kind is not None and is_class_numbers and width > 1:
        raise ValueError(
            f"`loss` {kind} takes {width} numbers for each prediction, one "
            f"for each output. {received}, beside outputs "
            f"{_shape_of(shape)}. For class numbers use keras.losses."
            "SparseCategoricalCrossentropy(from_logits=True)."
        )


def _check_one_width(x):
    """Raises if ids and mask of tokens are not of one shape."""
    if not isinstance(x, Mapping) or "token_ids" not in x:
        return
    shape = _shape(x["token_ids"])
    for key in ("segment_ids", "padding_mask"):
        other = _shape(x[key]) if key in x else None
        if None in (shape, other):
            continue
        if len(shape) != len(other) or any(
            None not in pair and pair[0] != pair[1]
            for pair in zip(shape[1:], other[1:], strict=True)
        ):
            raise ValueError(
                f"`x['{key}']` must have the shape of `x['token_ids']`. "
                f"Received: {_shape_of(other)} beside {_shape_of(shape)}."
            )


def _shape(tensor):
    shape = getattr(tensor, "shape", None)
    if shape is None or getattr(shape, "rank", 0) is None:
        return None
    return tuple(shape)


def _shape_of(shape):
    return f"({', '.join('batch' if n is None else str(n) for n in shape)})"
