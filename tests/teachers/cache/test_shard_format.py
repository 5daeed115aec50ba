"""Numbers come back from bytes as they were."""

import ml_dtypes
import numpy as np
import pytest

from keras_distill.teachers.cache import shard_format

DTYPES = ("float32", "float16", ml_dtypes.bfloat16, "int32")


def numbers(dtype, count=3000):
    return np.random.default_rng(0).normal(0, 9, count).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compression", shard_format.COMPRESSIONS)
def test_there_and_back(dtype, compression):
    values = numbers(dtype)
    data = shard_format.encode(values, compression)
    found = shard_format.decode(data, values.dtype, len(values), compression)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_compression_saves_something_even_on_noise(dtype):
    values = numbers(dtype)
    assert len(shard_format.encode(values, "zlib")) < 0.95 * values.nbytes


@pytest.mark.parametrize("compression", shard_format.COMPRESSIONS)
@pytest.mark.parametrize("count", [2999, 3001])
def test_another_count_is_refused(compression, count):
    values = numbers("float32")
    data = shard_format.encode(values, compression)
    with pytest.raises(ValueError, match=f"in place of {4 * count}"):
        shard_format.decode(data, values.dtype, count, compression)


def test_what_cannot_be_decompressed_is_refused():
    with pytest.raises(ValueError, match="cannot be decompressed"):
        shard_format.decode(b"nothing", np.dtype("<f4"), 3, "zlib")
