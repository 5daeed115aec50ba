"""Reads examples of a shard, and trusts none of its bytes."""

import zlib

import numpy as np

from keras_distill.io.safetensors_file import read_header


class ShardReader:
    """Reads examples of a shard."""

    def __init__(self, path, layout):
        self._path = path
        self._layout = layout
        with self.open() as file:
            file.seek(len(layout.header))
            try:
                table = file.read(layout.table_size)
                self._checksums = layout.unpack_table(table)
            except ValueError as error:
                raise damaged(path, error) from error
        self.nbytes = layout.nbytes

    def open(self):
        """The file, to read several examples of."""
        # Opened each time: a cache may have more shards than a process may
        # hold open files.
        return open_shard(self._path)

    def read(self, file, array, example):
        """An example's values of an array, in one axis."""
        first, size = self._layout.place(array, example)
        file.seek(first)
        data = file.read(size)
        if (
            len(data) != size
            or zlib.crc32(data) != self._checksums[array, example]
        ):
            raise damaged(self._path, "a checksum is wrong")
        return np.frombuffer(data, self._layout.arrays[array].numpy_dtype)

    def check(self):
        """Reads all of the shard."""
        with self.open() as file:
            for array, example in np.ndindex(*self._layout.shape):
                self.read(file, array, example)


def check_shard(path, layout):
    """Raises unless a file begins and ends as a shard must."""
    with open_shard(path) as file:
        if file.read(len(layout.header)) != layout.header:
            raise damaged(path, _what_it_is(file, layout))
    if path.stat().st_size != layout.size:
        raise damaged(path, "bytes are missing, or too many")


def _what_it_is(file, layout):
    """What a file is whose header is not what it must be."""
    file.seek(0)
    try:
        metadata, *_ = read_header(file)
    except ValueError as error:
        return error
    if metadata != layout.metadata:
        return "it is a shard of another place or cache"
    return "its header is not what was written"


def damaged(path, reason):
    """The error for a shard that is not what it was."""
    return ValueError(
        f"{path} is damaged: {reason}. Remove this file and call "
        "`TeacherCache.write` again with the same arguments: only this shard "
        "is made anew."
    )


def open_shard(path):
    """Opens a shard for reading, without a buffer."""
    try:
        return open(path, "rb", buffering=0)
    except OSError as error:
        raise damaged(path, error) from error
