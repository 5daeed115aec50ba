"""A kill between any two file operations changes nothing.

A kill is simulated: from some operation on, every operation on a file fails,
so that nothing can be tidied up, and a file that is being written is cut.
"""

import os
import pathlib

import keras
import pytest

from tests.stages import tiny_run

OPERATIONS = (
    (os, "fsync"),
    (os, "replace"),
    (os, "truncate"),
    (pathlib.Path, "unlink"),
    (pathlib.Path, "write_bytes"),
    (pathlib.Path, "write_text"),
)


class Killed(BaseException):
    """Nothing catches it."""


class FileOperations:
    """Counts operations on files, and fails from a certain one on."""

    def __init__(self, monkeypatch, last=None):
        self.count = 0
        self.last = last
        for owner, name in OPERATIONS:
            monkeypatch.setattr(owner, name, self._wrap(getattr(owner, name)))

    def _wrap(self, operation):
        def wrapped(target, *args, **kwargs):
            self.count += 1
            if self.last is not None and self.count > self.last:
                if operation.__name__.startswith("write"):
                    content, *args = args
                    args = [content[: len(content) // 2], *args]
                    if self.count == self.last + 1:
                        operation(target, *args, **kwargs)
                raise Killed
            return operation(target, *args, **kwargs)

        return wrapped


def run(folder):
    """Two batches in each of three stages, a checkpoint after each."""
    _, values = tiny_run.run(
        folder,
        checkpoint_every=0.0,
        epochs=1,
        rows=2 * tiny_run.BATCH_SIZE,
        compile_options={"run_eagerly": True},
    )
    return tiny_run.digest(values)


def kill_between(tmp_path, every):
    with pytest.MonkeyPatch.context() as patch:
        operations = FileOperations(patch)
        expected = run(tmp_path / "unharmed")
        # Folder, three stages with three checkpoints, results and weights.
        assert operations.count > 90
    for last in range(0, operations.count, every):
        folder = tmp_path / f"killed-{last}"
        with pytest.MonkeyPatch.context() as patch:
            FileOperations(patch, last)
            with pytest.raises(Killed):
                run(folder)
        assert run(folder) == expected
        leftovers = [*folder.rglob(".new-*"), *folder.rglob("checkpoint-*")]
        # The folder's own files are written again by any later run.
        assert not [path for path in leftovers if path.parent != folder]


def test_some_kills(tmp_path):
    kill_between(tmp_path, every=33)


@pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="a run is quickest on PyTorch; some of the kills elsewhere",
)
def test_all_kills(tmp_path):
    kill_between(tmp_path, every=1)
