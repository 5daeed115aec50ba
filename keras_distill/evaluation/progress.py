"""A progress bar that only shows up when the wait is worth one."""

import time

from rich import progress as rich_progress

# Seconds of work without any output.
PATIENCE = 5.0


class Progress:
    """Counts steps of work and draws a bar once it took over 5 seconds.

    Args:
        total: int. Number of steps.
        quiet: bool. Never draw. Defaults to `False`.
        console: optional `rich.console.Console` to draw on.
    """

    def __init__(self, total, quiet=False, console=None):
        self.done = 0
        self.total = total
        self.quiet = quiet
        self.console = console
        self._label = ""
        self._bar = None
        self._start = time.monotonic()

    def describe(self, label):
        """Names what is done now."""
        self._label = label
        if self._bar is not None:
            self._bar.update(self._task, description=label)

    def advance(self):
        """One more step is done."""
        self.done += 1
        if self._bar is None and not self.quiet and self._is_late():
            self._draw()
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done)

    def _is_late(self):
        return time.monotonic() - self._start > PATIENCE

    def _draw(self):
        self._bar = rich_progress.Progress(
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TimeRemainingColumn(),
            console=self.console,
        )
        self._task = self._bar.add_task(self._label, total=self.total)
        self._bar.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.stop()
