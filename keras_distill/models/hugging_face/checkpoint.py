"""The config and the weights of a folder that `transformers` wrote."""

import json
import pathlib

# Gives NumPy bfloat16, in which many checkpoints are.
import ml_dtypes  # noqa: F401
import numpy as np
import safetensors

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"

# TensorFlow's names of the two, which conversions kept for long.
_OLD_NAMES = {".LayerNorm.gamma": ".LayerNorm.weight"}
_OLD_NAMES[".LayerNorm.beta"] = ".LayerNorm.bias"


def is_hugging_face_folder(folder):
    """Whether a folder holds a config of `transformers`, not of KerasHub.

    Args:
        folder: Path.

    Returns:
        bool.
    """
    file = pathlib.Path(folder, CONFIG_FILE)
    if not file.is_file():
        return False
    config = _read_json(file)
    return "model_type" in config and "registered_name" not in config


class Checkpoint:
    """The config and the weights of a folder that `transformers` wrote.

    Weights go by the name that they have in the encoder alone, whatever model
    saved it: `"embeddings.word_embeddings.weight"`, with or without `"bert."`
    in the file. Those of a head keep theirs: `"classifier.weight"`.

    Args:
        folder: Path of a folder with `config.json` and safetensors, in one
            file or in several with an index.

    Attributes:
        folder: `pathlib.Path`.
        config: dict, `config.json`.

    Raises:
        ValueError: If a file is missing or damaged.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.config = _read_json(self.folder / CONFIG_FILE)
        self._files = {}
        for file, stored in self._stored_names():
            self._files[self._own_name(stored)] = (file, stored)

    def __contains__(self, name):
        return name in self._files

    def __iter__(self):
        return iter(self._files)

    def read(self, name):
        """Reads one weight.

        Args:
            name: str.

        Returns:
            float32 array.

        Raises:
            ValueError: If there is none of that name.
        """
        if name not in self._files:
            raise ValueError(
                f"{self.folder} holds no weight {name!r}, which a "
                f"{self.config['model_type']} has."
            )
        file, stored = self._files[name]
        with safetensors.safe_open(file, framework="np") as weights:
            return weights.get_tensor(stored).astype(np.float32)

    def _stored_names(self):
        index = self.folder / INDEX_FILE
        if index.is_file():
            for stored, file in _read_json(index)["weight_map"].items():
                yield self.folder / file, stored
            return
        file = self.folder / WEIGHTS_FILE
        with safetensors.safe_open(file, framework="np") as weights:
            for stored in weights.keys():
                yield file, stored

    def _own_name(self, stored):
        # A model names its encoder after its architecture.
        kind = self.config["model_type"].replace("xlm-", "")
        name = stored.removeprefix(f"{kind}.")
        for old, new in _OLD_NAMES.items():
            name = name.replace(old, new)
        return name


def _read_json(file):
    try:
        return json.loads(file.read_bytes())
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{file} is damaged ({error}).") from error
