"""Stops training at the first loss that is not a number."""

import keras
import numpy as np

from keras_distill.checks.arguments import check_int


class StopOnNaN(keras.callbacks.Callback):
    """Stops training at the first loss that is not finite.

    It names the terms that are not finite, gives model and optimizer their
    last good state back and raises, so that nothing goes on with a broken
    model. Weights that an infinite gradient broke under a finite loss are
    found when the next copy is due, at the latest when the epoch ends.
    `Distiller.fit` adds one by itself.

    Args:
        snapshot_every: int. Batches between two copies of the weights and
            the optimizer's state, which are kept in memory. Defaults to
            `100`.

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
        self.snapshot_every = check_int(
            "snapshot_every", snapshot_every, minimum=1
        )
        self._good_state = None
        self._batches = 0

    def on_train_begin(self, logs=None):
        self._batches = 0
        self._good_state = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._good_state is not None:
            return
        # Only now: at the beginning of training another callback, such as
        # Keras's BackupAndRestore, may still load weights.
        optimizer = self.model.optimizer
        if self.model.built and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        if not self._take_snapshot():
            raise FloatingPointError(
                "Training cannot start: a trained weight of the model is not "
                "finite. Load or build the model anew."
            )

    def on_train_batch_end(self, batch, logs=None):
        self._batches += 1
        broken = [
            name
            for name, value in (logs or {}).items()
            if "loss" in name and not np.all(np.isfinite(value))
        ]
        if broken:
            # The total is broken by any of its terms.
            terms = [name for name in broken if name != "loss"] or broken
            self._stop(f"at batch {batch}: {', '.join(terms)}")
        if self._batches % self.snapshot_every == 0:
            self._check_weights(f"at batch {batch}")

    def on_epoch_end(self, epoch, logs=None):
        self._check_weights(f"after epoch {epoch + 1}")

    def _check_weights(self, when):
        if not self._take_snapshot():
            self._stop(f"{when}: a trained weight")

    def _take_snapshot(self):
        """Copies the state if it is good; returns whether it is."""
        trained = self.model.trainable_variables
        # A finite loss may just have led to an infinite step.
        if not all(np.all(np.isfinite(v.numpy())) for v in trained):
            return False
        self._good_state = [
            (variable, variable.numpy())
            for variable in (
                *self.model.weights,
                *self.model.optimizer.variables,
            )
        ]
        return True

    def _stop(self, what):
        # Asked for its model, a callback makes Keras put the state of a step
        # on JAX into the variables, and not once more after they were set.
        _ = self.model
        for variable, value in self._good_state:
            variable.assign(value)
        raise FloatingPointError(
            f"Training stopped {what} is not finite. The model has its last "
            "good weights back. Lower the learning rate, set `clipnorm` on "
            "the optimizer, or look for bad values in the batch."
        )


def with_nan_check(callbacks):
    """The callbacks of a training, and a `StopOnNaN` if none is among them."""
    callbacks = keras.tree.flatten(callbacks) if callbacks else []
    if any(isinstance(callback, StopOnNaN) for callback in callbacks):
        return callbacks
    return [StopOnNaN(), *callbacks]
