"""The config and the weights of a folder that `transformers` wrote."""

import json
import pathlib

# Gives NumPy bfloat16, in which many checkpoints are.
import ml_dtypes  # noqa: F401
import numpy as np
import safetensors

from keras_distill.models.hugging_face.conversions import check_convertible
from keras_distill.models.hugging_face.families import FAMILIES
from keras_distill.models.hugging_face.families import WITH_SEGMENTS
from keras_distill.models.hugging_face.files import CONFIG_FILE
from keras_distill.models.hugging_face.files import INDEX_FILE
from keras_distill.models.hugging_face.files import WEIGHTS_FILE
from keras_distill.models.hugging_face.settings import read_settings

# TensorFlow's names of the two, which conversions kept for long.
_OLD_NAMES = {
    ".LayerNorm.gamma": ".LayerNorm.weight",
    ".LayerNorm.beta": ".LayerNorm.bias",
}


def is_hugging_face_folder(folder):
    """Whether a folder holds a config of `transformers`, not of KerasHub.

    Args:
        folder: Path.

    Returns:
        bool.

    Raises:
        ValueError: If the config is damaged.
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
        family: `Family`, the classes that stand for its architecture.
        settings: `EncoderSettings`, what its config says.

    Raises:
        ValueError: If a file is missing or damaged, or the architecture or
            an entry of the config cannot be expressed.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.config = _read_json(self.folder / CONFIG_FILE)
        check_convertible(self.folder, self.config)
        self.family = FAMILIES[self.config["model_type"]]
        try:
            self.settings = read_settings(self.config)
        except ValueError as error:
            raise ValueError(
                f"The model in {self.folder} cannot be loaded. {error}"
            ) from error
        if self.family.backbone is None and not self.is_built_in:
            raise ValueError(
                f"The model in {self.folder} cannot be loaded. KerasHub's "
                f"{self.config['model_type']} builds in the tanh approximation "
                "of GELU and an epsilon of 1e-12. Received: hidden_act="
                f"{self.config.get('hidden_act')!r}, layer_norm_eps="
                f"{self.settings.layer_norm_epsilon}"
            )
        self._opened = {}
        self._files = {
            self._own_name(stored): (file, stored)
            for file, stored in self._stored_names()
        }

    def __contains__(self, name):
        return name in self._files

    def __iter__(self):
        return iter(self._files)

    @property
    def is_built_in(self):
        """Whether KerasHub builds in the activation and epsilon it has."""
        return self.family.built_in == (
            self.settings.activation,
            self.settings.layer_norm_epsilon,
        )

    @property
    def has_segments(self):
        """Whether its tokens belong to segments."""
        return self.config["model_type"] in WITH_SEGMENTS

    @property
    def has_pooler(self):
        """Whether it has a dense layer on the first token."""
        return "pooler.dense.weight" in self

    @property
    def architecture(self):
        """The class of `transformers` that saved it, or `None`."""
        return (self.config.get("architectures") or [None])[0]

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
                f"{self.folder} holds no weight {name!r}, which every "
                f"{self.architecture or self.config['model_type']} has. Save "
                "it again with `save_pretrained`."
            )
        file, stored = self._files[name]
        return self._open(file).get_tensor(stored).astype(np.float32)

    def _stored_names(self):
        # One file comes before several, as in `transformers`.
        file = self.folder / WEIGHTS_FILE
        if file.is_file():
            for stored in self._open(file).keys():
                yield file, stored
            return
        index = _read_json(self.folder / INDEX_FILE)
        for stored, name in index["weight_map"].items():
            yield self.folder / name, stored

    def _open(self, file):
        if file in self._opened:
            return self._opened[file]
        try:
            opened = safetensors.safe_open(file, framework="np")
            return self._opened.setdefault(file, opened)
        except (OSError, safetensors.SafetensorError) as error:
            raise ValueError(
                f"{file} is missing or damaged ({error}). Fetch it again."
            ) from error

    def _own_name(self, stored):
        name = stored.removeprefix(self.family.prefix)
        for old, new in _OLD_NAMES.items():
            name = name.replace(old, new)
        return name


def _read_json(file):
    try:
        return json.loads(file.read_bytes())
    except (OSError, RecursionError, ValueError) as error:
        raise ValueError(f"{file} is missing or damaged ({error}).") from error
