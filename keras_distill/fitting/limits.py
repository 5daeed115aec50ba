"""What the values of a batch may be, read off models and losses."""

import dataclasses

import keras

from keras_distill.checks.values import Limit
from keras_distill.checks.values import class_limit
from keras_distill.checks.values import finite_limit
from keras_distill.checks.values import length_limit
from keras_distill.checks.values import num_positions
from keras_distill.checks.values import token_limit
from keras_distill.features import names
from keras_distill.fitting.compile_checks import loss_kind


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a tensor stands in a batch.

    Attributes:
        part: int. 0 for the inputs, 1 for the labels.
        key: The key in the inputs or labels, or `None` if they are a tensor.
    """

    part: int
    key: object

    @property
    def name(self):
        """What messages call it."""
        name = ("x", "y")[self.part]
        return name if self.key is None else f"{name}[{self.key!r}]"

    def find(self, batch):
        """The tensor of a batch, or `None`."""
        if len(batch) <= self.part or batch[self.part] is None:
            return None
        found = batch[self.part]
        if self.key is None:
            is_tensor = hasattr(found, "shape") and hasattr(found, "dtype")
            return found if is_tensor else None
        try:
            return found[self.key]
        except (IndexError, KeyError, TypeError):
            return None


def limits_of(models, description, losses):
    """The limits of all that is read of a batch.

    Args:
        models: dict of role to `keras.Model`.
        description: `ModelDescription` of the student.
        losses: dict of the name of an output to its loss on labels.

    Returns:
        list of `(place, limit)`.
    """
    found = {}
    for place, limit in (
        *(limit for m in models.items() for limit in _input_limits(*m)),
        *_label_limits(description, losses),
    ):
        # What both models ask is asked once.
        key = (place, type(limit), getattr(limit, "low", None), limit.high)
        found.setdefault(key, (place, limit))
    return list(found.values())


def label_place(losses, output):
    """Where the labels of an output are."""
    if len(losses) == 1 and output == names.LOGITS:
        return Place(1, None)
    key = output.partition(".")[2]
    return Place(1, int(key) if key.isdigit() else key)


def expected_inputs(model):
    """The symbolic inputs of a model, or `None` if it has none."""
    try:
        return model.input
    except (AttributeError, ValueError):
        return None


def _input_limits(role, model):
    """What a model's tables of words, segments and positions hold."""
    of = f"the {role} '{model.name}'"
    backbone = getattr(model, "backbone", model)
    inputs = dict(_items(expected_inputs(model)))
    limits = {}
    vocabulary_size = getattr(backbone, "vocabulary_size", None)
    if isinstance(vocabulary_size, int):
        limits["token_ids"] = token_limit(vocabulary_size, of)
    num_segments = getattr(backbone, "num_segments", None)
    if isinstance(num_segments, int):
        limits["segment_ids"] = Limit(
            0,
            num_segments - 1,
            f"the segments of {of}",
            "Segments are 0 for the first text and 1 for the second.",
        )
    for layer in model._flatten_layers(include_self=False):
        if not isinstance(layer, keras.layers.Embedding):
            continue
        # A table that a model of one's own reads an input with.
        for key, tensor in inputs.items():
            if key not in limits and any(
                tensor is found
                for node in layer._inbound_nodes
                for found in node.input_tensors
            ):
                limits[key] = Limit(
                    0,
                    layer.input_dim - 1,
                    f"what '{layer.name}' of {of} has room for",
                    "Build it with a larger `input_dim`.",
                )
    for key, limit in limits.items():
        if key in inputs:
            yield Place(0, key), limit
    longest = num_positions(model)
    if longest is not None and "token_ids" in inputs:
        yield Place(0, "token_ids"), length_limit(longest, of)


def _label_limits(description, losses):
    """What the losses on labels take."""
    for output, loss in losses.items():
        place = label_place(losses, output)
        kind, _ = loss_kind(loss)
        width = (description.shapes.get(output) or (None,))[-1]
        if kind == "sparse_categorical_crossentropy" and width:
            ignored = None
            if isinstance(loss, keras.losses.Loss):
                ignored = loss.get_config().get("ignore_class")
            yield (
                place,
                class_limit(
                    width,
                    f"the student '{description.name}'",
                    "Number the classes from 0, build the student with more "
                    "of them (`num_classes`), or leave a number out with the "
                    "loss's `ignore_class`.",
                    ignored,
                ),
            )
        elif kind is not None and kind.endswith("crossentropy"):
            what = "no and yes, or probabilities"
            yield place, Limit(0, 1, what, "Write labels as 0 and 1.")
        elif kind is not None:
            yield place, finite_limit("Leave the row out, or give it a label.")


def _items(expected):
    if expected is None:
        return []
    if isinstance(expected, dict):
        return list(expected.items())
    if isinstance(expected, (list, tuple)):
        return list(enumerate(expected))
    return [(None, expected)]
