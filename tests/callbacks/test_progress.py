"""What a watcher of a log reads."""

import io

import keras
import numpy as np
from rich.console import Console

from keras_distill.callbacks import Progress


def lines(log_every, **options):
    output = io.StringIO()
    console = Console(file=output, width=200, **options)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    model.fit(
        np.ones((6, 1)),
        np.ones((6, 1)),
        batch_size=2,
        epochs=2,
        verbose=0,
        callbacks=[Progress("Teacher", log_every, console)],
    )
    return output.getvalue()


def test_a_log_gets_a_line_an_epoch():
    written = lines(log_every=1000.0).splitlines()
    assert len(written) == 2
    assert written[0].startswith("Teacher: epoch 1/2, loss ")
    assert written[0].endswith(" left")
    assert written[1].startswith("Teacher: epoch 2/2, loss ")
    assert written[1].endswith(", 0:00 left")


def test_a_log_gets_lines_within_an_epoch():
    written = lines(log_every=0.0).splitlines()
    assert len(written) == 2 * (3 + 1)
    assert written[1].startswith("Teacher: batch 2/3, epoch 1/2, loss ")


def test_a_terminal_gets_one_bar():
    written = lines(log_every=0.0, force_terminal=True)
    assert "Teacher" in written
    assert "epoch 2/2" in written
    assert "batch" not in written
