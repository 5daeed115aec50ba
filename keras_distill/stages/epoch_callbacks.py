"""Callbacks of a training that is one call of `fit` for each epoch."""

import keras


class EpochCallbacks(keras.callbacks.CallbackList):
    """Makes one training of a call of `fit` for each epoch.

    The callbacks see one training with one beginning and one end, in which
    batches are numbered as if no epoch had ever been interrupted.

    Args:
        callbacks: list of Keras callbacks.
        model: `keras.Model` that is trained.
        epochs: int. Epochs in all.
        steps: int. Batches of a whole epoch.
        total_steps: int. Batches in all.
    """

    def __init__(self, callbacks, model, epochs, steps, total_steps):
        super().__init__(
            callbacks,
            add_history=True,
            model=model,
            epochs=epochs,
            steps=steps,
            total_steps=total_steps,
            verbose=0,
        )
        self._first_batch = 0
        self._before_epoch = self._before_batch = None

    def begin(self):
        """Tells the callbacks that training begins."""
        super().on_train_begin()

    def end(self):
        """Tells the callbacks that training is over."""
        super().on_train_end()

    def resume_at(self, first_batch, restore_metrics, restore_random):
        """Makes the next epoch the rest of one.

        Args:
            first_batch: int. The batches that are done.
            restore_metrics: function without arguments that gives the metrics
                the values that they had after these.
            restore_random: function without arguments that gives the global
                random generators the states that they had then.
        """
        self._first_batch = first_batch
        if first_batch:
            # Keras sets metrics to zero at the beginning of an epoch, and
            # draws on some backends when it begins to read the data.
            self._before_epoch = restore_metrics
            self._before_batch = restore_random
        else:
            # Before it begins to read.
            self._before_epoch = restore_random

    def on_train_begin(self, logs=None):
        # Of an epoch.
        pass

    def on_train_end(self, logs=None):
        # Of an epoch.
        pass

    def on_epoch_begin(self, epoch, logs=None):
        if self._before_epoch is not None:
            self._before_epoch()
            self._before_epoch = None
        super().on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._first_batch = 0
        super().on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        if self._before_batch is not None:
            self._before_batch()
            self._before_batch = None
        super().on_train_batch_begin(self._first_batch + batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(self._first_batch + batch, logs)
