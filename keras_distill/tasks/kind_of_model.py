"""The kind of task that a model was made for, where no task says it."""

import keras

from keras_distill.models import TokenClassifier
from keras_distill.tasks.kinds import kind_named

# What labels that do not exclude each other are learnt by.
_BINARY_LOSSES = (
    keras.losses.BinaryCrossentropy,
    keras.losses.BinaryFocalCrossentropy,
)
_BINARY_FUNCTIONS = (
    keras.losses.binary_crossentropy,
    keras.losses.binary_focal_crossentropy,
)


def kind_of_model(model, label_names=None, multi_label=None):
    """The kind of task that a model shows by its class, head and loss.

    Args:
        model: KerasHub task.
        label_names: sequence of strings. Defaults to `None`: a regression.
        multi_label: bool. Whether labels do not exclude each other. Defaults
            to `None`, as the model shows: whether it ends in a sigmoid or is
            compiled with a binary cross-entropy.

    Returns:
        A subclass of `keras_distill.tasks.Task`.

    Raises:
        ValueError: if `multi_label` does not fit the model or its names.
    """
    if label_names is None:
        if multi_label:
            raise ValueError(
                "`label_names` is missing: `multi_label=True` gives each label "
                "a probability. Pass one name for each output, in their order."
            )
        return kind_named("regression")
    shown = _shows_several(model, len(label_names))
    if None not in (multi_label, shown) and bool(multi_label) != shown:
        activation = model.activation
        name = getattr(activation, "__name__", type(activation).__name__)
        raise ValueError(
            f"`multi_label={multi_label}` does not fit `classifier`, a "
            f"{type(model).__name__} of {len(label_names)} outputs with "
            f"activation={name!r}. Leave `multi_label` out."
        )
    if isinstance(model, TokenClassifier):
        return kind_named("tagging")
    if multi_label is None:
        multi_label = _learnt_several(model) if shown is None else shown
    return kind_named("multi_label" if multi_label else "classification")


def _shows_several(model, num_labels):
    """What the outputs themselves say; `None` if they can be either."""
    if isinstance(model, TokenClassifier):
        return False
    # A share of one needs another label to share with.
    if num_labels == 1 or model.activation is keras.activations.sigmoid:
        return True
    if model.activation is keras.activations.softmax:
        return False
    return None


def _learnt_several(model):
    """Whether the loss that a model is compiled with is that of labels which
    do not exclude each other."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    return isinstance(loss, _BINARY_LOSSES) or loss in _BINARY_FUNCTIONS
