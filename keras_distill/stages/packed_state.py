"""A state as bytes: numbers, texts and arrays, without pickle."""

import json

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

_KEY = "state"
_ARRAY = "__array__"
_DTYPE = "__dtype__"


def pack(state):
    """Packs a state into the bytes of a safetensors file.

    Args:
        state: dicts with str keys, lists, str, numbers, bool, `None` and
            NumPy arrays, nested as you like. Tuples come back as lists.

    Returns:
        bytes. The arrays are the file's tensors; the rest stands in its
        metadata as JSON.
    """
    arrays = {}
    frame = _take_out(state, "", arrays)
    return safetensors.numpy.save(arrays, {_KEY: json.dumps(frame)})


def unpack(data):
    """Gives back what `pack` packed.

    Args:
        data: bytes.

    Returns:
        The state.

    Raises:
        ValueError: If the bytes are no packed state.
    """
    try:
        header_size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + header_size])
        frame = json.loads(header["__metadata__"][_KEY])
        arrays = safetensors.numpy.load(data)
        return _put_back(frame, arrays)
    # Whatever damage does to a parser, it must not stop the program.
    except (
        safetensors.SafetensorError,
        ArithmeticError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"no packed state ({error})") from error


def _take_out(value, path, arrays):
    """The state with a mark where each array was."""
    if isinstance(value, dict):
        return {
            k: _take_out(v, f"{path}/{k}", arrays) for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [
            _take_out(v, f"{path}/{i}", arrays) for i, v in enumerate(value)
        ]
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray):
        return value
    mark = {_ARRAY: path}
    if value.dtype == ml_dtypes.bfloat16:
        # The format knows it, its NumPy reader does not.
        mark[_DTYPE] = "bfloat16"
        value = value.view("uint16")
    arrays[path] = np.asarray(value, order="C")
    return mark


def _put_back(value, arrays):
    if isinstance(value, list):
        return [_put_back(entry, arrays) for entry in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY not in value:
        return {key: _put_back(entry, arrays) for key, entry in value.items()}
    array = arrays[value[_ARRAY]]
    return array.view(ml_dtypes.bfloat16) if _DTYPE in value else array
