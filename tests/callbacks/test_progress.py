import io

import keras
import numpy as np
import pytest
from rich.console import Console

from keras_distill.callbacks import Progress


@pytest.fixture
def lines():
    """Fits a tiny model with the callback; returns the lines it wrote."""

    def run(terminal=False, epochs=2, **words):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
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
            verbose=0,
            validation_data=(x, x),
            callbacks=[Progress("Stage 1", console=console, **words)],
        )
        return out.getvalue().splitlines()

    return run


def test_a_log_has_a_line_an_epoch(lines):
    first, second = lines()
    assert first.startswith(
        "Stage 1: epoch 1/2, loss 4.0000, val_loss 1.0000, 0:0"
    )
    assert first.endswith(" left")
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
