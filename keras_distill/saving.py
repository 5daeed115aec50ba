"""Saving and loading: whole or not at all, and apart from an optimizer."""

import contextlib
import json
import os
import pathlib

import keras

# Starts the name of a file that is not finished.
UNFINISHED = ".new-"


@contextlib.contextmanager
def replaced_file(path):
    """A temporary file that takes the place of `path` when the block succeeds.

    It lies beside `path` and is on the disk before it is renamed, so that
    whatever happens, a full disk or a lost power supply, `path` is what it
    was or what it shall be.

    Args:
        path: Path of the file to make or to replace.

    Yields:
        `pathlib.Path` of the file to write, with the same ending as `path`.

    Example:

    ```python
    from keras_distill.saving import replaced_file

    with replaced_file("numbers.txt") as file:
        file.write_text("1 2 3")
    ```
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(UNFINISHED + path.name)
    try:
        yield temporary
        # To write back what others wrote, Windows wants it open for writing.
        _flush(temporary, os.O_RDWR)
        os.replace(temporary, path)
        if hasattr(os, "O_DIRECTORY"):
            # Windows has no such thing for folders.
            _flush(path.parent, os.O_RDONLY)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(path, ending, overwrite=True):
    """Where Keras is to write a file, so that it is there whole or not at all.

    Whatever is no such file on this machine's disks (a folder, a bucket), or
    is not to be overwritten, is left to Keras's own way.

    Args:
        path: Path of the file to make or to replace.
        ending: str. What the names of such files end in.
        overwrite: bool. Whether a file that is there is replaced unasked.

    Yields:
        Path to give to Keras.
    """
    name = str(path)
    is_file = name.endswith(ending) and not os.path.isdir(name)
    if not overwrite or not is_file or "://" in name:
        yield path
        return
    with replaced_file(name) as temporary:
        yield temporary


@contextlib.contextmanager
def swapped_optimizer(model, optimizer):
    """Gives a model another optimizer while it is saved or loaded.

    Keras writes the state of a compiled model's optimizer beside its weights.

    Args:
        model: `keras.Model`.
        optimizer: `keras.optimizers.Optimizer` without state, or `None`.
    """
    own = getattr(model, "optimizer", None)
    model.optimizer = optimizer
    try:
        yield
    finally:
        model.optimizer = own


def saved_task_class(folder):
    """The class of the task that KerasHub saved in a folder.

    Args:
        folder: Path of a preset.

    Returns:
        Class, or `None` if the folder holds no task, such as a backbone alone.
    """
    file = pathlib.Path(folder, "task.json")
    if not file.is_file():
        return None
    name = json.loads(file.read_bytes())["registered_name"]
    return keras.saving.get_registered_object(name)


def _flush(path, flags):
    """Waits until a file, or the list of a folder's files, is on the disk."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def model_config(model):
    """A model's config without how it was trained.

    Args:
        model: `keras.Model`.

    Returns:
        dict, as `keras.saving.serialize_keras_object` gives it.
    """
    config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    return config
