"""What a model scores that knows nothing of the text."""

import numpy as np

from keras_distill.tasks.metrics import evaluate_metrics


def chance_level(task, labels):
    """The selection metric of always giving the most frequent label.

    Args:
        task: `Task`, or its name.
        labels: the split's labels, as `Task.encode_labels` takes them.

    Returns:
        float. The share of the most frequent label for accuracy; 0 for
        Matthews's, Pearson's and Spearman's correlations.

    Example:

    >>> import keras_distill
    >>> task = keras_distill.tasks.get_task("sst2")
    >>> keras_distill.tasks.chance_level(task, [0, 1, 1, 1])
    0.75
    """
    # Not above: the tasks themselves are measured with this module.
    from keras_distill.tasks.loading import get_task

    task = get_task(task)
    labels = task.encode_labels(labels)
    if task.is_regression:
        outputs = np.zeros((len(labels), 1))
    else:
        counts = np.bincount(labels, minlength=task.num_outputs)
        outputs = np.tile(counts == counts.max(), (len(labels), 1))
    scores = evaluate_metrics(task, labels, outputs)
    return scores[task.selection_metric]
