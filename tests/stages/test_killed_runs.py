"""A run that is killed, and killed again, ends as if nothing had been."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import keras
import pytest

HERE = pathlib.Path(__file__).parent


@pytest.fixture
def server(tmp_path):
    """A process that runs `tiny_run` in children of its own."""
    errors = open(tmp_path / "errors.txt", "w")
    process = subprocess.Popen(
        [sys.executable, "run_server.py"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    with errors, process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


def run(server, folder, epochs, kill_after=None):
    """Returns the digest of the final weights, or `""` if it was killed."""
    server.stdin.write(f"{folder} {epochs}\n")
    server.stdin.flush()
    child = int(server.stdout.readline())
    if kill_after is not None:
        time.sleep(kill_after)
        # It may just be over.
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return server.stdout.readline().strip()


def checkpoints(folder):
    return list(folder.glob("stages/*/checkpoint-*"))


def kill_runs(server, tmp_path, kills, epochs):
    """Kills runs at random moments; returns where the kills came."""
    chance = random.Random(1)
    begin = time.monotonic()
    expected = run(server, tmp_path / "unharmed", epochs)
    duration = time.monotonic() - begin
    assert len(expected) == 64
    places = []
    number = 0
    while len(places) < kills:
        number += 1
        folder = tmp_path / f"killed-{number}"
        digest = ""
        while not digest and len(places) < kills:
            digest = run(
                server, folder, epochs, chance.uniform(0.0, 0.8) * duration
            )
            if not digest:
                done = len(list(folder.glob("stages/*/result.json")))
                places.append((done, len(checkpoints(folder))))
        digest = digest or run(server, folder, epochs)
        assert digest == expected
        assert not checkpoints(folder)
    return places


def test_two_kills(server, tmp_path):
    kill_runs(server, tmp_path, kills=2, epochs=4)


@pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="a run starts soonest on PyTorch; two kills elsewhere",
)
def test_twenty_kills(server, tmp_path):
    places = kill_runs(server, tmp_path, kills=20, epochs=20)
    # They came in the first stage and in later ones, and the most of them
    # after a checkpoint.
    assert len({done for done, _ in places}) >= 2
    assert sum(written > 0 for _, written in places) >= 10
