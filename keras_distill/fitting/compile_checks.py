"""Whether compiled losses and metrics fit what a student gives.

Keras takes a loss for probabilities on a model that gives logits, and the
other way round, and the student then learns next to nothing without a word.
"""

import warnings

import keras

from keras_distill.features import names

_CROSS_ENTROPIES = (
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "sparse_categorical_crossentropy",
)
# Of one label for a row, which a single output cannot tell apart.
_OF_CLASSES = (
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "sparse_categorical_crossentropy",
)
# They take two distributions, and no `from_logits`.
_OF_PROBABILITIES = ("kl_divergence", "kullback_leibler_divergence", "kld")
_PROBABILITIES = ("softmax", "sigmoid")
# Metrics that hold predictions against thresholds from 0 to 1.
_BY_THRESHOLD = (
    keras.metrics.BinaryAccuracy,
    keras.metrics.BinaryIoU,
    keras.metrics.FalseNegatives,
    keras.metrics.FalsePositives,
    keras.metrics.Precision,
    keras.metrics.PrecisionAtRecall,
    keras.metrics.Recall,
    keras.metrics.RecallAtPrecision,
    keras.metrics.SensitivityAtSpecificity,
    keras.metrics.SpecificityAtSensitivity,
    keras.metrics.TrueNegatives,
    keras.metrics.TruePositives,
)


def check_compiled(description, loss, metrics=()):
    """Raises if a loss or metric is not for what a student gives.

    What can only be wrong is refused: a cross entropy of probabilities on
    logits, one of logits on probabilities, classes of a single output, and
    metrics of probabilities beside a loss of logits. What may be meant is
    warned of. Of outputs that nothing is known of (a subclassed model, a layer
    of one's own) nothing is said.

    Args:
        description: `keras_distill.features.ModelDescription` of the student.
        loss: The `loss` of `compile`.
        metrics: sequence of what `compile` took as metrics.

    Raises:
        ValueError: If they do not fit.
    """
    outputs = list(description.output_activations)
    losses = _by_output(outputs, loss, spread=True)
    for output in outputs:
        for one in _flat(losses.get(output)):
            _check_loss(description, output, one)
    for group in metrics:
        for output, found in _by_output(outputs, group).items():
            for metric in _flat(found):
                _check_metric(description, output, metric, losses.get(output))


def loss_kind(loss):
    """What a loss on labels is.

    Args:
        loss: A Keras loss, its name or its function.

    Returns:
        Tuple of the name of the function, such as
        `"sparse_categorical_crossentropy"`, and whether it takes logits. The
        name is `None` for a loss of another maker.
    """
    try:
        found = keras.losses.get(loss)
    except (TypeError, ValueError):
        # Keras says so itself.
        return None, False
    function = getattr(found, "fn", found)
    if getattr(function, "__module__", "").startswith("keras."):
        from_logits = False
        if isinstance(found, keras.losses.Loss):
            from_logits = found.get_config().get("from_logits", False)
        return getattr(function, "__name__", None), bool(from_logits)
    return None, False


def losses_by_output(description, loss):
    """The loss on the labels of each output.

    Args:
        description: `keras_distill.features.ModelDescription` of the student.
        loss: The `loss` of `compile`.

    Returns:
        dict of the name of an output to its loss.
    """
    return _by_output(list(description.output_activations), loss, spread=True)


def _check_loss(description, output, loss):
    kind, from_logits = loss_kind(loss)
    activation = description.output_activations[output]
    of = _of(description, output)
    received = f"loss={_name(loss)!r}"
    if kind in (*_CROSS_ENTROPIES, *_OF_PROBABILITIES) and not from_logits:
        if output in description.linear_outputs:
            way_out = (
                "Use a cross entropy of logits, or KL of a softmax of your own"
                if kind in _OF_PROBABILITIES
                else f"Pass keras.losses.{_class_of(kind)}(from_logits=True)"
            )
            raise ValueError(
                f"`loss` takes probabilities, but {of} gives logits: it ends "
                f"without an activation. Received: {received}. {way_out}."
            )
    if (
        kind in _CROSS_ENTROPIES
        and from_logits
        and activation in _PROBABILITIES
    ):
        raise ValueError(
            f"`loss` takes logits (from_logits=True), but {of} ends in a "
            f"{activation}. Received: {received}. Pass keras.losses."
            f"{_class_of(kind)}(), or build the student with "
            "`activation=None`."
        )
    if kind in _OF_CLASSES and _width(description, output) == 1:
        raise ValueError(
            f"`loss` takes one output for each class, but {of} has a single "
            f"output. Received: {received}. Build the student with "
            "`num_classes=2` or more, or use keras.losses.BinaryCrossentropy("
            "from_logits=True) for yes/no labels and keras.losses."
            "MeanSquaredError() for numbers."
        )


