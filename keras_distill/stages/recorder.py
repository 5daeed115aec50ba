"""Writes down what a stage measured."""

import json
import math
import os
import socket
import time

import keras

# Batches between two lines about the epoch that is running.
_BATCHES = 100


class Recorder(keras.callbacks.Callback):
    """Writes down what a stage measured: history, `metrics.jsonl`, events."""

    # A line has stage, epoch (from 1), the batch where the epoch is not over,
    # step and logs; what is not finite is `null`. What the stage starts from is
    # epoch 0, if `keep`, which stands before this among the callbacks, has it.

    def __init__(self, stage, folder, steps_per_epoch, keep=None):
        super().__init__()
        self.history = {}
        self._stage = stage
        self._folder = folder
        self._steps_per_epoch = steps_per_epoch
        self._keep = keep
        self._has_start = False
        self._path = folder.path / "metrics.jsonl"
        self._events = None
        if keras.backend.backend() == "tensorflow":
            self._events = EventFile(folder.path / "tensorboard" / stage)

    def get_state(self):
        size = self._path.stat().st_size if self._path.is_file() else 0
        return {
            "history": self.history,
            "size": size,
            "has_start": self._has_start,
        }

    def set_state(self, state):
        self.history = state["history"]
        self._has_start = state.get("has_start", False)
        if not self._folder.writes or not self._path.is_file():
            return
        # What came after the checkpoint will come again.
        if self._path.stat().st_size > state["size"]:
            os.truncate(self._path, state["size"])

    def on_epoch_begin(self, epoch, logs=None):
        start = getattr(self._keep, "start", None)
        if start is not None and not self._has_start:
            self._has_start = True
            self._epoch = start["epoch"] - 1
            self._write(
                "epoch", values_of(start, "val_"), self._steps_per_epoch
            )
            self._folder.say(
                f"Stage '{self._stage}' starts from {in_words(start)}"
            )
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        self._first = batch

    def on_train_batch_end(self, batch, logs=None):
        # With `steps_per_execution` batches come several at once.
        is_due = (batch + 1) // _BATCHES > self._first // _BATCHES
        # What `keep` measured within an epoch.
        if is_due or any(name.startswith("val_") for name in logs or ()):
            self._write("batch", logs, batch + 1, {"batch": batch + 1})

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        logs = {**(logs or {}), "learning_rate": rate}
        self._write("epoch", logs, self._steps_per_epoch)
        self._folder.log(
            f"Stage '{self._stage}': epoch {epoch + 1} of "
            f"{self.params['epochs']}, "
            + ", ".join(f"{name} {float(x):.6g}" for name, x in logs.items())
        )

    def on_train_end(self, logs=None):
        if self._events is not None:
            self._events.close()

    def _write(self, kind, logs, batches, place=()):
        if not self._folder.writes:
            return
        step = self._epoch * self._steps_per_epoch + batches
        scalars = {name: float(value) for name, value in (logs or {}).items()}
        line = {
            "stage": self._stage,
            "epoch": self._epoch + 1,
            **dict(place),
            "step": step,
            **{
                name: value if math.isfinite(value) else None
                for name, value in scalars.items()
            },
        }
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        if self._events is not None:
            tagged = {f"{kind}/{name}": x for name, x in scalars.items()}
            self._events.write(tagged, step)


def values_of(measures, prefix=""):
    """The measures of `KeepBest`, without where they were taken."""
    places = ("epoch", "step")
    return {f"{prefix}{k}": v for k, v in measures.items() if k not in places}


def in_words(measures):
    """The measures of `KeepBest` as part of a sentence."""
    return ", ".join(
        f"{name.replace('_', ' ')} {float(value):.4g}"
        for name, value in values_of(measures).items()
    )


class EventFile:
    """Writes scalars as TensorBoard reads them."""

    # The file is begun with the first scalar: without any there is none.

    def __init__(self, folder):
        self._folder = folder
        self._writer = None

    def write(self, scalars, step):
        """Writes some scalars of one step."""
        from tensorflow.compat.v1 import Summary

        values = [
            Summary.Value(tag=name, simple_value=value)
            for name, value in scalars.items()
        ]
        self._append(step=step, summary=Summary(value=values))

    def close(self):
        """Closes the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _append(self, **content):
        from tensorflow.compat.v1 import Event

        if self._writer is None:
            self._begin()
        event = Event(wall_time=time.time(), **content)
        self._writer.write(event.SerializeToString())
        self._writer.flush()

    def _begin(self):
        from tensorflow.io import TFRecordWriter

        self._folder.mkdir(parents=True, exist_ok=True)
        name = (
            f"events.out.tfevents.{time.time_ns()}."
            f"{socket.gethostname()}.{os.getpid()}"
        )
        self._writer = TFRecordWriter(str(self._folder / name))
        self._append(file_version="brain.Event:2")
