"""Checkpoints that are whole, but not what this program would write."""

import os
import signal

import keras
import pytest

from keras_distill import stages
from keras_distill.stages.checkpoints import Checkpoints
from tests.stages import tiny_run

KEYS = {
    "format",
    "stage",
    "epoch",
    "batch",
    "stopped",
    "seconds",
    "model",
    "optimizer",
    "metrics",
    "callbacks",
    "random",
}


class StopAfterThree(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            os.kill(os.getpid(), signal.SIGINT)


def run(folder, callbacks=()):
    keras.utils.set_random_seed(3)
    stage = stages.Stage(
        "one",
        tiny_run.make_model(4),
        tiny_run.make_data(32),
        loss=tiny_run.cross_entropy(),
        optimizer="adam",
        epochs=1,
        batch_size=8,
        callbacks=callbacks,
        compile_options={"run_eagerly": True},
    )
    stages.run_stages([stage], folder, quiet=True)


@pytest.fixture
def folder(tmp_path):
    with pytest.raises(stages.Interrupted):
        run(tmp_path, [StopAfterThree()])
    return tmp_path / "stages" / "one"


def test_every_part_is_checked(folder):
    state, _ = Checkpoints(folder).read()
    assert set(state) == KEYS
    for key in sorted(KEYS - {"stopped", "seconds"}):
        for foreign in (None, -1, "x", []):
            for path in folder.iterdir():
                path.unlink()
            Checkpoints(folder).write({**state, key: foreign})
            with pytest.raises(ValueError, match="[sS]tage 'one'|metrics"):
                run(folder.parents[1])
        for path in folder.iterdir():
            path.unlink()
        Checkpoints(folder).write({k: v for k, v in state.items() if k != key})
        with pytest.raises(ValueError, match="stage 'one' cannot be used"):
            run(folder.parents[1])
    Checkpoints(folder).write(state)
    run(folder.parents[1])


def test_another_format_is_named(folder):
    state, _ = Checkpoints(folder).read()
    Checkpoints(folder).write({**state, "format": 99})
    with pytest.raises(ValueError, match="its format is 99"):
        run(folder.parents[1])
