"""Hashes of files, computed once as long as a file is not touched."""

import hashlib
import json
import os
import pathlib


class FileHashes:
    """Hashes of files, kept as long as size and time of change are the same.

    The time is taken in nanoseconds, as far as the system counts them.

    Args:
        path: Optional `pathlib.Path` of the JSON file that keeps the hashes.
            One that is damaged is made anew: nothing is lost but time.
    """

    def __init__(self, path=None):
        self._path = path
        self._known = {}
        self._is_new = False
        if path is not None and path.is_file():
            try:
                self._known = dict(json.loads(path.read_bytes()))
            except (RecursionError, TypeError, ValueError):
                self._is_new = True

    def of(self, path):
        """The hash of a file's content.

        Args:
            path: Path of the file.

        Returns:
            str.
        """
        path = pathlib.Path(path)
        stat = os.stat(path)
        key = os.path.abspath(path)
        stamp = [stat.st_size, stat.st_mtime_ns]
        known = self._known.get(key)
        if isinstance(known, list) and known[:2] == stamp and len(known) == 3:
            return known[2]
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        self._known[key] = [*stamp, found]
        self._is_new = True
        return found

    def content(self):
        """What is to be kept, or `None` if nothing is new since last asked.

        Returns:
            dict that JSON can hold, or `None`.
        """
        if not self._is_new:
            return None
        self._is_new = False
        return dict(sorted(self._known.items()))
