"""Shows what the schedules of a distiller give."""

import keras


class LogSchedules(keras.callbacks.Callback):
    """Adds what the schedules of a distiller give to the logs of an epoch.

    `Distiller.fit` has one before all other callbacks, so that TensorBoard,
    `CSVLogger` and the history show it. Without schedules nothing is added.
    """

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(self.model.scheduled_numbers())
