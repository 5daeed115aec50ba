"""Arrays on disk whose length is known at the end."""

import numpy as np

from keras_distill.io.growing_array import GrowingArray


def test_what_is_appended_is_loaded(tmp_path):
    path = tmp_path / "a.npy"
    with GrowingArray(path, "uint16") as array:
        for start in range(0, 1000, 100):
            array.append(np.arange(start, start + 100))
    found = np.load(path, mmap_mode="r")
    assert found.dtype == "uint16"
    np.testing.assert_array_equal(found, np.arange(1000))


def test_nothing_at_all(tmp_path):
    with GrowingArray(tmp_path / "a.npy", "int64"):
        pass
    assert np.load(tmp_path / "a.npy").shape == (0,)
