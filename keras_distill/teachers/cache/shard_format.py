"""How a shard lies on disk.

First come the blocks, one after the other: some examples' values of one
array, compressed. Then comes the table of the blocks, and at the very end a
trailer that says which shard of which cache this is and where the table
begins. Each block has a checksum, in the table; table and trailer have one
together, so that every byte of the file is covered and a reader need not
read more than what it looks for.
"""

import dataclasses
import struct
import zlib

import numpy as np

COMPRESSIONS = ("zlib", None)
# Higher levels take several times as long and save next to nothing: the low
# bits of features are noise.
_LEVEL = 1
# Of one block: the array's number, the first of its examples in the order in
# which the shard holds them, and where its bytes are.
BLOCK = np.dtype(
    [
        ("array", "<u4"),
        ("first", "<u4"),
        ("start", "<u8"),
        ("size", "<u8"),
        ("checksum", "<u4"),
    ]
)
# Magic word, the cache's identity, the shard's number, bytes of the table.
_TRAILER = struct.Struct("<8s32sIQ")
_CHECKSUM = struct.Struct("<I")
_MAGIC = b"KDSHARD1"
END_SIZE = _TRAILER.size + _CHECKSUM.size


@dataclasses.dataclass(frozen=True)
class Trailer:
    """What the end of a shard says."""

    identity: bytes
    number: int
    table_size: int


def shard_name(number):
    """The name of a shard's file."""
    return f"{number:05d}.shard"


def storage_order(lengths):
    """The order in which a shard holds its examples: the longest first."""
    # So the teacher reads those of about the same length together, and memory
    # runs out at once or not at all.
    return np.argsort(-lengths, kind="stable")


def checksum(data):
    """The checksum of some bytes."""
    return zlib.crc32(data)


def pack_end(table, identity, number):
    """The bytes after the blocks: table, trailer and their checksum."""
    table = table.tobytes()
    data = table + _TRAILER.pack(_MAGIC, identity, number, len(table))
    return data + _CHECKSUM.pack(checksum(data))


def unpack_trailer(data):
    """Reads the last `END_SIZE` bytes of a shard."""
    if len(data) != END_SIZE or data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it does not end as a shard does")
    return Trailer(*_TRAILER.unpack_from(data)[1:])


def unpack_table(data):
    """Reads all that comes after the blocks."""
    end = len(data) - _CHECKSUM.size
    if _CHECKSUM.unpack_from(data, end)[0] != checksum(data[:end]):
        raise ValueError("the checksum of its table is wrong")
    return np.frombuffer(data[:-END_SIZE], BLOCK)


def encode(values, compression):
    """Numbers as bytes."""
    if compression is None:
        return values.tobytes()
    # First all first bytes, then all second ones: the high bytes of features
    # are much alike, and zlib sees that only side by side.
    columns = values.view("uint8").reshape(len(values), -1)
    return zlib.compress(columns.T.tobytes(), _LEVEL)


def decode(data, dtype, count, compression):
    """What `encode` was given."""
    size = count * dtype.itemsize
    if compression is not None:
        try:
            # One byte more than there must be is enough to see too many.
            data = zlib.decompressobj().decompress(data, size + 1)
        except zlib.error as error:
            raise ValueError(f"it cannot be decompressed: {error}") from error
    if len(data) != size:
        raise ValueError(f"it has {len(data)} bytes in place of {size}")
    if compression is not None:
        columns = np.frombuffer(data, "uint8").reshape(dtype.itemsize, count)
        data = columns.T.tobytes()
    return np.frombuffer(data, dtype)
