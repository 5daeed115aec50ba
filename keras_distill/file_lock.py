"""Locks that no dead process holds."""

import contextlib
import fcntl


@contextlib.contextmanager
def file_lock(path, wait=True):
    """Holds a lock on a file, which the system gives back if we die.

    The file stays; remove it only when nobody needs the lock any more.

    Args:
        path: `pathlib.Path` of the file to lock.
        wait: bool. Whether to wait for whoever holds it. Defaults to `True`.

    Yields:
        bool. Whether the lock is held: always, if it waits.
    """
    with open(path, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        # Closing the file gives the lock back.
        yield True
