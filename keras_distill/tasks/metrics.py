"""The official metrics of the tasks, from a model's raw outputs."""

import numpy as np
from scipy import stats
from sklearn import metrics


def evaluate_metrics(task, labels, outputs):
    """Computes the metrics of a task.

    A metric that is undefined because all predictions, or all labels, are
    the same is 0.0: Matthews's correlation, F1 without positives, Pearson's
    and Spearman's correlation.

    Args:
        task: `Task`. Says which metrics.
        labels: integer array of class indices or float array of scores, of
            shape `(rows,)`.
        outputs: array of raw model outputs: logits of shape
            `(rows, num_outputs)`; for regression also `(rows,)`.

    Returns:
        Dict of metric name to float, in the order of `task.metrics`:
        `"accuracy"`, `"f1"` of class 1, `"matthews"`, `"pearson"`,
        `"spearman"` or their mean `"pearson_spearman"`.

    Raises:
        ValueError: shapes that do not fit, no rows, missing labels or
            outputs that are not finite.

    Example:

    >>> import keras_distill
    >>> task = keras_distill.tasks.get_task("mrpc")
    >>> keras_distill.tasks.evaluate_metrics(
    ...     task, labels=[1, 0], outputs=[[0.1, 0.9], [0.2, 0.7]]
    ... )
    {'accuracy': 0.5, 'f1': 0.6666666666666666}
    """
    if labels is None:
        raise ValueError(
            f"`labels` must be given to measure {task.name}; the split is "
            "unlabelled. Received: None."
        )
    labels = np.asarray(labels)
    predictions = _predictions(task, np.asarray(outputs, dtype="float64"))
    if labels.shape != predictions.shape or not labels.size:
        raise ValueError(
            "`labels` and `outputs` must have the same number of rows, at "
            f"least one. Received: shapes {labels.shape} and "
            f"{np.shape(outputs)}."
        )
    return {
        name: float(_METRICS[name](labels, predictions))
        for name in task.metrics
    }


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


_METRICS = {
    "accuracy": metrics.accuracy_score,
    "f1": _f1,
    "matthews": _matthews,
    "pearson": _pearson,
    "spearman": _spearman,
    "pearson_spearman": _pearson_spearman,
}
