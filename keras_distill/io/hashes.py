"""Hashes of what objects, arrays and files hold, the same in every process."""

import hashlib
import json
import numbers
import os
import pathlib

import numpy as np


def content_hash(*values, files=None, describe=None, without=()):
    """Begins a hash of what objects hold, whatever their identity.

    Numbers, texts, arrays and tensors count with all their content, and so
    do lists, sets, dicts and any object's attributes. Of what does not show
    what it holds, such as a socket, its type counts.

    Args:
        *values: What to add first.
        files: Optional function of the `pathlib.Path` of a file that gives a
            hash of its content. With it, a text that names a file counts
            with what is in it in place of the name, and so does a
            `pathlib.Path` of a file or of a folder.
        describe: Optional function of an object that gives a str for what
            needs its own way, and `None` for all else.
        without: Names of attributes that do not count.

    Returns:
        `ContentHash`.

    Example:

    >>> from keras_distill.io import content_hash
    >>> one = content_hash({"rows": [1, 2], "name": "dev"}).hexdigest()
    >>> one == content_hash({"name": "dev", "rows": [1, 2]}).hexdigest()
    True
    """
    made = ContentHash(files, describe, without)
    for value in values:
        made.add(value)
    return made


class ContentHash:
    """A hash of what Python objects hold; see `content_hash`."""

    def __init__(self, files=None, describe=None, without=()):
        self._digest = hashlib.sha256()
        self._files = files
        self._describe = describe
        self._without = without
        self._seen = {}

    def hexdigest(self):
        """The hash of all that was added, as str."""
        return self._digest.hexdigest()

    def add(self, value):
        """Adds an object."""
        described = self._describe(value) if self._describe else None
        if described is not None:
            self._write("described", described)
        elif value is None or isinstance(value, (bool, numbers.Number, bytes)):
            if isinstance(value, np.generic):
                value = value.item()
            self._write(type(value).__name__, repr(value))
        elif isinstance(value, str):
            if not self._add_files(value, with_folders=False):
                self._write("str", value)
        elif isinstance(value, pathlib.PurePath):
            self._write("path", "")
            self._add_files(value, with_folders=True)
        elif isinstance(value, np.ndarray):
            self._add_array(value)
        elif id(value) in self._seen:
            # Objects that hold themselves in circles.
            self._write("again", str(self._seen[id(value)][0]))
        else:
            # Kept, so that no other object gets its number.
            self._seen[id(value)] = (len(self._seen), value)
            self._add_object(value)

    def _add_object(self, value):
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        if isinstance(value, dict):
            self._write("dict", str(len(value)))
            for key in sorted(value, key=str):
                self._write("key", str(key))
                self.add(value[key])
        elif isinstance(value, (list, tuple)):
            self._write(type(value).__name__, str(len(value)))
            for entry in value:
                self.add(entry)
        elif isinstance(value, (set, frozenset)):
            self._write("set", str(len(value)))
            self.add(sorted(value, key=repr))
        elif hasattr(value, "to_numpy"):
            # A table or a column of pandas.
            self._write("table", kind)
            self.add([str(name) for name in getattr(value, "columns", ())])
            self.add(np.asarray(value.to_numpy()))
        elif hasattr(value, "__array__"):
            self.add(np.asarray(value))
        else:
            self._write("object", kind)
            attributes = getattr(value, "__dict__", {})
            self.add(
                {k: v for k, v in attributes.items() if k not in self._without}
            )

    def _add_array(self, array):
        self._write("array", f"{array.dtype}{array.shape}")
        if array.dtype.hasobject:
            for entry in array.ravel():
                self.add(entry)
            return
        data = np.ascontiguousarray(array)
        self._digest.update(data.view("uint8").reshape(-1))

    def _add_files(self, name, with_folders):
        """Adds what is in a file or a folder; returns whether there is one."""
        if self._files is None or not 0 < len(str(name)) < 4096:
            return False
        path = pathlib.Path(name)
        try:
            paths = [path] if path.is_file() else []
            if with_folders and path.is_dir():
                paths = sorted(p for p in path.rglob("*") if p.is_file())
            hashes = [self._files(one) for one in paths]
        # What is no name of a file, such as a text with a zero in it.
        except (OSError, ValueError):
            return False
        for found in hashes:
            self._write("file", str(found))
        return bool(hashes)

    def _write(self, kind, text):
        data = text.encode("utf-8", "surrogatepass")
        self._digest.update(f"{kind}:{len(data)}:".encode())
        self._digest.update(data)


def bytes_hash(data):
    """The SHA-256 of bytes, as str."""
    return hashlib.sha256(data).hexdigest()


def file_hash(path):
    """The SHA-256 of a file, as str."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_hash(content, **options):
    """A hash of what JSON can hold; the options are those of `json.dumps`."""
    return bytes_hash(json.dumps(content, **options).encode())


def arrays_hash(arrays, about=""):
    """A hash of the types, shapes and values of arrays, and of a text."""
    digest = hashlib.sha256(about.encode())
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(array.view("uint8").reshape(-1))
    return digest.hexdigest()


class FileHashes:
    """Hashes of files, kept as long as size and time of change are the same."""

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
        """The hash of a file's content."""
        path = pathlib.Path(path)
        stat = os.stat(path)
        key = os.path.abspath(path)
        stamp = [stat.st_size, stat.st_mtime_ns]
        known = self._known.get(key)
        if isinstance(known, list) and known[:2] == stamp and len(known) == 3:
            return known[2]
        found = file_hash(path)
        self._known[key] = [*stamp, found]
        self._is_new = True
        return found

    def content(self):
        """What is to be kept, or `None` if nothing is new since last asked."""
        if not self._is_new:
            return None
        self._is_new = False
        return dict(sorted(self._known.items()))
