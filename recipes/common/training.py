"""What every model of the recipe is trained and measured with."""

import dataclasses

import keras

from keras_distill import callbacks
from keras_distill import schedules
from recipes.common.options import flag
from recipes.common.options import in_words

# Settings of a teacher's fine-tuning.
FINE_TUNING = ("teacher_epochs", "teacher_rate", "teacher_batch_size")


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


def select_by(task, metric):
    """A task whose models are compared by the metric of a configuration.

    Args:
        task: `keras_distill.tasks.Task`.
        metric: Optional str.

    Returns:
        `keras_distill.tasks.Task`.

    Raises:
        ValueError: If the metric does not fit the task.
    """
    if metric is None:
        return task
    try:
        return task.selected_by(metric)
    except ValueError as error:
        raise ValueError(
            f"--metric does not fit {task.name}: {error}"
        ) from None


def dev_splits(splits):
    """The dev splits of a task, the one that models are chosen by first.

    MNLI is chosen by what is of the same sources as its training split, as in
    GLUE, and measured on what is of others as well.

    Args:
        splits: mapping of split name to examples.

    Returns:
        list of str, `["dev"]` for most tasks.
    """
    names = [name for name in splits if name.startswith("dev")]
    return sorted(names, key=lambda name: name.endswith("mismatched"))


def check_fine_tuning(config, loaded):
    """Raises on settings of a fine-tuning that a teacher does not need.

    Args:
        config: `Config` with `teacher` and the settings of its fine-tuning.
        loaded: `keras_distill.teachers.LoadedTeacher`.

    Raises:
        ValueError: If it has a trained head, and how to train one was asked.
    """
    if not loaded.has_head:
        return
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        # With 0 epochs one says that there shall be none.
        if field.name in FINE_TUNING and value not in (0, field.default):
            raise ValueError(
                f"{flag(field.name)} has no effect on a teacher with a trained "
                f"head, which is not fine-tuned. Received: "
                f"{in_words(field.name, value)} and --teacher {config.teacher}"
            )


def label_loss(task):
    """The supervised loss on logits of a task."""
    return task.label_loss()


def measure(model, task, dev):
    """The official metrics of a model on the dev split.

    Args:
        model: KerasHub text classifier.
        task: `keras_distill.tasks.Task`.
        dev: `TokenizedExamples`.

    Returns:
        dict of str to float.
    """
    return task.evaluate(model, dev)


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
