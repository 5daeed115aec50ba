"""What every model of the recipe is trained and measured with."""

import keras

from keras_distill import callbacks
from keras_distill import schedules
from keras_distill import tasks


def make_optimizer(config, peak, total_steps=None):
    """AdamW as BERT's: no decay of biases and norms, clipped by tensor.

    Args:
        config: `Config`.
        peak: float, the learning rate, or a Keras schedule of it.
        total_steps: Optional int. With it the rate rises over the first tenth
            of the steps and falls to 0; without it the rate is constant.

    Returns:
        `keras.optimizers.AdamW`.
    """
    rate = peak
    if total_steps is not None:
        rate = schedules.WarmupLinearDecay(peak, total_steps)
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=config.weight_decay, epsilon=1e-6, clipnorm=1.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def label_loss(task):
    """The supervised loss on logits of a task."""
    if task.is_regression:
        return keras.losses.MeanSquaredError()
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def measure(model, task, dev):
    """The official metrics of a model on the dev split.

    Args:
        model: KerasHub text classifier.
        task: `keras_distill.tasks.Task`.
        dev: `TokenizedExamples`.

    Returns:
        dict of str to float.
    """
    logits = tasks.predict_logits(model, dev, batch_size=64)
    return tasks.evaluate_metrics(task, dev.labels, logits)


def keep_best(model, task, dev):
    """A callback that keeps the epoch that is best on the dev split.

    Args:
        model: KerasHub text classifier, the one to measure.
        task: `keras_distill.tasks.Task`.
        dev: `TokenizedExamples`.

    Returns:
        `keras_distill.callbacks.KeepBest`.
    """
    return callbacks.KeepBest(
        lambda: measure(model, task, dev), task.selection_metric
    )
