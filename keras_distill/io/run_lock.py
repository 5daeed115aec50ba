"""One process at a time in a run's folder."""

import datetime
import json
import os
import socket

from keras_distill.io.file_lock import lock
from keras_distill.io.saving import make_folder


class RunLock:
    """Holds a folder as long as the process lives.

    The system lets go of the lock when the process is dead, however it died.
    The file stays, and says who had it last.

    Args:
        path: `pathlib.Path` of the file to lock.

    Raises:
        ValueError: If another process holds it.
    """

    def __init__(self, path):
        make_folder(path.parent)
        # For reading and writing, without emptying it: it may be another's.
        self._file = open(path, "a+", encoding="utf-8")  # noqa: SIM115
        if not lock(self._file, wait=False):
            holder = _read_holder(self._file)
            self._file.close()
            raise ValueError(
                f"The run's folder {str(path.parent)!r} is in use by {holder}. "
                "Wait for it or stop it, or choose another folder."
            )
        # A child that outlives this process must not go on holding it.
        # Windows has no such children.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._file.close)
        self._write_holder()

    def release(self):
        """Lets go of the folder."""
        self._file.close()

    def _write_holder(self):
        now = datetime.datetime.now().isoformat(" ", "seconds")
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": now,
        }
        self._file.seek(0)
        self._file.truncate()
        json.dump(holder, self._file)
        self._file.flush()


def _read_holder(file):
    file.seek(0)
    try:
        holder = json.loads(file.read())
        return (
            f"process {holder['pid']} on {holder['host']} since "
            f"{holder['since']}"
        )
    # It may be about to write who it is.
    except (LookupError, TypeError, ValueError):
        return "another process"
