"""How every model of the recipe is trained."""

import time

import keras

from keras_distill import callbacks
from keras_distill import schedules
from keras_distill import tasks


def make_optimizer(config, peak, total_steps=None):
    """AdamW as BERT's: no decay of biases and norms, clipped by tensor.

    Args:
        config: `Config`.
        peak: float. Learning rate.
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


class Trainer:
    """Trains models on one task's data and measures them on its dev split.

    Args:
        config: `Config`.
        task: `keras_distill.tasks.Task`.
        train: `TokenizedExamples`.
        dev: `TokenizedExamples`.
        quiet: bool. Whether to show nothing.
    """

    def __init__(self, config, task, train, dev, quiet):
        self.config = config
        self.task = task
        self.train = train
        self.dev = dev
        self.quiet = quiet

    def total_steps(self, epochs):
        """The optimizer's steps in so many epochs."""
        return epochs * self.train.num_batches(self.config.batch_size)

    def measure(self, model):
        """The official metrics of a model on the dev split."""
        logits = tasks.predict_logits(model, self.dev, batch_size=64)
        return tasks.evaluate_metrics(self.task, self.dev.labels, logits)

    def fit(self, title, model, epochs, measured=None):
        """Trains a compiled model.

        Args:
            title: str. What is being done, for the display.
            model: Compiled `keras.Model` over token ids.
            epochs: int.
            measured: Optional classifier to measure after each epoch, whose
                best epoch's weights `model` has at the end. Without it the
                last weights count.

        Returns:
            dict with the `history`, the `seconds` and, if measured, the
            `best` epoch's measures.
        """
        used = [callbacks.StopOnNaN()]
        keep_best = None
        if measured is not None:
            keep_best = callbacks.KeepBest(
                lambda: self.measure(measured), self.task.selection_metric
            )
            used.append(keep_best)
        if not self.quiet:
            used.append(callbacks.Progress(title))
        begin = time.monotonic()
        batches = self.train.batches(
            self.config.batch_size, shuffle=True, seed=self.config.seed
        )
        # KerasHub's own `fit` would run its preprocessor on the batches,
        # which are tokenised already; a Distiller has a `fit` of its own.
        fit = (
            keras.Model.fit.__get__(model)
            if hasattr(model, "preprocessor")
            else model.fit
        )
        history = fit(
            batches, epochs=epochs, verbose=0, shuffle=False, callbacks=used
        )
        results = {
            "history": {
                name: [float(value) for value in values]
                for name, values in history.history.items()
            },
            "seconds": time.monotonic() - begin,
        }
        if keep_best is not None:
            results["best"] = keep_best.best
        return results
