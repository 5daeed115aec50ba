"""Locks that no dead process holds."""

import contextlib
import datetime
import json
import os
import socket
import time

try:
    import fcntl
except ImportError:
    fcntl = None
try:
    import msvcrt
except ImportError:
    msvcrt = None

from keras_distill.io.saving import make_folder

# Where Windows locks a byte: far behind what a file holds, since it lets
# nobody read what is locked.
_BEHIND = 2**30
# Seconds between two tries, where the system does not wait by itself.
_WAIT = 0.1


@contextlib.contextmanager
def file_lock(path, wait=True):
    """Holds a lock on a file, which the system gives back if we die."""
    with open(path, "ab") as file:
        # Closing the file gives the lock back.
        yield _lock(file, wait)


def remove_lock(path):
    """Removes the file of a lock that nobody will need again."""
    # Where somebody has it open, Windows keeps it; it does no harm.
    with contextlib.suppress(PermissionError):
        path.unlink(missing_ok=True)


class RunLock:
    """Holds a folder as long as the process lives."""

    def __init__(self, path):
        make_folder(path.parent)
        # For reading and writing, without emptying it: it may be another's.
        self._file = open(path, "a+", encoding="utf-8")  # noqa: SIM115
        if not _lock(self._file, wait=False):
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


def _lock(file, wait):
    """Locks an open file until it is closed."""
    # Where the system knows no locks (neither `fcntl` nor `msvcrt`, as in a
    # browser) there is one process only, and it holds all.
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
    if msvcrt is not None:
        return _lock_on_windows(file, wait)
    return True


def _lock_on_windows(file, wait):
    descriptor = file.fileno()
    while True:
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, _BEHIND, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            if not wait:
                return False
        else:
            return True
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)
        time.sleep(_WAIT)
