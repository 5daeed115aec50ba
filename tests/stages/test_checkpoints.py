"""States of a training as bytes and back, and the last ones on disk."""

import errno
import os
import resource

import ml_dtypes
import numpy as np
import pytest

from keras_distill.stages.checkpoints import Checkpoints
from keras_distill.stages.checkpoints import pack
from keras_distill.stages.checkpoints import unpack


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "stage")


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "stage").iterdir())


def newest(tmp_path):
    return tmp_path / "stage" / files(tmp_path)[-1]


def test_nothing_there(checkpoints, tmp_path):
    assert checkpoints.read() == (None, [])
    assert not (tmp_path / "stage").exists()


def test_the_last_two_are_kept(checkpoints, tmp_path):
    for step in range(4):
        checkpoints.write({"step": step, "weights": np.arange(step)})
    assert [name[:17] for name in files(tmp_path)] == [
        "checkpoint-000003",
        "checkpoint-000004",
    ]
    state, complaints = Checkpoints(tmp_path / "stage").read()
    assert state["step"] == 3 and complaints == []
    np.testing.assert_array_equal(state["weights"], [0, 1, 2])


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "longer"])
def test_a_damaged_newest_one_falls_back(checkpoints, tmp_path, damage):
    for step in range(2):
        checkpoints.write({"step": step})
    path = newest(tmp_path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(
        {
            "cut": data[:-5],
            "changed": data,
            "emptied": b"",
            "longer": data + b" ",
        }[damage]
    )
    again = Checkpoints(tmp_path / "stage")
    state, (complaint,) = again.read()
    assert state == {"step": 0}
    assert path.name in complaint and "damaged" in complaint
    # The good one is not the one that goes.
    again.write({"step": 9})
    assert not path.exists()
    newest(tmp_path).unlink()
    assert Checkpoints(tmp_path / "stage").read()[0] == {"step": 0}


def test_all_damaged(checkpoints, tmp_path):
    for step in range(2):
        checkpoints.write({"step": step})
    for name in files(tmp_path):
        (tmp_path / "stage" / name).write_bytes(b"")
    with pytest.raises(ValueError, match="no earlier checkpoint left: remove"):
        checkpoints.read()
    assert len(files(tmp_path)) == 2


def test_a_full_disk_leaves_the_last_one(checkpoints, tmp_path, monkeypatch):
    checkpoints.write({"step": 0})
    before = files(tmp_path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            checkpoints.write({"step": 1})
    assert files(tmp_path) == before
    assert checkpoints.read() == ({"step": 0}, [])


def test_a_file_that_the_system_cuts_short(checkpoints, tmp_path):
    checkpoints.write({"step": 0})
    before = files(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            checkpoints.write({"weights": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(tmp_path) == before
    assert checkpoints.read() == ({"step": 0}, [])


def test_what_a_kill_left_is_cleared_away(checkpoints, tmp_path):
    checkpoints.write({"step": 0})
    (tmp_path / "stage" / ".new-checkpoint-000002-0.safetensors").touch()
    (tmp_path / "stage" / "mine.txt").touch()
    assert checkpoints.read()[0] == {"step": 0}
    checkpoints.write({"step": 1})
    assert [name[:10] for name in files(tmp_path)] == [
        "checkpoint",
        "checkpoint",
        "mine.txt",
    ]
    checkpoints.remove()
    assert files(tmp_path) == ["mine.txt"]


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
