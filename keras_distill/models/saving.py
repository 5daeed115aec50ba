"""Saving and loading models: whole, and apart from an optimizer."""

import contextlib
import json
import os
import pathlib

import keras

from keras_distill.io.saving import whole_file
from keras_distill.keras_patches import resolved_policies
from keras_distill.models.precision import with_quantized_head


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
