"""Stops training at the first loss that is not a number."""

import keras
import numpy as np


class StopOnNaN(keras.callbacks.Callback):
    """Stops training at the first loss that is not finite.

    It names the terms that are not finite, gives the model its last good
    weights back and raises, so that nothing goes on with a broken model.
    `Distiller.fit` adds one by itself.

    Args:
        snapshot_every: int. Batches between two copies of the weights, which
            are kept in memory. Defaults to `100`.

    Raises:
        FloatingPointError: During training, after the weights are restored.

    Example:

    ```python
    import keras_distill

    callback = keras_distill.callbacks.StopOnNaN(snapshot_every=50)
    ```
    """

    def __init__(self, snapshot_every=100):
        super().__init__()
        if snapshot_every < 1:
            raise ValueError(
                "`snapshot_every` must be 1 or more. "
                f"Received: snapshot_every={snapshot_every}"
            )
        self.snapshot_every = snapshot_every
        self._good_weights = None
        self._batches = 0

    def on_train_begin(self, logs=None):
        self._batches = 0
        self._take_snapshot()

    def on_train_batch_end(self, batch, logs=None):
        self._batches += 1
        broken = [
            name
            for name, value in (logs or {}).items()
            if "loss" in name and not np.all(np.isfinite(value))
        ]
        if broken:
            self._stop(broken, batch)
        if self._batches % self.snapshot_every == 0:
            self._take_snapshot()

    def on_epoch_end(self, epoch, logs=None):
        self._take_snapshot()

    def _take_snapshot(self):
        weights = self.model.get_weights()
        # A finite loss may just have led to an infinite step.
        if all(np.all(np.isfinite(weight)) for weight in weights):
            self._good_weights = weights

    def _stop(self, broken, batch):
        if self._good_weights is not None:
            self.model.set_weights(self._good_weights)
        terms = [name for name in broken if name != "loss"] or broken
        raise FloatingPointError(
            f"Training stopped at batch {batch}: {', '.join(terms)} is not "
            "finite. The model has its last good weights back. Lower the "
            "learning rate, set `clipnorm` on the optimizer, or look for bad "
            "values in the batch."
        )
