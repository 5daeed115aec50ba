"""Shows what the schedules of a distiller give."""

import keras


class LogSchedules(keras.callbacks.Callback):
    """Adds what the schedules of a distiller give to the logs of an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(self.model.scheduled_numbers())
