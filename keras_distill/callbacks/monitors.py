"""Whether what callbacks wait for will ever be in the logs."""

import warnings

import keras

from keras_distill.callbacks.keep_best import KeepBest

# Names of keras.distillation for what has another name here.
_TOTAL = "total_loss"
_ALL_TERMS = "distillation_loss"


def check_monitors(callbacks, loss_names, metrics, validates):
    """Raises if a callback monitors what is never logged."""
    # Keras warns of it at the end of each epoch, and goes on training. A
    # callback of one's own may add to the logs: beside such, only a name of
    # `keras.distillation` is told, in a warning.
    measures = [c for c in callbacks if isinstance(c, KeepBest)]
    others = [c for c in callbacks if _may_add_logs(c)]
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if not isinstance(monitor, str) or isinstance(callback, KeepBest):
            continue
        if not getattr(callback, "save_best_only", True):
            # A ModelCheckpoint that keeps each epoch has its default there.
            continue
        name = monitor.removeprefix("val_")
        is_of_validation = name != monitor
        if is_of_validation and measures:
            continue
        missing = None
        if not _is_known(name, loss_names, metrics):
            missing = _instead(monitor, name, loss_names, metrics)
        elif is_of_validation and not validates:
            missing = "Pass `validation_data` to `fit`."
        if missing is None or (others and name not in (_TOTAL, _ALL_TERMS)):
            continue
        message = (
            f"{type(callback).__name__} monitors what is never logged. "
            f"Received: monitor={monitor!r}. {missing}"
        )
        if not others:
            raise ValueError(message)
        warnings.warn(message, stacklevel=3)


def metric_names(*compiled):
    """The names that compiled metrics have in the logs."""
    return [
        metric
        if isinstance(metric, str)
        else getattr(metric, "name", getattr(metric, "__name__", ""))
        for metrics in compiled
        for metric in keras.tree.flatten(metrics)
        if metric is not None
    ]


def _is_known(name, loss_names, metrics):
    if name in loss_names or name == "learning_rate":
        return True
    # Keras writes names in its own case, numbers them and puts outputs first.
    spelt = name.replace("_", "").lower()
    return any(
        metric and metric.replace("_", "").lower() in spelt
        for metric in metrics
    )


def _instead(monitor, name, loss_names, metrics):
    prefix = monitor[: len(monitor) - len(name)]
    if name == _TOTAL:
        return f"The total loss is {prefix + 'loss'!r} here."
    known = [*loss_names, *metrics]
    if name == _ALL_TERMS:
        terms = [n for n in loss_names if n not in ("loss", "student_loss")]
        return (
            "Each distillation loss has its own name here: "
            f"{', '.join(repr(prefix + term) for term in terms)}."
        )
    return f"Logged are {', '.join(repr(prefix + one) for one in known)}."


def _may_add_logs(callback):
    """Whether nobody knows what a callback adds to the logs."""
    if isinstance(callback, keras.callbacks.LambdaCallback):
        return True
    room = type(callback).__module__.split(".")[0]
    return room not in ("keras", "keras_distill")
