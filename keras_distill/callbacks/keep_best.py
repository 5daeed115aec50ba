"""Keeps the weights of the best epoch."""

import math

import keras


class KeepBest(keras.callbacks.Callback):
    """Measures the model after each epoch and keeps its best weights.

    Unlike Keras's `ModelCheckpoint` it takes any measure of the whole dev
    split, such as GLUE's official metrics, which are no means over batches.
    The measures join the epoch's logs as `val_<name>`, and the best weights
    are put back at the end of training, the first epoch of equal ones.

    Args:
        measure: Callable without arguments that gives a dict of name to
            float for the model as it is.
        monitor: str. The name of the measure to go by.
        mode: str. Whether `"max"` or `"min"` is better. Defaults to `"max"`.
        patience: Optional int. After so many epochs without a better one
            training stops. Defaults to `None`: it goes on.

    Raises:
        ValueError: If `mode` or `patience` cannot be; when an epoch ends, if
            there is no measure of that name.

    Attributes:
        best: dict of the best epoch's measures, with its number, from 1,
            under `"epoch"`.

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
        if mode not in ("max", "min"):
            raise ValueError(
                f'`mode` must be "max" or "min". Received: mode={mode!r}'
            )
        if patience is not None and not (
            isinstance(patience, int) and patience >= 1
        ):
            raise ValueError(
                "`patience` must be an int of 1 or more, or None. "
                f"Received: patience={patience!r}"
            )
        self.measure = measure
        self.monitor = monitor
        self.mode = mode
        self.patience = patience
        self.best = None
        self._weights = None

    def get_state(self):
        """What the callback remembers, for a run that goes on later."""
        return {"best": self.best, "weights": self._weights}

    def set_state(self, state):
        """Remembers what `get_state` returned.

        Args:
            state: dict.
        """
        self.best = state["best"]
        self._weights = state["weights"]

    def on_train_begin(self, logs=None):
        self.best = None
        self._weights = None

    def on_epoch_end(self, epoch, logs=None):
        measures = self.measure()
        if self.monitor not in measures:
            raise ValueError(
                "`monitor` must name one of the measures "
                f"{', '.join(measures)}. Received: monitor={self.monitor!r}"
            )
        if logs is not None:
            logs.update({f"val_{k}": v for k, v in measures.items()})
        # Matthews's correlation can be negative: the first epoch always
        # counts, whatever its value.
        if self.best is None or self._rank(measures) > self._rank(self.best):
            self.best = {**measures, "epoch": epoch + 1}
            self._weights = self.model.get_weights()
        elif self.patience is not None:
            if epoch + 1 - self.best["epoch"] >= self.patience:
                self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self._weights is not None:
            self.model.set_weights(self._weights)

    def _rank(self, measures):
        value = measures[self.monitor]
        # A correlation with predictions that are all the same is no number.
        if math.isnan(value):
            return -math.inf
        return value if self.mode == "max" else -value
