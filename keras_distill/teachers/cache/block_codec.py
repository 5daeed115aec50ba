"""Numbers as bytes, compressed or not."""

import zlib

import numpy as np

COMPRESSIONS = ("zlib", None)
# Higher levels take several times as long and save next to nothing: the low
# bits of features are noise.
_LEVEL = 1


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
