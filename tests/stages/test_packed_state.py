"""States as bytes and back."""

import ml_dtypes
import numpy as np
import pytest

from keras_distill.stages.packed_state import pack
from keras_distill.stages.packed_state import unpack


def test_what_is_packed_comes_back():
    state = {
        "epoch": 3,
        "name": "größe",
        "rate": 0.1 + 0.2,
        "nothing": None,
        "yes": True,
        "nested": [{"deep": [1.5, "two"]}, []],
        "infinite": float("inf"),
        "number": np.float32(0.5),
    }
    back = unpack(pack(state))
    assert back == {**state, "number": 0.5}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="float32").reshape(2, 3).T,
        np.array(7, "int64"),
        np.zeros((0, 4), "uint32"),
        np.array([True, False]),
        np.array([1.5, -2.0], ml_dtypes.bfloat16),
        np.array([1.5, -2.0], "float16"),
    ],
)
def test_arrays_keep_their_bits(array):
    (back,) = unpack(pack({"deep": [{"array": array}]}))["deep"]
    assert back["array"].dtype == array.dtype
    assert back["array"].shape == array.shape
    np.testing.assert_array_equal(back["array"], array)


@pytest.mark.parametrize("data", [b"", b"12345678", b"\x02" + bytes(7) + b"{}"])
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError, match="no packed state"):
        unpack(data)
