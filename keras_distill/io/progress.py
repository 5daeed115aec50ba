"""Shows how far a long piece of work is, once the wait is long."""

import time

from rich import progress as rich_progress

from keras_distill.io import make_console

# Seconds of work without any output, and between two lines in a log.
_PATIENCE = 5.0
_LOG_EVERY = 20.0


class Progress:
    """Shows how far a long piece of work is, and how long is left.

    Nothing is shown in the first 5 seconds. Then there is a bar in a
    terminal, and a line every 20 seconds elsewhere. `callbacks.Progress`
    does the same for `fit`.

    Args:
        title: str. What is being done; `describe` renames it.
        total: int. Number of examples, or of what else is counted.
        done: int. How many of them were done before. Defaults to `0`.
        unit: str. What is counted. Defaults to `"examples"`.
        quiet: bool. Whether to show nothing. Defaults to `False`.
        console: Optional `rich.console.Console`. Defaults to standard output.
    """

    def __init__(
        self,
        title,
        total,
        done=0,
        unit="examples",
        quiet=False,
        console=None,
    ):
        self._title = title
        self._total = total
        self._unit = unit
        self._done = self._done_before = done
        self._quiet = quiet
        self._console = console or make_console(soft_wrap=True)
        self._bar = None
        self._start = time.monotonic()
        self._next = self._start + _PATIENCE

    def describe(self, title):
        """Names what is done now."""
        self._title = title
        if self._bar is not None:
            self._bar.update(self._task, description=title)

    def advance(self, count=1):
        """So many more are done."""
        self._done += count
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        elif time.monotonic() >= self._next:
            self._show()

    def _show(self):
        if self._console.is_terminal:
            self._bar = rich_progress.Progress(
                rich_progress.TextColumn("{task.description}"),
                rich_progress.BarColumn(),
                rich_progress.MofNCompleteColumn(),
                rich_progress.TimeRemainingColumn(),
                console=self._console,
            )
            self._task = self._bar.add_task(
                self._title, total=self._total, completed=self._done
            )
            self._bar.start()
            return
        now = time.monotonic()
        self._next = now + _LOG_EVERY
        each = (now - self._start) / max(self._done - self._done_before, 1)
        minutes, seconds = divmod(round(each * (self._total - self._done)), 60)
        self._console.print(
            f"{self._title}: {self._done:,} of {self._total:,} {self._unit}, "
            f"{minutes}:{seconds:02d} left",
            highlight=False,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.stop()
