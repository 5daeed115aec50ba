"""Reads blocks of a shard, and trusts none of its bytes."""

import numpy as np

from keras_distill.teachers.cache import shard_format


class ShardReader:
    """Reads blocks of a shard."""

    def __init__(self, path, arrays, compression, identity, number, lengths):
        self._path = path
        self._arrays = arrays
        self._compression = compression
        table = self._read_table(identity, number)
        self._blocks = [
            table[table["array"] == array] for array in range(len(arrays))
        ]
        order = shard_format.storage_order(lengths)
        self._ranks = np.empty(len(order), dtype="<i4")
        self._ranks[order] = np.arange(len(order))
        self._lengths = lengths[order]
        self.nbytes = table.nbytes + self._ranks.nbytes + self._lengths.nbytes

    def find(self, array, example):
        """Which block holds an example's values of an array."""
        rank = self._ranks[example]
        first = self._blocks[array]["first"]
        block = int(np.searchsorted(first, rank, side="right")) - 1
        return block, int(rank - first[block])

    def num_blocks(self, array):
        """The number of blocks of an array."""
        return len(self._blocks[array])

    def read(self, array, block):
        """Reads a block."""
        blocks = self._blocks[array]
        first = int(blocks["first"][block])
        last = len(self._lengths)
        if block + 1 < len(blocks):
            last = int(blocks["first"][block + 1])
        sizes = self._arrays[array].sizes(self._lengths[first:last])
        data = self._read(
            int(blocks["start"][block]), int(blocks["size"][block])
        )
        try:
            if shard_format.checksum(data) != blocks["checksum"][block]:
                raise ValueError("a checksum is wrong")
            values = shard_format.decode(
                data,
                self._arrays[array].numpy_dtype,
                int(sizes.sum()),
                self._compression,
            )
        except ValueError as error:
            raise damaged(self._path, error) from error
        return Block(values, np.cumsum(sizes))

    def _read_table(self, identity, number):
        trailer = read_trailer(self._path, identity, number)
        end = trailer.table_size + shard_format.END_SIZE
        size = self._path.stat().st_size
        try:
            if end > size:
                raise ValueError("it is too short")
            table = shard_format.unpack_table(self._read(size - end, end))
            if table["size"].sum() != size - end:
                raise ValueError("bytes are missing, or too many")
        except ValueError as error:
            raise damaged(self._path, error) from error
        return table

    def _read(self, start, size):
        # Opened each time: a cache may have more shards than a process may
        # hold open files.
        with _open(self._path) as file:
            file.seek(start)
            return file.read(size)


class Block:
    """Some examples' values of one array."""

    def __init__(self, values, ends):
        self._values = values
        self._ends = ends
        self.nbytes = values.nbytes + ends.nbytes

    def __getitem__(self, example):
        start = self._ends[example - 1] if example else 0
        return self._values[start : self._ends[example]]


def read_trailer(path, identity, number):
    """Reads which shard a file is."""
    with _open(path) as file:
        size = path.stat().st_size
        file.seek(max(size - shard_format.END_SIZE, 0))
        data = file.read()
    try:
        trailer = shard_format.unpack_trailer(data)
    except ValueError as error:
        raise damaged(path, error) from error
    if (trailer.identity, trailer.number) != (identity, number):
        raise damaged(path, "it is a shard of another place or cache")
    return trailer


def damaged(path, reason):
    """The error for a shard that is not what it was."""
    return ValueError(
        f"{path} is damaged: {reason}. Remove this file and call "
        "`TeacherCache.write` again with the same arguments: only this shard "
        "is made anew."
    )


def _open(path):
    try:
        return open(path, "rb")
    except OSError as error:
        raise damaged(path, error) from error
