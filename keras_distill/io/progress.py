"""Shows how far a long piece of work is, once the wait is long."""

import atexit
import time

from rich import progress as rich_progress

from keras_distill.io import make_console

# Seconds of work without any output, and between two lines in a log.
_PATIENCE = 5.0
_LOG_EVERY = 20.0


class Progress:
    """Shows how far a long piece of work is, and how long is left.

    Nothing is shown in the first seconds. Then there is a bar in a terminal,
    and a line every now and then elsewhere. `callbacks.Progress` feeds one
    from `fit`.

    Args:
        title: str. What is being done; `describe` renames it.
        total: Optional int. Number of examples, or of what else is counted.
        done: int. How many of them were done before. Defaults to `0`.
        unit: str. What is counted. Defaults to `"examples"`.
        quiet: bool. Whether to show nothing. Defaults to `False`.
        console: Optional `rich.console.Console`. Defaults to standard output.
        patience: Optional float. Seconds before anything is shown. Defaults
            to 5.
        log_every: Optional float. Seconds between two lines in a log.
            Defaults to 20.
    """

    def __init__(
        self,
        title,
        total,
        done=0,
        unit="examples",
        quiet=False,
        console=None,
        patience=None,
        log_every=None,
    ):
        self.total = total
        self._title = title
        self._unit = unit
        self._done = self._done_before = done
        self._quiet = quiet
        self._console = console or make_console(soft_wrap=True)
        self._log_every = _LOG_EVERY if log_every is None else log_every
        self._bar = None
        self._start = time.monotonic()
        self._next = self._start + (_PATIENCE if patience is None else patience)

    def describe(self, title):
        """Names what is done now."""
        self._title = title
        if self._bar is not None:
            self._bar.update(self._task, description=title)

    def advance(self, count=1, state=None):
        """So many more are done; `state` is a function that says what of."""
        self._done += count
        if self._bar is not None or time.monotonic() >= self._next:
            self.tell(state)

    def tell(self, state=None):
        """Shows where the work is at this moment, however short the wait."""
        if self._quiet:
            return
        if self._console.is_terminal:
            self._tell_bar(state() if state else f"{self._done}/{self.total}")
            return
        now = time.monotonic()
        self._next = now + self._log_every
        if state is None:
            words = f"{self._done:,} of {self.total:,} {self._unit}"
        else:
            words = state()
        left = "?"
        count = self._done - self._done_before
        if self.total and count:
            each = (now - self._start) / count
            seconds = round(each * (self.total - self._done))
            left = f"{seconds // 60}:{seconds % 60:02d}"
        self._console.print(
            f"{self._title}: {words}, {left} left", highlight=False
        )

    def _tell_bar(self, words):
        if self._bar is None:
            self._bar = rich_progress.Progress(
                rich_progress.TextColumn("{task.description}"),
                rich_progress.BarColumn(),
                rich_progress.TextColumn("{task.fields[state]}"),
                rich_progress.TimeRemainingColumn(),
                console=self._console,
            )
            self._task = self._bar.add_task(self._title, state=words)
            self._bar.start()
            # It hides the cursor, which an error must not leave hidden.
            atexit.register(self._bar.stop)
        self._bar.update(
            self._task, total=self.total, completed=self._done, state=words
        )

    def close(self):
        """Takes the bar off the terminal, if there is one."""
        if self._bar is not None:
            self._bar.stop()
            atexit.unregister(self._bar.stop)
            self._bar = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
