"""The metrics of the tasks, which of them fit which task, and their values.

`METRICS` is the one list: what measures a task, selects its models and is
shown in its report is named there.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import stats
from sklearn import metrics

from keras_distill.checks.arguments import did_you_mean
from keras_distill.checks.columns import in_order

# What a metric's labels are.
CLASSES = "classes"
TWO_CLASSES = "two classes"
SCORES = "numbers"
TAGS = "tags of words"

# Inside, outside, beginning: the tag of a word that is part of nothing.
OUTSIDE = "O"

PHRASE_METRICS = ("phrase_f1", "phrase_precision", "phrase_recall")

# What metrics are called elsewhere, and no spelling is near to.
_OTHER_NAMES = {
    "acc": "accuracy",
    "f1_macro": "macro_f1",
    "f1-macro": "macro_f1",
    "mcc": "matthews",
    "pearsonr": "pearson",
    "spearmanr": "spearman",
    "seqeval": "phrase_f1",
}


def evaluate_metrics(task, labels, outputs):
    """Computes the metrics of a task.

    A metric that is undefined because all predictions, or all labels, are
    the same is 0.0: Matthews's correlation, F1 without positives, Pearson's
    and Spearman's correlation.

    Args:
        task: `Task`, or its name. Says which metrics.
        labels: class indices or scores, of shape `(rows,)`, as
            `Task.encode_labels` takes them.
        outputs: array of raw model outputs: logits of shape
            `(rows, num_outputs)`; for regression also `(rows,)`.

    Returns:
        Dict of metric name to float, in the order of `task.metrics`:
        `"accuracy"`, `"f1"` of class 1, `"macro_f1"` (the mean of the F1 of
        each class that is among labels or predictions), `"matthews"`,
        `"pearson"`, `"spearman"` or their mean `"pearson_spearman"`.

    Raises:
        ValueError: shapes that do not fit, no rows, missing labels, labels
            that are no class of the task, labels or outputs that are not
            finite, or a task of tags.

    Example:

    >>> import keras_distill
    >>> task = keras_distill.tasks.get_task("mrpc")
    >>> keras_distill.tasks.evaluate_metrics(
    ...     task, labels=[1, 0], outputs=[[0.1, 0.9], [0.2, 0.7]]
    ... )
    {'accuracy': 0.5, 'f1': 0.6666666666666666}
    """
    # Not above: the tasks themselves are measured with this module.
    from keras_distill.tasks.loading import get_task

    task = get_task(task)
    if labels is None:
        raise ValueError(
            f"`labels` must be given to measure {task.name}; the split is "
            "unlabelled. Received: None."
        )
    if task.metrics[0] in PHRASE_METRICS:
        raise ValueError(
            f"`task` must have one label for a text. Received: {task.name}, "
            "whose words have tags; use `keras_distill.tasks.evaluate_tags`."
        )
    labels = np.asarray(in_order(labels, "labels"))
    if labels.dtype.kind not in "iuf":
        labels = task.encode_labels(labels)
    predictions = _predictions(task, np.asarray(outputs, dtype="float64"))
    if labels.shape != predictions.shape or not labels.size:
        raise ValueError(
            "`labels` and `outputs` must have the same number of rows, at "
            f"least one. Received: shapes {labels.shape} and "
            f"{np.shape(outputs)}."
        )
    _check_labels(task, labels)
    return {
        name: float(METRICS[name].function(labels, predictions))
        for name in task.metrics
    }


def check_metrics(names, label_names):
    """Raises on metrics that cannot measure a task.

    Args:
        names: tuple of strings. Those that a task is to have.
        label_names: tuple of strings by class index, or `None` for a
            regression.

    Raises:
        ValueError: no metric, one that is not in `METRICS`, one that does not
            fit the task's labels, or one given twice.

    Example:

    >>> from keras_distill.tasks import metrics
    >>> metrics.check_metrics(("macro_f1", "accuracy"), ("no", "yes"))
    """
    if isinstance(names, str) or not names:
        raise ValueError(
            "`metrics` must be a tuple that names at least the metric that "
            f"selects models, such as ('accuracy',). Received: {names!r}."
        )
    fitting = metrics_for(label_names)
    for name in names:
        if not isinstance(name, str) or name not in METRICS:
            raise ValueError(
                f"`metrics` must be of {', '.join(fitting)}. Received: "
                f"{name!r}{_did_you_mean(name)}."
            )
        if name not in fitting:
            raise ValueError(
                f"`metrics` must fit the labels. Received: {name!r}, which is "
                f"for {METRICS[name].labels}, for {_labels(label_names)}. "
                f"Those that fit: {', '.join(fitting)}."
            )
    kinds = {METRICS[name].labels == TAGS for name in names}
    if len(kinds) > 1:
        raise ValueError(
            "`metrics` must all be of phrases or all of texts. Received: "
            f"{names!r}."
        )
    if len(set(names)) < len(names):
        raise ValueError(
            f"`metrics` must name each metric once. Received: {names!r}."
        )


def metrics_for(label_names):
    """The metrics that fit a task's labels.

    Args:
        label_names: sequence of strings by class index, or `None` for a
            regression.

    Returns:
        List of strings.

    Example:

    >>> from keras_distill.tasks import metrics
    >>> metrics.metrics_for(None)
    ['pearson', 'spearman', 'pearson_spearman']
    >>> metrics.metrics_for(("sad", "glad", "calm"))
    ['accuracy', 'macro_f1', 'matthews']
    """
    if label_names is None:
        kinds = {SCORES}
    elif OUTSIDE in label_names:
        # A class of a text may be called so as well.
        kinds = {TAGS, CLASSES}
    else:
        kinds = {CLASSES}
    if label_names is not None and len(label_names) == 2:
        kinds.add(TWO_CLASSES)
    return [name for name, metric in METRICS.items() if metric.labels in kinds]


def _labels(label_names):
    """A task's labels in words."""
    if label_names is None:
        return SCORES
    return f"{len(label_names)} classes"


