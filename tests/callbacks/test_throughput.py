"""Tokens seen, and tokens a second."""

import io

import numpy as np
import pytest
from rich.console import Console

from keras_distill import callbacks
from keras_distill.callbacks import throughput


@pytest.fixture
def clock(monkeypatch):
    """Each look at the clock is a second later."""
    seconds = iter(range(100))
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(seconds))


def _epoch(callback, number, batches):
    """The logs of some batches of an epoch, and of its end."""
    callback.on_epoch_begin(number)
    found = []
    for batch in batches:
        logs = {"loss": 1.0}
        callback.on_train_batch_end(batch, logs)
        found.append((logs["tokens"], logs["tokens_per_second"]))
    logs = {}
    callback.on_epoch_end(number, logs)
    return found, logs["tokens"]


def _make():
    # Epochs of 3 batches; the batches of the second have more tokens.
    return callbacks.Throughput(
        lambda epoch: np.array([10, 30, 60]) * (epoch + 1)
    )


def test_counts_over_epochs_and_goes_on_where_it_was(clock):
    callback = _make()
    callback.on_train_begin()
    assert _epoch(callback, 0, range(3)) == ([(10, 0), (30, 20), (60, 25)], 60)
    state = callback.get_state()
    first, _ = _epoch(callback, 1, range(3))
    assert [tokens for tokens, _ in first] == [80, 120, 180]

    # In another process, from the second batch on, several at once.
    again = _make()
    again.set_state(state)
    again.on_train_begin()
    found, total = _epoch(again, 1, [2])
    assert found == [(180, 0)] and total == 180
    assert again.get_state() == {"before": 180}


def test_progress_shows_them():
    out = io.StringIO()
    progress = callbacks.Progress("Stage", 0.0, Console(file=out, width=200))
    progress.set_params({"epochs": 1, "steps": 2})
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    progress.on_train_batch_begin(0)
    logs = {"loss": 2.0, "tokens": 2048, "tokens_per_second": 8192.4}
    progress.on_train_batch_end(0, logs)
    shown = out.getvalue()
    assert "loss 2.0000, 2,048 tokens, 8,192 tokens a second" in shown
