"""Saving and loading: whole or not at all, and apart from an optimizer."""

import contextlib
import errno
import json
import os
import pathlib

import keras

from keras_distill.precision import resolved_policies
from keras_distill.precision import with_quantized_head

# Starts the name of a file that is not finished.
UNFINISHED = ".new-"


def local_path(path):
    """A path on this machine, with the user's home for `~`.

    Args:
        path: str or path, as a user gave it.

    Returns:
        `pathlib.Path`.

    Raises:
        ValueError: If it is an address such as `"gs://..."`, or the home of
            nobody.
    """
    if "://" in str(path):
        raise ValueError(
            "A path must be one on this machine; copy what is elsewhere. "
            f"Received: {str(path)!r}"
        )
    try:
        return pathlib.Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{error} Received: {str(path)!r}") from error


def real_path(path):
    """Where what is written to a path lies: links are followed.

    Args:
        path: str or path, as a user gave it. Nothing needs to be there.

    Returns:
        `pathlib.Path`, absolute.
    """
    return pathlib.Path(os.path.realpath(local_path(path)))


def make_folder(path):
    """Makes a folder where there is none; a link is followed.

    Args:
        path: Path of the folder.
    """
    real_path(path).mkdir(parents=True, exist_ok=True)


def check_names_free(folder, names, owner):
    """Raises if a folder that is not ours yet holds what we shall write.

    Args:
        folder: `pathlib.Path`.
        names: Sequence of str, the files and folders that will be written.
        owner: str. What would be theirs, for the message: `"run"`.

    Raises:
        ValueError: If one of them is there.
    """
    there = [name for name in names if os.path.lexists(folder / name)]
    if there:
        raise ValueError(
            f"{str(folder)!r} holds {there[0]}, but no {owner} that was begun "
            f"here, and a {owner} writes a file or folder of this name. Choose "
            "another folder."
        )


@contextlib.contextmanager
def replaced_file(path):
    """A temporary file that takes the place of `path` when the block succeeds.

    It lies beside `path` and is on the disk before it is renamed, so that
    whatever happens, a full disk or a lost power supply, `path` is what it
    was or what it shall be.

    Args:
        path: Path of the file to make or to replace. `~` is the user's home,
            and a link is followed.

    Yields:
        `pathlib.Path` of the file to write, with the same ending as `path`.

    Example:

    ```python
    from keras_distill.saving import replaced_file

    with replaced_file("numbers.txt") as file:
        file.write_text("1 2 3")
    ```
    """
    path = real_path(path)
    if path.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, "There is a folder where a file is to be", str(path)
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(UNFINISHED + path.name)
    try:
        yield temporary
        flush_to_disk(temporary)
        os.replace(temporary, path)
        flush_to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(path, ending, overwrite=True):
    """Where Keras is to write a file, so that it is there whole or not at all.

    Whatever is no such file on this machine's disks (a folder, a bucket), or
    is not to be overwritten, is left to Keras's own way, with the user's home
    for `~`.

    Args:
        path: Path of the file to make or to replace.
        ending: str. What the names of such files end in.
        overwrite: bool. Whether a file that is there is replaced unasked.

    Yields:
        Path to give to Keras.
    """
    name = os.path.expanduser(str(path))
    is_file = name.endswith(ending) and not os.path.isdir(name)
    if not overwrite or not is_file or "://" in name:
        yield name
        return
    with replaced_file(name) as temporary:
        yield temporary


class SavedWhole:
    """A model whose files are there whole or not at all, and are read again.

    It comes before Keras's or KerasHub's class among the bases.
    """

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Saves the model, as Keras does, in a `.keras` file.

        It is written under another name first: what was there before stays
        until the new one is whole.

        Args:
            filepath: Path of the file. `~` is the user's home, and a link is
                followed.
            overwrite: bool. As in Keras. Defaults to `True`.
            zipped: Optional bool. As in Keras. Defaults to `None`.
            **kwargs: As in Keras.

        Raises:
            ValueError: If the file is one of HDF5, which Keras writes but
                does not read.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                "`filepath` must end in `.keras`: Keras could not load the "
                f"model from HDF5 again. Received: filepath={str(filepath)!r}. "
                "Weights alone go to a `.weights.h5` file by `save_weights`."
            )
        replaces = overwrite and zipped is not False
        with (
            whole_file(filepath, ".keras", replaces) as path,
            resolved_policies(self),
        ):
            super().save(path, overwrite, zipped, **kwargs)

    def save_weights(self, filepath, overwrite=True, max_shard_size=None):
        """Saves the weights, as Keras does, and whole as `save` does.

        Args:
            filepath: Path of the file, which ends in `.weights.h5`.
            overwrite: bool. As in Keras. Defaults to `True`.
            max_shard_size: Optional float. As in Keras. Defaults to `None`.
        """
        replaces = overwrite and max_shard_size is None
        with whole_file(filepath, ".weights.h5", replaces) as path:
            super().save_weights(path, overwrite, max_shard_size)

    def load_weights(self, filepath, *args, **kwargs):
        """Loads weights, as Keras does; `~` is the user's home."""
        super().load_weights(os.path.expanduser(filepath), *args, **kwargs)

    def get_config(self):
        config = super().get_config()
        if hasattr(self, "backbone"):
            with_quantized_head(config, self)
        return config


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


def flush_to_disk(path):
    """Waits until a file, or the list of a folder's files, is on the disk.

    Args:
        path: Path of the file or folder.
    """
    is_folder = os.path.isdir(path)
    if is_folder and not hasattr(os, "O_DIRECTORY"):
        # Windows has no such thing for folders.
        return
    # To write back what others wrote, Windows wants it open for writing.
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
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
    if hasattr(model, "backbone"):
        with_quantized_head(config["config"], model)
    return config
