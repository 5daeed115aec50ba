"""Takes the loss objects of `keras.distillation`."""

import keras
from keras import ops

from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.feature_distillation import FeatureDistillation
from keras_distill.losses.logits_distillation import LogitsDistillation
from keras_distill.losses.matching import Match

_LOGITS_LOSSES = {
    "kl_divergence": "kl",
    "categorical_crossentropy": "cross_entropy",
    "mean_squared_error": "mse",
}
_FEATURE_LOSSES = {
    "mean_squared_error": "mse",
    "cosine_similarity": "cosine",
}


def from_keras(loss):
    """Turns a loss of `keras.distillation` into one of this library.

    `keras.distillation.LogitsDistillation` and `FeatureDistillation` become
    the losses of the same name here, which compute what their names say:
    soft targets go through a softmax, padding is left out, sample weights
    count. A subclass of `keras.distillation.DistillationLoss` of your own is
    called as it is.

    Args:
        loss: `keras.distillation.DistillationLoss`.

    Returns:
        `DistillationLoss`.

    Raises:
        ValueError: If the loss is of a kind that has no equal here.
    """
    if type(loss) is keras.distillation.LogitsDistillation:
        return _logits(loss)
    if type(loss) is keras.distillation.FeatureDistillation:
        return _feature(loss)
    return KerasDistillationLoss(loss)


def _logits(loss):
    outputs, kinds = _per_output(loss.loss)
    kind = _single_kind(kinds, _LOGITS_LOSSES, "LogitsDistillation")
    if kind == "mse":
        raise ValueError(
            "`keras.distillation.LogitsDistillation` with a squared error "
            "divides logits by its temperature first. Received: "
            f"temperature={loss.temperature}. Use "
            '`keras_distill.losses.LogitsDistillation(loss="mse")`, which '
            "compares the logits themselves."
        )
    return LogitsDistillation(loss.temperature, kind, outputs=outputs)


def _feature(loss):
    _, kinds = _per_output(loss.loss)
    kind = _single_kind(kinds, _FEATURE_LOSSES, "FeatureDistillation")
    if loss.teacher_layer_name is None and loss.student_layer_name is None:
        if kind != "mse":
            raise ValueError(
                "`keras.distillation.FeatureDistillation` without layer names "
                "compares the final outputs. Received: a loss other than the "
                "mean squared error. Name the layers, or use "
                "`keras_distill.losses.LogitsDistillation`."
            )
        return LogitsDistillation(loss="mse", name="outputs")
    if loss.teacher_layer_name is None or loss.student_layer_name is None:
        raise ValueError(
            "`keras.distillation.FeatureDistillation` needs both layer names "
            "or none. Received: "
            f"teacher_layer_name={loss.teacher_layer_name!r}, "
            f"student_layer_name={loss.student_layer_name!r}."
        )
    return FeatureDistillation(
        loss.student_layer_name, loss.teacher_layer_name, kind
    )


def _per_output(losses):
    """The outputs a nested loss names, and the kind of loss of each."""
    if isinstance(losses, dict):
        items = losses.items()
    elif isinstance(losses, (list, tuple)):
        items = enumerate(losses)
    else:
        return None, [losses]
    chosen = {key: loss for key, loss in items if loss is not None}
    return list(chosen), list(chosen.values())


def _single_kind(losses, known, class_name):
    kinds = set()
    for loss in losses:
        # A Keras loss is a function or an object around one.
        function = getattr(loss, "fn", loss)
        kinds.add(getattr(function, "__name__", repr(loss)))
        _check_options(loss, class_name)
    if len(kinds) != 1 or not kinds <= set(known):
        raise ValueError(
            f"`keras.distillation.{class_name}` is taken with one of the "
            f"losses {', '.join(known)} for all outputs. Received: "
            f"{', '.join(sorted(kinds))}. Use the losses of "
            "`keras_distill.losses`, or subclass its `DistillationLoss`."
        )
    return known[kinds.pop()]


def _check_options(loss, class_name):
    """Raises if a Keras loss has options that would be lost."""
    config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
    lost = [
        f"{option}={config[option]!r}"
        for option, kept in (
            ("label_smoothing", config.get("label_smoothing") in (None, 0)),
            ("axis", config.get("axis") in (None, -1)),
            ("reduction", config.get("reduction") != "sum"),
        )
        if not kept
    ]
    if lost:
        raise ValueError(
            f"`keras.distillation.{class_name}` is taken with a loss over the "
            "last axis, averaged, without label smoothing. Received: "
            f"{type(loss).__name__}({', '.join(lost)}). Leave the options "
            "out, or subclass `keras_distill.losses.DistillationLoss`."
        )


@keras.saving.register_keras_serializable("keras_distill")
class KerasDistillationLoss(DistillationLoss):
    """Calls a user's subclass of `keras.distillation.DistillationLoss`.

    Such a loss gives one number for a batch, so sample weights and masks
    cannot reach it: it is the same for every example of the batch.

    Args:
        loss: `keras.distillation.DistillationLoss`.
        name: Optional str. Defaults to the class name in lower case.
    """

    def __init__(self, loss, name=None):
        super().__init__(name or type(loss).__name__.lower())
        self.loss = loss

    def match(self, teacher, student):
        return (
            Match(
                _layer_or_outputs(self.loss, "student_layer_name"),
                _layer_or_outputs(self.loss, "teacher_layer_name"),
                f"{type(self.loss).__name__} of keras.distillation, unmasked",
            ),
        )

    def per_example(self, teacher, student, mask=None):
        del mask
        self.loss.validate_outputs(teacher, student)
        value = ops.cast(self.loss.compute_loss(teacher, student), "float32")
        batch = ops.shape(keras.tree.flatten(student)[0])[0]
        return ops.broadcast_to(value, (batch,))

    def get_config(self):
        return {
            **super().get_config(),
            "loss": keras.saving.serialize_keras_object(self.loss),
        }


def _layer_or_outputs(loss, attribute):
    layer = getattr(loss, attribute, None)
    return "outputs" if layer is None else f"layer.{layer}"