def _did_you_mean(name):
    """A hint at the name that was meant, if one is near or is another's."""
    if isinstance(name, str) and name in _OTHER_NAMES:
        return f" (did you mean {_OTHER_NAMES[name]!r}?)"
    return did_you_mean(name, METRICS)


def _check_labels(task, labels):
    """Raises on labels that the task does not have."""
    if task.is_regression:
        if not np.isfinite(labels.astype("float64")).all():
            raise ValueError(
                "`labels` must be finite. Received: "
                f"{labels[~np.isfinite(labels.astype('float64'))][0]}."
            )
        return
    is_class = (labels >= 0) & (labels < task.num_outputs)
    is_class &= labels == np.floor(labels)
    if not is_class.all():
        row = np.flatnonzero(~is_class)[0]
        raise ValueError(
            f"`labels` must be class indices from 0 to {task.num_outputs - 1} "
            f"of {task.name}. Received: {labels[row]} in row {row}."
        )


def _predictions(task, outputs):
    """Class indices or scores of shape `(rows,)`."""
    if task.is_regression and outputs.ndim == 1:
        outputs = outputs[:, np.newaxis]
    if outputs.ndim != 2 or outputs.shape[1] != task.num_outputs:
        raise ValueError(
            f"`outputs` must have the shape (rows, {task.num_outputs}) for "
            f"{task.name}. Received: shape {outputs.shape}."
        )
    if not np.isfinite(outputs).all():
        row = np.flatnonzero(~np.isfinite(outputs).all(axis=1))[0]
        raise ValueError(
            f"`outputs` must be finite. Received: {outputs[row]} in row {row}."
        )
    return outputs[:, 0] if task.is_regression else outputs.argmax(axis=1)


def _f1(labels, predictions):
    return metrics.f1_score(labels, predictions, zero_division=0.0)


def _macro_f1(labels, predictions):
    return metrics.f1_score(
        labels, predictions, average="macro", zero_division=0.0
    )


def _matthews(labels, predictions):
    if np.ptp(labels) == 0 or np.ptp(predictions) == 0:
        return 0.0
    return metrics.matthews_corrcoef(labels, predictions)


def _pearson(labels, predictions):
    if np.ptp(labels) == 0 or np.ptp(predictions) == 0:
        return 0.0
    return stats.pearsonr(labels.astype("float64"), predictions).statistic


def _spearman(labels, predictions):
    if np.ptp(labels) == 0 or np.ptp(predictions) == 0:
        return 0.0
    return stats.spearmanr(labels, predictions).statistic


def _pearson_spearman(labels, predictions):
    return 0.5 * (
        _pearson(labels, predictions) + _spearman(labels, predictions)
    )


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric that a task may have.

    Attributes:
        labels: string. The labels that it fits: `CLASSES`, `TWO_CLASSES`,
            `SCORES` or `TAGS`.
        title: string. How it is called in a sentence and in a table.
        function: function of labels and predictions, both of shape `(rows,)`;
            `None` of phrases, which `evaluate_tags` counts.
    """

    labels: str
    title: str
    function: Callable | None = None


METRICS = {
    "accuracy": Metric(CLASSES, "accuracy", metrics.accuracy_score),
    "f1": Metric(TWO_CLASSES, "F1", _f1),
    "macro_f1": Metric(CLASSES, "macro F1", _macro_f1),
    "matthews": Metric(CLASSES, "Matthews correlation", _matthews),
    "pearson": Metric(SCORES, "Pearson correlation", _pearson),
    "spearman": Metric(SCORES, "Spearman correlation", _spearman),
    "pearson_spearman": Metric(
        SCORES, "mean of Pearson and Spearman", _pearson_spearman
    ),
    "phrase_f1": Metric(TAGS, "phrase F1"),
    "phrase_precision": Metric(TAGS, "phrase precision"),
    "phrase_recall": Metric(TAGS, "phrase recall"),
}
