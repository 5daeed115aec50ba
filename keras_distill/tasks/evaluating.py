"""Measuring by a task, also one that is named."""

from keras_distill.tasks.loading import get_task


def evaluate_metrics(task, labels, outputs):
    """Computes the metrics of a task.

    A metric that is undefined because all predictions, or all labels, are
    the same is 0.0: Matthews's correlation, F1 without positives, Pearson's
    and Spearman's correlation.

    Args:
        task: `Task`, or its name. Says which metrics.
        labels: those of the rows, as `Task.encode_labels` takes them.
        outputs: array of raw model outputs: logits of shape
            `(rows, num_outputs)`; for regression also `(rows,)`. Of tags the
            class of each word, as `predict_tags` gives them.

    Returns:
        Dict of metric name to float, in the order of `task.metrics`:
        `"accuracy"`, `"f1"` of class 1, `"macro_f1"` (the mean of the F1 of
        each class that is among labels or predictions), `"matthews"`,
        `"pearson"`, `"spearman"` or their mean `"pearson_spearman"`.

    Raises:
        ValueError: shapes that do not fit, no rows, missing labels, labels
            that are none of the task, or labels or outputs that are not
            finite.

    Example:

    >>> import keras_distill
    >>> task = keras_distill.tasks.get_task("mrpc")
    >>> keras_distill.tasks.evaluate_metrics(
    ...     task, labels=[1, 0], outputs=[[0.1, 0.9], [0.2, 0.7]]
    ... )
    {'accuracy': 0.5, 'f1': 0.6666666666666666}
    """
    return get_task(task).measure(labels, outputs)


def chance_level(task, labels):
    """The selection metric of always giving the most frequent label.

    Args:
        task: `Task`, or its name.
        labels: the split's labels, as `Task.encode_labels` takes them.

    Returns:
        float. The share of the most frequent label for accuracy; 0 for
        Matthews's, Pearson's and Spearman's correlations and for phrases.

    Example:

    >>> import keras_distill
    >>> task = keras_distill.tasks.get_task("sst2")
    >>> keras_distill.tasks.chance_level(task, [0, 1, 1, 1])
    0.75
    """
    task = get_task(task)
    return task.chance(task.encode_labels(labels))
