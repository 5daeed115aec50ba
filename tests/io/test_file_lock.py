"""One holder at a time, and none that is dead."""

import multiprocessing
import os
import signal
import subprocess
import sys

import keras
import pytest

import keras_distill.io.file_lock as file_lock_module
from keras_distill.io.file_lock import RunLock
from keras_distill.io.file_lock import file_lock
from keras_distill.io.file_lock import remove_lock


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


class FakeMsvcrt:
    """Windows's locks of ranges of bytes, between any two open files."""

    LK_NBLCK = 2

    def __init__(self):
        self.held = {}

    def locking(self, descriptor, mode, count):
        assert mode == self.LK_NBLCK and count == 1
        stat = os.fstat(descriptor)
        key = (stat.st_ino, os.lseek(descriptor, 0, os.SEEK_CUR))
        holder = self.held.get(key)
        is_other = holder not in (None, descriptor)
        if is_other and is_open(holder, stat.st_ino):
            raise PermissionError(13, "Permission denied")
        self.held[key] = descriptor


def is_open(descriptor, inode):
    try:
        return os.fstat(descriptor).st_ino == inode
    except OSError:
        return False


def test_windows_locks_behind_what_the_file_says(tmp_path, monkeypatch):
    monkeypatch.setattr(file_lock_module, "fcntl", None)
    monkeypatch.setattr(file_lock_module, "msvcrt", FakeMsvcrt())
    path = tmp_path / "lock"
    path.write_text("who")
    with file_lock(path) as is_held:
        assert is_held
        assert not is_free(path)
        assert path.read_text() == "who"
    assert is_free(path)
    held = RunLock(tmp_path / "run")
    with pytest.raises(ValueError, match=f"process {os.getpid()} on"):
        RunLock(tmp_path / "run")
    held.release()


def test_without_any_locks_there_is_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(file_lock_module, "fcntl", None)
    monkeypatch.setattr(file_lock_module, "msvcrt", None)
    with file_lock(tmp_path / "lock", wait=False) as is_held:
        assert is_held


def test_a_lock_that_is_open_elsewhere_stays(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    path.touch()
    remove_lock(path)
    remove_lock(path)
    assert not path.exists()

    def refuse(self, missing_ok):
        raise PermissionError(13, "The process cannot access the file")

    monkeypatch.setattr(type(path), "unlink", refuse)
    remove_lock(path)


HOLDER = """
import sys, time
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("file_lock", sys.argv[1])
file_lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(file_lock)
lock = file_lock.RunLock(Path(sys.argv[2]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_dead_run_holds_no_folder(tmp_path):
    source = sys.modules[RunLock.__module__].__file__
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, source, str(path)],
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match="in use by") as error:
            RunLock(path)
        assert f"process {holder.pid} on {os.uname().nodename}" in str(
            error.value
        )
        holder.send_signal(signal.SIGKILL)
    RunLock(path).release()


def test_a_released_folder_is_free(tmp_path):
    lock = RunLock(tmp_path / "lock")
    with pytest.raises(ValueError, match=f"process {os.getpid()} on"):
        RunLock(tmp_path / "lock")
    lock.release()
    RunLock(tmp_path / "lock").release()


# The child only waits.
@pytest.mark.filterwarnings("ignore:os.fork")
def test_a_child_process_does_not_keep_a_folder(tmp_path):
    lock = RunLock(tmp_path / "lock")
    read, write = os.pipe()
    begun, begin = os.pipe()
    child = os.fork()
    if not child:
        os.write(begin, b"!")
        # Lives on until the other end of the pipe is closed.
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    try:
        os.read(begun, 1)
        lock.release()
        RunLock(tmp_path / "lock").release()
    finally:
        os.close(write)
        os.waitpid(child, 0)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_holder_that_did_not_write_who_it_is(tmp_path, content):
    lock = RunLock(tmp_path / "lock")
    (tmp_path / "lock").write_text(content)
    with pytest.raises(ValueError, match="in use by another process"):
        RunLock(tmp_path / "lock")
    lock.release()
