"""Killed writers, several writers, and how much memory they take."""

import multiprocessing
import os
import pathlib
import random
import signal
import time
import tracemalloc

import keras
import numpy as np
import pytest

from keras_distill.teachers import TeacherCache
from keras_distill.teachers.cache import shards as shards_module

# Forked processes have what is patched; nothing of the backend runs in them.
CONTEXT = multiprocessing.get_context("fork")

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax",
    reason="JAX does not allow forks; files are the same on all backends",
)


@pytest.fixture
def log(tmp_path, arithmetic):
    """The numbers of examples that the teacher was run on, in all."""
    arithmetic.log = tmp_path / "log.txt"
    arithmetic.log.touch()
    return arithmetic.log


def examples_run(log):
    return sum(int(line) for line in log.read_text().split())


def shard_bytes(folder):
    return {
        path.name: path.read_bytes() for path in folder.glob("0*.safetensors")
    }


def assert_good(folder, examples, arithmetic):
    """A finished cache with the right values, and nothing left behind."""
    found = TeacherCache(folder).read(examples.ids)
    expected = arithmetic.value("logits", examples.ids, 1)
    np.testing.assert_array_equal(found["logits"], expected)
    TeacherCache(folder).verify(quiet=True)
    assert sorted(path.name for path in folder.iterdir()) == [
        "00000.safetensors",
        "00001.safetensors",
        "00002.safetensors",
        "examples.safetensors",
        "manifest.json",
    ]


def test_a_killed_writer_loses_at_most_a_shard(
    tmp_path, write, examples, arithmetic, log
):
    """Killed again and again, whatever it is at."""
    arithmetic.before_batch = staticmethod(lambda: time.sleep(0.01))
    generator = random.Random(0)
    kills, there = 0, {}
    while len(there) < 3:
        until = len(log.read_text()) + 2 * generator.randint(1, 3)
        process = CONTEXT.Process(target=write)
        process.start()
        while process.is_alive() and len(log.read_text()) < until:
            time.sleep(0.001)
        time.sleep(generator.uniform(0, 0.02))
        kills += process.is_alive()
        process.kill()
        process.join()
        now = shard_bytes(tmp_path / "cache")
        # What is there stays there, as it was.
        assert there.items() <= now.items()
        there = now
    # How many depends on how busy the machine is.
    assert kills
    assert examples_run(log) <= len(examples) + 8 * kills
    write()
    assert_good(tmp_path / "cache", examples, arithmetic)


def test_killed_while_a_file_is_replaced(tmp_path, write, examples, arithmetic):
    """Before and after each of the renamings and removals of a writer."""

    def die_at(step, folder):
        def count(function):
            def counted(*arguments, **words):
                nonlocal step
                step -= 1
                if step == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                result = function(*arguments, **words)
                step -= 1
                if step == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return counted

        os.replace = count(os.replace)
        os.fsync = count(os.fsync)
        pathlib.Path.unlink = count(pathlib.Path.unlink)
        write(path=folder)

    step = 0
    while True:
        step += 1
        folder = tmp_path / str(step)
        process = CONTEXT.Process(target=die_at, args=(step, folder))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        write(path=folder)
        assert_good(folder, examples, arithmetic)
    assert step > 30


def test_several_writers_share_the_work(
    tmp_path, write, examples, arithmetic, log
):
    arithmetic.before_batch = staticmethod(lambda: time.sleep(0.02))
    processes = [CONTEXT.Process(target=write) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    # Each example once, by whomever.
    assert examples_run(log) == len(examples)
    assert_good(tmp_path / "cache", examples, arithmetic)


def test_a_writer_takes_over_from_a_dead_one(
    tmp_path, write, examples, arithmetic
):
    stuck = CONTEXT.Event()

    def hang():
        arithmetic.before_batch = staticmethod(
            lambda: (stuck.set(), signal.pause())
        )
        write()

    first = CONTEXT.Process(target=hang)
    first.start()
    assert stuck.wait(20)
    second = CONTEXT.Process(target=write)
    second.start()
    while len(shard_bytes(tmp_path / "cache")) < 2:
        time.sleep(0.01)
    second.join(0.5)
    # The shard of the first one is still its own.
    assert second.is_alive()
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    second.join(20)
    assert second.exitcode == 0
    assert_good(tmp_path / "cache", examples, arithmetic)


def test_an_error_leaves_nothing_half_written(
    tmp_path, write, examples, arithmetic
):
    calls = []

    def fail_at_last():
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt

    arithmetic.before_batch = staticmethod(fail_at_last)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert set(shard_bytes(tmp_path / "cache")) == {"00000.safetensors"}
    assert not list((tmp_path / "cache").glob("*new*"))
    write()
    assert_good(tmp_path / "cache", examples, arithmetic)


def test_memory_does_not_grow_with_the_examples(
    make_examples, make_teacher, write, tmp_path, monkeypatch, arithmetic_run
):
    """Of each example more, only its id, length, hash and order are held."""
    monkeypatch.setattr(shards_module, "_TABLE_BYTES", 1 << 15)
    arithmetic_run.width = 128
    teacher = make_teacher(width=128)

    def peak(num_examples):
        examples = make_examples(num_examples)
        tracemalloc.start()
        cache = write(
            path=tmp_path / str(num_examples),
            teacher=teacher,
            examples=examples,
            features=["layer.hidden", "logits"],
            shard_size=64,
            batch_size=16,
        )
        for batch in cache.attach(examples).iterate(16, shuffle=True):
            del batch
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    growth = (peak(2000) - peak(200)) / 1800
    # Of 128 * 4 bytes for each of 5 tokens on average.
    assert growth < 200
