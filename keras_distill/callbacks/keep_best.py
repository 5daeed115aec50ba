"""Keeps the best weights of a training, or those from before it."""

import contextlib
import math

import keras

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_int


class KeepBest(keras.callbacks.Callback):
    """Measures the model after each epoch and keeps its best weights.

    With `every` it is measured within epochs as well, as scripts of papers
    do that keep the best of an evaluation every so many steps.

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
        every: Optional int. Measures after every so many batches as well,
            counted from the beginning of training. These measures join the
            logs of the batch; patience still counts epochs, of which one
            within which the model was better is a better one. Defaults to
            `None`: after each epoch alone.

    Raises:
        ValueError: If `mode`, `patience` or `every` cannot be; before the
            first epoch, if there is no measure of that name.

    Attributes:
        best: dict of the best epoch's measures, with its number, from 1,
            under `"epoch"`; 0 is the start. With `every` the number of
            batches until then is under `"step"`.
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

    def __init__(self, measure, monitor, mode="max", patience=None, every=None):
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
        check_int("every", every, minimum=1, optional=True)
        self.measure = measure
        self.monitor = monitor
        self.mode = mode
        self.patience = patience
        self.every = every
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
            "steps_before": self._steps_before,
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
        self._steps_before = state.get("steps_before", 0)
        # Of what an earlier version left, the start is gone.
        self._is_due = "start" in state and self.start is None

    def on_train_begin(self, logs=None):
        self._forget()

    def on_epoch_begin(self, epoch, logs=None):
        # Only now: at the beginning of training another callback, such as
        # Keras's BackupAndRestore, may still load weights.
        if self._is_due:
            self._is_due = False
            self.start = self._at(self._measure(), epoch, 0)
            self._keep(self.start)
            # They were set to zero just before.
            self.model.reset_metrics()
        self._epoch, self._batches = epoch, 0

    def on_train_batch_begin(self, batch, logs=None):
        self._first = batch

    def on_train_batch_end(self, batch, logs=None):
        self._batches = batch + 1
        if self.every is None or self._batches == self.params.get("steps"):
            # The end of an epoch is measured anyway.
            return
        # With `steps_per_execution` batches come several at once.
        before, now = (
            (self._steps_before + batches) // self.every
            for batches in (self._first, self._batches)
        )
        if now > before:
            with _metrics_put_back(self.model):
                self._consider(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._consider(logs)
        self._steps_before += self._batches
        if self.patience is not None:
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
        self._steps_before = 0

    def _consider(self, logs):
        """Measures the weights as they are, and keeps them if they are best."""
        measures = self._measure()
        if logs is not None:
            logs.update({f"val_{k}": v for k, v in measures.items()})
        measures = self._at(measures, self._epoch + 1, self._batches)
        if self._best_epoch is not None and not self._is_better(
            measures, self._best_epoch
        ):
            return
        self._best_epoch = measures
        # The start goes after an epoch that is as good: a coarse measure may
        # not see what was learned.
        is_tie = not self._is_better(self.best, measures)
        if self._is_better(measures, self.best) or (
            is_tie and self.keeps_start
        ):
            self._keep(measures)

    def _at(self, measures, epoch, batches):
        """Measures with where they were taken."""
        place = {"epoch": epoch}
        if self.every is not None:
            place["step"] = self._steps_before + batches
        return {**measures, **place}

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


@contextlib.contextmanager
def _metrics_put_back(model):
    """Leaves what a model has measured of an epoch as it is."""
    if hasattr(model, "jax_state_sync"):
        # While it trains, JAX has the values elsewhere.
        model.jax_state_sync()
    variables = model.metrics_variables
    values = [keras.ops.convert_to_numpy(v).copy() for v in variables]
    yield
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
