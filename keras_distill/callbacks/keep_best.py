"""Keeps the weights of the best epoch, or those before the first."""

import math

import keras

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_int


class KeepBest(keras.callbacks.Callback):
    """Measures the model after each epoch and keeps its best weights.

    What training starts from is measured as well, and kept if no epoch is as
    good: a training never leaves a model worse than it found it.

    Unlike Keras's `ModelCheckpoint` it takes any measure of the whole dev
    split, such as GLUE's official metrics, which are no means over batches.
    The measures join the epoch's logs as `val_<name>`, and the best weights
    are put back at the end of training, the first epoch of equal ones. What is
    not a number is worse than any number.

    Args:
        measure: Callable without arguments that gives a dict of name to
            float for the model as it is.
        monitor: str. The name of the measure to go by.
        mode: str. Whether `"max"` or `"min"` is better. Defaults to `"max"`.
        patience: Optional int. After so many epochs without a better one
            training stops. They are compared with earlier epochs alone: a
            model may have to get worse than its start to get better. Defaults
            to `None`: it goes on.

    Raises:
        ValueError: If `mode` or `patience` cannot be; before the first
            epoch, if there is no measure of that name.

    Attributes:
        best: dict of the best epoch's measures, with its number, from 1,
            under `"epoch"`; 0 is the start.
        start: dict of the measures of what training started from, with its
            number under `"epoch"`.

    Example:

    ```python
    import keras_distill

    callback = keras_distill.callbacks.KeepBest(
        lambda: {"accuracy": 0.5}, monitor="accuracy"
    )
    ```
    """

    def __init__(self, measure, monitor, mode="max", patience=None):
        super().__init__()
        if not callable(measure):
            raise ValueError(
                "`measure` must be a function that gives a dict of measures. "
                f"Received: measure={measure!r}"
            )
        if not isinstance(monitor, str) or not monitor:
            raise ValueError(
                "`monitor` must be the name of a measure. "
                f"Received: monitor={monitor!r}"
            )
        check_choice("mode", mode, ("max", "min"))
        check_int("patience", patience, minimum=1, optional=True)
        self.measure = measure
        self.monitor = monitor
        self.mode = mode
        self.patience = patience
        self._forget()

    @property
    def keeps_start(self):
        """Whether nothing was as good yet as what training started from."""
        if self.best is None:
            return True
        return self.start is not None and (
            self.best["epoch"] == self.start["epoch"]
        )

    def get_state(self):
        """What the callback remembers, for a run that goes on later."""
        return {
            "best": self.best,
            "weights": self._weights,
            "start": self.start,
            "best_epoch": self._best_epoch,
        }

    def set_state(self, state):
        """Remembers what `get_state` returned.

        Args:
            state: dict.
        """
        self.best = state["best"]
        self._weights = state["weights"]
        self.start = state.get("start")
        self._best_epoch = state.get("best_epoch", self.best)
        # Of what an earlier version left, the start is gone.
        self._is_due = "start" in state and self.start is None

    def on_train_begin(self, logs=None):
        self._forget()

    def on_epoch_begin(self, epoch, logs=None):
        # Only now: at the beginning of training another callback, such as
        # Keras's BackupAndRestore, may still load weights.
        if self._is_due:
            self._is_due = False
            self.start = {**self._measure(), "epoch": epoch}
            self._keep(self.start)
            # They were set to zero just before.
            self.model.reset_metrics()

    def on_epoch_end(self, epoch, logs=None):
        measures = self._measure()
        if logs is not None:
            logs.update({f"val_{k}": v for k, v in measures.items()})
        measures = {**measures, "epoch": epoch + 1}
        if self._best_epoch is None or self._is_better(
            measures, self._best_epoch
        ):
            self._best_epoch = measures
            # The start goes after an epoch that is as good: a coarse measure
            # may not see what was learned.
            is_tie = not self._is_better(self.best, measures)
            if self._is_better(measures, self.best) or (
                is_tie and self.keeps_start
            ):
                self._keep(measures)
        elif self.patience is not None:
            if epoch + 1 - self._best_epoch["epoch"] >= self.patience:
                self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self._weights is not None:
            self.model.set_weights(self._weights)

    def _forget(self):
        self.best = None
        self.start = None
        self._best_epoch = None
        self._weights = None
        self._is_due = True

    def _measure(self):
        measures = self.measure()
        if self.monitor not in measures:
            raise ValueError(
                "`monitor` must name one of the measures "
                f"{', '.join(measures)}. Received: monitor={self.monitor!r}"
            )
        return {name: float(value) for name, value in measures.items()}

    def _keep(self, measures):
        self.best = measures
        self._weights = self.model.get_weights()

    def _is_better(self, one, other):
        return self._rank(one) > self._rank(other)

    def _rank(self, measures):
        if measures is None:
            return -math.inf
        value = measures[self.monitor]
        # A correlation with predictions that are all the same is no number.
        if math.isnan(value):
            return -math.inf
        return value if self.mode == "max" else -value
