"""A safetensors file that is written and read in parts.

The library writes tensors that are all in memory, and reads whole tensors or
slices of those types that NumPy has.
"""

import json
import math

import ml_dtypes
import numpy as np

_NAMES = {
    np.dtype("<i8"): "I64",
    np.dtype("<u8"): "U64",
    np.dtype("<f4"): "F32",
    np.dtype("<i4"): "I32",
    np.dtype("<u4"): "U32",
    np.dtype("<f2"): "F16",
    np.dtype(ml_dtypes.bfloat16): "BF16",
    np.dtype("u1"): "U8",
}
_DTYPES = {name: dtype for dtype, name in _NAMES.items()}
_METADATA = "__metadata__"
_ALIGNMENT = 8


class TensorLayout:
    """Where tensors lie in a safetensors file.

    The larger a tensor's numbers the further in front it lies, so that each
    number is where a processor wants it; otherwise tensors keep their order.

    Args:
        tensors: dict of a tensor's name to its NumPy dtype and its shape.
        metadata: dict of str to str, kept in the file.

    Attributes:
        header: bytes. What the file begins with.
        starts: dict of a tensor's name to the place of its first byte.
        size: int. The bytes of the whole file.
    """

    def __init__(self, tensors, metadata):
        content, ends = {_METADATA: metadata}, [0]
        for name in sorted(
            tensors, key=lambda name: -np.dtype(tensors[name][0]).itemsize
        ):
            dtype, shape = np.dtype(tensors[name][0]), tensors[name][1]
            ends.append(ends[-1] + dtype.itemsize * math.prod(shape))
            content[name] = {
                "dtype": _NAMES[dtype],
                "shape": [int(size) for size in shape],
                "data_offsets": [int(end) for end in ends[-2:]],
            }
        data = json.dumps(content, separators=(",", ":")).encode()
        data += b" " * (-len(data) % _ALIGNMENT)
        self.header = len(data).to_bytes(8, "little") + data
        del content[_METADATA]
        self.starts = {
            name: len(self.header) + int(start)
            for name, start in zip(content, ends, strict=False)
        }
        self.size = len(self.header) + int(ends[-1])


def read_header(file):
    """Reads what an open file begins with.

    Returns:
        Tuple of the metadata, the place of the first byte behind the header,
        and a dict of each tensor's name to its entry in the header.

    Raises:
        ValueError: If it begins as no safetensors file does.
    """
    size = int.from_bytes(file.read(8), "little")
    data = file.read(min(size, 2**27))
    try:
        content = dict(json.loads(data))
        metadata = content.pop(_METADATA, {})
    except (RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"it does not begin as safetensors do: {error}"
        ) from error
    return metadata, 8 + size, content


def map_tensors(path):
    """Maps the tensors of a file that is known to be whole into memory.

    Returns:
        dict of a tensor's name to a read-only NumPy array.
    """
    with open(path, "rb") as file:
        _, first, content = read_header(file)
    found = {}
    for name, entry in content.items():
        shape = tuple(entry["shape"])
        # Nothing can be mapped of no bytes.
        found[name] = np.zeros(shape, _DTYPES[entry["dtype"]])
        if found[name].size:
            found[name] = np.asarray(
                np.memmap(
                    path,
                    found[name].dtype,
                    "r",
                    first + entry["data_offsets"][0],
                    shape,
                )
            )
    return found