def _check_metric(description, output, metric, loss):
    kind, from_logits = loss_kind(loss) if loss is not None else (None, False)
    gives_logits = output in description.linear_outputs and from_logits
    of = _of(description, output)
    one_output = _width(description, output) == 1
    is_accuracy = isinstance(metric, str) and metric in ("accuracy", "acc")
    if is_accuracy:
        if gives_logits and one_output:
            _refuse_metric(of, metric, "BinaryAccuracy(threshold=0.0)")
        if kind == "binary_crossentropy" and not one_output:
            warnings.warn(
                f"`metrics` holds {metric!r}, which compares the greatest "
                f"output with the greatest label, but {of} learns yes/no "
                "labels, each by itself. For the share of labels that are "
                "right, pass keras.metrics.BinaryAccuracy("
                f"{'threshold=0.0' if from_logits else ''}).",
                stacklevel=4,
            )
        return
    found = _metric(metric)
    if not isinstance(found, keras.metrics.Metric):
        return
    takes_logits = found.get_config().get("from_logits")
    class_name = type(found).__name__
    if takes_logits is not None:
        activation = description.output_activations[output]
        if gives_logits and not takes_logits:
            _refuse_metric(of, metric, f"{class_name}(from_logits=True)")
        if takes_logits and activation in _PROBABILITIES:
            raise ValueError(
                f"`metrics` holds one of logits, but {of} ends in a "
                f"{activation}. Received: {_name(metric)!r}. Pass "
                f"keras.metrics.{class_name}()."
            )
    elif gives_logits and isinstance(found, _BY_THRESHOLD):
        if _holds_against_half(found):
            way_out = f"{class_name}(threshold=0.0)"
            if hasattr(found, "thresholds"):
                way_out = f"{class_name}(thresholds=0.0)"
            _refuse_metric(of, metric, way_out)
    elif gives_logits and isinstance(found, keras.metrics.KLDivergence):
        _refuse_metric(of, metric, "CategoricalCrossentropy(from_logits=True)")


def _refuse_metric(of, metric, way_out):
    raise ValueError(
        f"`metrics` holds one of probabilities, but {of} gives logits. "
        f"Received: {_name(metric)!r}. Pass keras.metrics.{way_out}."
    )


def _holds_against_half(metric):
    """Whether the threshold of a metric is one of probabilities."""
    if isinstance(metric, keras.metrics.BinaryAccuracy):
        return metric.threshold > 0
    if isinstance(metric, keras.metrics.BinaryIoU):
        return metric.threshold > 0
    if getattr(metric, "top_k", None) is not None:
        # The greatest outputs count, of logits as of probabilities.
        return False
    return any(threshold > 0 for threshold in metric.thresholds)


def _metric(metric):
    """The metric that Keras will make of what `compile` took, or `None`."""
    if isinstance(metric, str):
        spelt = metric.replace("_", "").lower()
        metric = next(
            (
                found
                for name, found in vars(keras.metrics).items()
                if name.lower() == spelt and isinstance(found, type)
            ),
            None,
        )
    if isinstance(metric, type) and issubclass(metric, keras.metrics.Metric):
        try:
            # With a name: Keras counts up those that it makes.
            return metric(name="checked")
        except TypeError:
            # Keras says so itself.
            return None
    return metric


def _by_output(outputs, things, spread=False):
    """Losses or metrics by the output that they are for."""
    if things is None:
        return {}
    if len(outputs) == 1:
        if isinstance(things, dict):
            things = list(things.values())
        return {outputs[0]: things}
    keys = [output.partition(".")[2] for output in outputs]
    if isinstance(things, dict):
        return {
            f"{names.OUTPUT}.{key}": thing
            for key, thing in things.items()
            if key in keys
        }
    if isinstance(things, (list, tuple)):
        if len(things) == len(outputs):
            return dict(zip(outputs, things, strict=True))
        return {}
    return {output: things for output in outputs} if spread else {}


def _flat(things):
    return [one for one in keras.tree.flatten(things) if one is not None]


def _width(description, output):
    shape = description.shapes.get(output)
    return shape[-1] if shape else None


def _of(description, output):
    if output == names.LOGITS:
        return f"the student '{description.name}'"
    return (
        f"output '{output.partition('.')[2]}' of the student "
        f"'{description.name}'"
    )


def _class_of(kind):
    return "".join(word.capitalize() for word in kind.split("_"))


def _name(thing):
    if isinstance(thing, str):
        return thing
    if isinstance(thing, type):
        return thing.__name__
    return getattr(thing, "__name__", type(thing).__name__)
