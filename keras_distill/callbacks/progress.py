"""Shows how far a stage is, and how long it still takes."""

import keras
import numpy as np

from keras_distill.callbacks.throughput import RATE
from keras_distill.callbacks.throughput import TOKENS
from keras_distill.checks.arguments import check_float
from keras_distill.io import make_console
from keras_distill.io.progress import Progress as Display


class Progress(keras.callbacks.Callback):
    """Shows how far a stage is, and how long it still takes.

    Keras's own bar counts down each epoch; this one counts down the whole
    stage. In a terminal it is one line that renews itself; in a log it is
    one line every `log_every` seconds and one at the end of each epoch. Use
    it with `fit(..., verbose=0)`, last in the list of callbacks so that it
    sees what the others measured.

    Args:
        title: str. What is being done.
        log_every: float. Seconds between two lines in a log. Defaults to
            `20.0`.
        console: Optional `rich.console.Console` to write to. Defaults to
            standard output.

    Example:

    ```python
    import keras_distill

    callback = keras_distill.callbacks.Progress("Hidden states and attention")
    ```
    """

    def __init__(self, title, log_every=20.0, console=None):
        super().__init__()
        self.title = title
        self.log_every = check_float("log_every", log_every, minimum=0)
        self._console = console or make_console(soft_wrap=True)
        self._display = None

    def on_train_begin(self, logs=None):
        # A training that was interrupted had no end.
        self.on_train_end()
        self._epoch = self._first_epoch = self._first_batch = None
        self._steps = self.params.get("steps")
        self._display = Display(
            self.title,
            total=None,
            console=self._console,
            patience=0 if self._console.is_terminal else self.log_every,
            log_every=self.log_every,
        )

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._done = epoch, 0
        if self._first_epoch is None:
            # A run that is resumed begins later.
            self._first_epoch = epoch
            self._display.total = self._total()

    def on_train_batch_begin(self, batch, logs=None):
        if self._first_batch is None:
            # A run that is resumed may begin in the middle of an epoch.
            self._first_batch = self._done = batch
            self._display.total = self._total()

    def on_train_batch_end(self, batch, logs=None):
        # With `steps_per_execution` batches come several at once.
        count, self._done = batch + 1 - self._done, batch + 1
        where = f"batch {batch + 1}/{self._steps}, "
        self._display.advance(count, lambda: where + self._state(logs))

    def on_epoch_end(self, epoch, logs=None):
        self._display.tell(lambda: self._state(logs))

    def on_train_end(self, logs=None):
        if self._display is not None:
            self._display.close()

    def _total(self):
        """The batches that this training has to do, as far as it is known."""
        if not self._steps:
            return None
        before = self._first_epoch * self._steps + (self._first_batch or 0)
        # A stage of `keras_distill.stages` may end within an epoch.
        whole = self._steps * self.params["epochs"]
        return self.params.get("total_steps", whole) - before

    def _state(self, logs):
        values = [
            f"{name} {float(np.mean(value)):.4f}"
            for name, value in (logs or {}).items()
            if name == "loss" or name.startswith("val_")
        ]
        if TOKENS in (logs or {}):
            values += [
                f"{logs[TOKENS]:,} tokens, {logs[RATE]:,.0f} tokens a second"
            ]
        epoch = f"epoch {self._epoch + 1}/{self.params['epochs']}"
        return ", ".join([epoch, *values])
