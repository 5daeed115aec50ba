"""One holder at a time, and none that is dead."""

import multiprocessing
import os
import signal

import keras
import pytest

from keras_distill.file_lock import file_lock


def is_free(path):
    with file_lock(path, wait=False) as is_held:
        return is_held


def test_one_holder_at_a_time(tmp_path):
    path = tmp_path / "lock"
    with file_lock(path) as is_held:
        assert is_held
        assert not is_free(path)
    assert is_free(path)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX does not allow forks"
)
def test_a_dead_process_holds_nothing(tmp_path):
    path = tmp_path / "lock"
    context = multiprocessing.get_context("fork")
    held = context.Event()

    def hold():
        with file_lock(path):
            held.set()
            signal.pause()

    process = context.Process(target=hold)
    process.start()
    assert held.wait(20)
    assert not is_free(path)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert is_free(path)
