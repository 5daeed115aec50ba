import io
import re

import keras
import numpy as np
import pytest
from rich.console import Console

from keras_distill.callbacks import Progress


@pytest.fixture
def lines():
    """Fits a tiny model with the callback; returns the lines it wrote."""

    def run(terminal=False, epochs=2, initial_epoch=0, steps=1, **words):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(
            keras.optimizers.SGD(0.0),
            "mse",
            run_eagerly=True,
            steps_per_execution=steps,
        )
        model.set_weights([np.zeros((1, 1)), np.zeros(1)])
        out = io.StringIO()
        console = Console(
            file=out, force_terminal=terminal, width=200, soft_wrap=True
        )
        x = np.ones((4, 1))
        model.fit(
            x,
            2 * x,
            batch_size=2,
            epochs=epochs,
            initial_epoch=initial_epoch,
            verbose=0,
            validation_data=(x, x),
            callbacks=[Progress("Stage 1", console=console, **words)],
        )
        return out.getvalue().splitlines()

    return run


def test_a_log_has_a_line_an_epoch(lines):
    first, second = lines()
    # However long the first epoch took on a busy machine.
    assert re.fullmatch(
        r"Stage 1: epoch 1/2, loss 4\.0000, val_loss 1\.0000, \d+:\d\d left",
        first,
    )
    assert second == (
        "Stage 1: epoch 2/2, loss 4.0000, val_loss 1.0000, 0:00 left"
    )


def test_a_log_has_a_line_when_it_is_time(lines):
    written = lines(epochs=1, log_every=0.0)
    assert [line.split(", epoch")[0] for line in written[:2]] == [
        "Stage 1: batch 1/2",
        "Stage 1: batch 2/2",
    ]
    assert len(written) == 3


def test_a_terminal_shows_a_bar(lines):
    written = "\n".join(lines(terminal=True))
    assert "Stage 1" in written
    assert "epoch 2/2, loss 4.0000, val_loss 1.0000" in written


@pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="Keras runs one step at a time on PyTorch",
)
def test_batches_that_come_at_once_are_all_counted(lines):
    written = lines(epochs=1, steps=2, log_every=0.0)
    assert len(written) == 2
    assert written[0].startswith("Stage 1: batch 2/2, epoch 1/1")
    assert written[0].endswith("0:00 left")


def test_a_run_that_is_resumed_has_less_to_do(lines):
    (written,) = lines(epochs=5, initial_epoch=4)
    assert written.startswith("Stage 1: epoch 5/5")
    assert written.endswith("0:00 left")


def test_a_run_that_begins_and_ends_within_an_epoch(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    out = io.StringIO()
    progress = Progress("Stage 1", log_every=0.0, console=Console(file=out))
    progress.set_params({"epochs": 3, "steps": 4, "total_steps": 10})
    progress.on_train_begin()
    progress.on_epoch_begin(1)
    progress.on_train_batch_begin(2)
    now[0] = 2.0
    progress.on_train_batch_end(2)
    # Batches 6 to 9 of 0 to 9, the first of which took two seconds.
    assert "batch 3/4, epoch 2/3, 0:06 left" in out.getvalue()


def test_an_interrupted_run_can_be_followed_by_another():
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=200)
    progress = Progress("Stage 1", console=console)
    x = np.ones((2, 1))
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, x, verbose=0, callbacks=[Interrupt(), progress])
    model.fit(x, x, verbose=0, callbacks=[progress])
    # What shows the cursor again is the last word on it.
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert out.getvalue().rindex(show) > out.getvalue().rindex(hide)
