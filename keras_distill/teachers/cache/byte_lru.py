"""Keeps what was used last, up to so many bytes."""

import collections
import threading


class ByteLru:
    """Keeps what was used last, up to so many bytes."""

    def __init__(self, limit):
        self._limit = limit
        self._values = collections.OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def get(self, key, load):
        """The value of a key."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = load()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._nbytes += value.nbytes
            while self._nbytes > self._limit and len(self._values) > 1:
                _, old = self._values.popitem(last=False)
                self._nbytes -= old.nbytes
        return value
