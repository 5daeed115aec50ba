"""Says when a training is saved, and when it stops."""

import time

import keras


class Checkpointer(keras.callbacks.Callback):
    """Saves a training when it is time, and when it shall stop.

    It stands last in the list of callbacks, so that it saves what the others
    did.

    Args:
        save: function of the number of the epoch and of the batches that are
            done in it.
        every: float. Seconds between two checkpoints within an epoch.
        stop: function without arguments, called after each batch that a run
            could stop at. It tells whether it shall.
        interrupt: function without arguments, called after the checkpoint at
            which the run stops. It raises.
        total_steps: int. Batches after which the stage is over.
        within_epochs: bool. Whether it saves and stops within an epoch.
    """

    def __init__(
        self, save, every, stop, interrupt, total_steps, within_epochs
    ):
        super().__init__()
        self._save = save
        self._every = every
        self._stop = stop
        self._interrupt = interrupt
        self._total_steps = total_steps
        self._within_epochs = within_epochs
        self._saved_at = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        done, whole = batch + 1, self.params["steps"]
        if self._epoch * whole + done >= self._total_steps:
            self.model.stop_training = True
        # The end of the epoch saves by itself.
        if (
            self._within_epochs
            and done < whole
            and not self.model.stop_training
        ):
            self._save_if_due(done)

    def on_epoch_end(self, epoch, logs=None):
        self._save_now(epoch + 1, 0)

    def _save_if_due(self, done):
        late = time.monotonic() - self._saved_at >= self._every
        if late or self._stop():
            self._save_now(self._epoch, done)

    def _save_now(self, epoch, batch):
        self._save(epoch, batch)
        self._saved_at = time.monotonic()
        if self._stop():
            self._interrupt()
