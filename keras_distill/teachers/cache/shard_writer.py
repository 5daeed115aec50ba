"""Writes a shard, block by block."""

import numpy as np

from keras_distill.teachers.cache import shard_format

# A block is what is read and decompressed at once for one example. More
# would be read in vain where examples come in random order; less would
# compress worse.
_BLOCK_BYTES = 32 * 1024


class ShardWriter:
    """Writes a shard, block by block, and holds no more than a block."""

    def __init__(self, file, arrays, compression):
        self._file = file
        self._arrays = arrays
        self._compression = compression
        self._blocks = []
        self._open = [_OpenBlock() for _ in arrays]
        self._size = 0

    def add(self, pieces):
        """Adds an example."""
        for number, piece in enumerate(pieces):
            waiting = self._open[number].nbytes
            if waiting and waiting + piece.nbytes > _BLOCK_BYTES:
                self._close(number)
            self._open[number].add(piece)

    def finish(self, identity, number):
        """Writes what is left, and the end of the shard."""
        for array in range(len(self._arrays)):
            self._close(array)
        table = np.array(self._blocks, shard_format.BLOCK)
        self._file.write(shard_format.pack_end(table, identity, number))

    def _close(self, number):
        block = self._open[number]
        if not block.pieces:
            return
        values = np.concatenate(block.pieces)
        data = shard_format.encode(values, self._compression)
        self._file.write(data)
        self._blocks.append(
            (
                number,
                block.first,
                self._size,
                len(data),
                shard_format.checksum(data),
            )
        )
        self._size += len(data)
        self._open[number] = _OpenBlock(block.first + len(block.pieces))


class _OpenBlock:
    """The examples that a block will hold."""

    def __init__(self, first=0):
        self.first = first
        self.pieces = []
        self.nbytes = 0

    def add(self, piece):
        self.pieces.append(piece)
        self.nbytes += piece.nbytes
