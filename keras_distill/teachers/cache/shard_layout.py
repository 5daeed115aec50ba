"""How a shard lies on disk: as a safetensors file.

Its examples stand in the order of the index, of which they are a piece. A
tensor has the name of what it holds. Of what has a value for each example it
is `(examples, ...)`; of what has one for each token, the examples' tokens one
after the other, `(tokens, ...)`, and example `i` has those from `offsets.1[i]`
to `offsets.1[i + 1]`; of what has one for each pair of tokens, such as
attention, the examples' values one after the other in one axis, and example
`i` begins at `offsets.2[i]` times what a pair has of them.

`checksums` holds a CRC-32 for each tensor and example, so that a reader need
not read more than what it looks for; `checksum` is one of all that stands
between the header and the values. What the header must be is known.
"""

import zlib

import numpy as np

from keras_distill.io.safetensors_file import TensorLayout
from keras_distill.teachers.cache.manifest import FORMAT

ENDING = ".safetensors"


def shard_name(number):
    """The name of a shard's file."""
    return f"{number:05d}{ENDING}"


def storage_order(lengths):
    """The order in which a teacher reads a shard: the longest first."""
    # So those of about the same length are read together, and memory runs out
    # at once or not at all.
    return np.argsort(-lengths, kind="stable")


class ShardLayout:
    """Where a shard's values lie.

    Attributes:
        header: bytes. What the file begins with.
        metadata: dict of str to str in the header: of which cache it is which
            shard.
        shape: tuple of int, the numbers of tensors and of examples.
        size: int. The bytes of the file.
        table_size: int. The bytes between the header and the values.
    """

    def __init__(self, arrays, lengths, identity, number):
        lengths = np.asarray(lengths, "int64")
        self.arrays = arrays
        self.metadata = {
            "format": FORMAT,
            "cache": identity,
            "shard": str(number),
        }
        # Of what has a value for each example, the first power of a length.
        self._ends = {
            axes: np.concatenate([[0], np.cumsum(lengths**axes)])
            for axes in sorted({array.token_axes for array in arrays})
        }
        self.shape = (len(arrays), len(lengths))
        tensors = {
            f"offsets.{axes}": ("<i8", ends.shape)
            for axes, ends in self._ends.items()
            if axes
        }
        tensors["checksums"] = ("<u4", self.shape)
        tensors["checksum"] = ("<u4", (1,))
        for array in arrays:
            count = self._ends[array.token_axes][-1]
            tensors[array.name] = (
                array.numpy_dtype,
                array.joined_shape(count),
            )
        layout = TensorLayout(tensors, self.metadata)
        self.header, self.size = layout.header, layout.size
        self._starts = [layout.starts[array.name] for array in arrays]
        self.table_size = min(self._starts) - len(self.header)
        self.nbytes = 4 * len(arrays) * len(lengths) + sum(
            ends.nbytes for ends in self._ends.values()
        )

    def place(self, array, example):
        """Where an example's values of an array lie, in bytes: `(first, n)`."""
        stored = self.arrays[array]
        ends = self._ends[stored.token_axes]
        first, last = int(ends[example]), int(ends[example + 1])
        size = stored.known_size * stored.numpy_dtype.itemsize
        return self._starts[array] + first * size, (last - first) * size

    def pack_table(self, checksums):
        """The bytes between the header and the values."""
        ends = [ends for axes, ends in self._ends.items() if axes]
        data = b"".join(
            [np.asarray(column, "<i8").tobytes() for column in ends]
            + [np.asarray(checksums, "<u4").tobytes()]
        )
        return data + zlib.crc32(data).to_bytes(4, "little")

    def unpack_table(self, data):
        """The checksums in the bytes between the header and the values."""
        stored = int.from_bytes(data[-4:], "little")
        if len(data) != self.table_size or zlib.crc32(data[:-4]) != stored:
            raise ValueError("the checksum of its table is wrong")
        count = self.shape[0] * self.shape[1]
        found = np.frombuffer(data[:-4][-4 * count :], "<u4")
        return found.reshape(self.shape)
