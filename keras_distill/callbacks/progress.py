"""Shows how far a stage is, and how long it still takes."""

import atexit
import time

import keras
import numpy as np
from rich.progress import BarColumn
from rich.progress import Progress as RichProgress
from rich.progress import TextColumn
from rich.progress import TimeRemainingColumn

from keras_distill.checks.arguments import check_float
from keras_distill.io import make_console


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
        self._bar = None
        self._task = None

    def on_train_begin(self, logs=None):
        # A training that was interrupted had no end.
        self.on_train_end()
        self._epoch = self._first_epoch = self._first_batch = None
        self._steps = self.params.get("steps")
        self._begin = self._last_line = time.monotonic()
        self._done = 0
        if self._console.is_terminal:
            self._bar = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[state]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._task = self._bar.add_task(self.title, total=None, state="")
            self._bar.start()
            # It hides the cursor, which an error must not leave hidden.
            atexit.register(self._bar.stop)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._done_before = self._done
        if self._first_epoch is None:
            # A run that is resumed begins later.
            self._first_epoch = epoch
            if self._bar is not None:
                self._bar.update(self._task, total=self._total())

    def on_train_batch_begin(self, batch, logs=None):
        if self._first_batch is None:
            # A run that is resumed may begin in the middle of an epoch.
            self._first_batch = batch
            self._done_before -= batch
            if self._bar is not None:
                self._bar.update(self._task, total=self._total())

    def on_train_batch_end(self, batch, logs=None):
        # With `steps_per_execution` batches come several at once.
        self._done = self._done_before + batch + 1
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(
                self._task, completed=self._done, state=self._state(logs)
            )
        elif now - self._last_line >= self.log_every:
            self._last_line = now
            self._write(logs, f"batch {batch + 1}/{self._steps}, ")

    def on_epoch_end(self, epoch, logs=None):
        if self._bar is None:
            self._write(logs)
        else:
            self._bar.update(self._task, state=self._state(logs))

    def on_train_end(self, logs=None):
        if self._bar is not None:
            self._bar.stop()
            atexit.unregister(self._bar.stop)
            self._bar = None

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
        epoch = f"epoch {self._epoch + 1}/{self.params['epochs']}"
        return ", ".join([epoch, *values])

    def _write(self, logs, where=""):
        left = "?"
        if self._total():
            spent = time.monotonic() - self._begin
            left = _clock(spent / self._done * (self._total() - self._done))
        self._console.print(
            f"{self.title}: {where}{self._state(logs)}, {left} left",
            highlight=False,
        )


def _clock(seconds):
    """Seconds as minutes and seconds, such as `3:07`."""
    minutes, seconds = divmod(int(round(seconds)), 60)
    return f"{minutes}:{seconds:02d}"
