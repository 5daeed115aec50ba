"""A folder belongs to one living process."""

import os
import signal
import subprocess
import sys

import pytest

from keras_distill.io.run_lock import RunLock

HOLDER = """
import sys, time
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("run_lock", sys.argv[1])
run_lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_lock)
lock = run_lock.RunLock(Path(sys.argv[2]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_dead_process_holds_nothing(tmp_path):
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


def test_a_released_lock_is_free(tmp_path):
    lock = RunLock(tmp_path / "lock")
    with pytest.raises(ValueError, match=f"process {os.getpid()} on"):
        RunLock(tmp_path / "lock")
    lock.release()
    RunLock(tmp_path / "lock").release()


# The child only waits.
@pytest.mark.filterwarnings("ignore:os.fork")
def test_a_child_process_does_not_keep_it(tmp_path):
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
