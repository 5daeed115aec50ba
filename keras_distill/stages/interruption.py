"""Ctrl-C and SIGTERM, answered at a moment when all can be saved."""

import contextlib
import signal
import sys
import threading


class Interrupted(KeyboardInterrupt):
    """A run was stopped from outside, with everything saved.

    Its message says where, and how to go on.

    Args:
        message: str.
        signal_number: int. The signal that came.

    Attributes:
        exit_code: int. What a program ends with that stops for that signal:
            130 for Ctrl-C.
    """

    def __init__(self, message, signal_number=signal.SIGINT):
        super().__init__(message)
        self.exit_code = 128 + int(signal_number)


class StopRequest:
    """Notes the first Ctrl-C or SIGTERM while its block runs.

    A second one acts as ever, so that nobody has to wait. A signal that is
    ignored, as Ctrl-C is by what runs in the background, stays ignored.
    Outside the main thread, where Python takes no signals, it notes none.

    Args:
        quiet: bool. Whether to say nothing when the signal comes.

    Attributes:
        signal_number: int, or `None` as long as none came.
    """

    def __init__(self, quiet=False):
        self.signal_number = None
        self._quiet = quiet
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # None: not set from Python, and not to be put back by it.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error):
        self._put_back()

    def _note(self, number, frame):
        self.signal_number = number
        self._put_back()
        if not self._quiet:
            # The terminal may be gone, which is why the signal came.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                print(
                    "\nStopping after this batch. Once more stops at once, "
                    "and loses what was done since the last checkpoint.",
                    file=sys.stderr,
                    flush=True,
                )

    def _put_back(self):
        while self._before:
            signal.signal(*self._before.popitem())
