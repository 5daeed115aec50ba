"""Writes a shard, example by example."""

import zlib

import numpy as np


class ShardWriter:
    """Writes a shard, and holds no more of it than its checksums."""

    def __init__(self, file, layout):
        self._file = file
        self._layout = layout
        self._checksums = np.zeros(layout.shape, "<u4")
        file.truncate(layout.size)

    def add(self, example, pieces):
        """Writes the values of an example, an array for each of the shard's."""
        for number, piece in enumerate(pieces):
            first, size = self._layout.place(number, example)
            data = piece.tobytes()
            if len(data) != size:
                raise ValueError(
                    f"'{self._layout.arrays[number].name}' has {len(data)} "
                    f"bytes of an example in place of {size}."
                )
            self._file.seek(first)
            self._file.write(data)
            self._checksums[number, example] = zlib.crc32(data)

    def finish(self):
        """Writes what stands before the values."""
        self._file.seek(0)
        self._file.write(self._layout.header)
        self._file.write(self._layout.pack_table(self._checksums))
