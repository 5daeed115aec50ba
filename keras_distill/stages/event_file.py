"""Numbers for TensorBoard, without TensorBoard."""

import os
import socket
import time


class EventFile:
    """Writes scalars as TensorBoard reads them.

    The file is begun with the first scalar, so that a training without any
    leaves none.

    Args:
        folder: `pathlib.Path`. Made if missing; each start of a run adds a
            file to it.
    """

    def __init__(self, folder):
        self._folder = folder
        self._writer = None

    def write(self, scalars, step):
        """Writes some scalars of one step.

        Args:
            scalars: dict of str to float.
            step: int.
        """
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
