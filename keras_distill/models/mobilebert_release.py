"""MobileBERT and its teacher out of checkpoints of the original code."""

import itertools
import json
import math
import pathlib
import re

import keras_hub

# KerasHub exports BERT's activation under no public name.
from keras_hub.src.utils.keras_utils import gelu_approximate

from keras_distill.io.saving import local_path
from keras_distill.models.hugging_face.encoder import encoder_names
from keras_distill.models.hugging_face.masked_lm_head import masked_lm_names
from keras_distill.models.hugging_face.masked_lm_head import next_sentence_names
from keras_distill.models.mobilebert import MobileBertBackbone
from keras_distill.models.mobilebert import MobileBertTextClassifierPreprocessor
from keras_distill.models.mobilebert.block import BLOCK
from keras_distill.models.mobilebert.block import BOTTLENECK
from keras_distill.models.mobilebert.block import NO_NORM
from keras_distill.models.mobilebert.block import NORMALIZATIONS
from keras_distill.models.mobilebert.block import SHARED_BOTTLENECK
from keras_distill.models.pretraining_model import PretrainingModel

_KIND = "mobilebert"
_INDEX = ".index"
_WORDS = "bert/embeddings/word_embeddings"
_ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "tanh": "tanh",
    "gelu": gelu_approximate,
}
# Arguments by the words that every config has.
_SIZES = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "embedding_dim": "embedding_size",
    "hidden_dim": "hidden_size",
    "intra_dim": "intra_bottleneck_size",
    "intermediate_dim": "intermediate_size",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "max_sequence_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
}
# What those of the heads are called, by their names in `transformers`.
_OF_HEADS = {
    "cls.predictions.bias": "cls/predictions/output_bias",
    "cls.predictions.dense.weight": "cls/predictions/extra_output_weights",
    "cls.seq_relationship.weight": "cls/seq_relationship/output_weights",
    "cls.seq_relationship.bias": "cls/seq_relationship/output_bias",
}
# The one matrix that is turned round.
_TURNED = "cls/seq_relationship/output_weights"


def load_released_mobilebert(checkpoint, config, heads=False, dtype=None):
    """Loads a MobileBERT, or its teacher, as the original code saves it.

    It reads the variables of TensorFlow 1 by their names, for which TensorFlow
    is needed. `from_preset` of `MobileBertBackbone`, `PretrainingModel`,
    `MobileBertTextClassifier` and `TokenClassifier`, and `load_teacher`, take
    the folder that both files lie in, and read its `vocab.txt` as
    `keras_hub.models.BertTokenizer(vocabulary, lowercase=True)`.

    Where the vector of the padding is not zero, as in the original code, the
    last word of a text sees it (`zero_pad_embedding=False`).

    Args:
        checkpoint: str or path. What the names of the checkpoint's files have
            in common, such as `"mobilebert_variables.ckpt"`.
        config: str or path. The file with the sizes, such as
            `"uncased_L-24_H-1024_B-512_A-4.json"`.
        heads: bool. Whether the heads of pre-training are loaded as well.
            Defaults to `False`.
        dtype: Optional dtype or dtype policy of the model.

    Returns:
        `keras_distill.models.MobileBertBackbone`, or with `heads` a
        `keras_distill.models.PretrainingModel` on one.

    Raises:
        ValueError: If the config says what cannot be expressed, or a variable
            is missing or of another shape.

    Reference:
        - Official code: `google-research/mobilebert`.
    """
    release = ReleasedCheckpoint(checkpoint, config)
    backbone = release.load_backbone(dtype=dtype)
    if not heads:
        return backbone
    model = PretrainingModel(backbone)
    release.load_heads(model)
    return model


class ReleasedCheckpoint:
    """The config and the variables of a checkpoint of the original code.

    Args:
        checkpoint: As `load_released_mobilebert` takes it.
        config: As there.
    """

    def __init__(self, checkpoint, config):
        try:
            import tensorflow as tf
        except ModuleNotFoundError as error:
            raise ImportError(
                f"{checkpoint} is a checkpoint of TensorFlow, which is not "
                "installed. Install it with: pip install tensorflow"
            ) from error
        config = local_path(config)
        self._checkpoint = str(local_path(checkpoint))
        try:
            words = json.loads(config.read_bytes())
            self._reader = tf.train.load_checkpoint(self._checkpoint)
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise ValueError(
                f"{config} or the checkpoint {self._checkpoint!r} is missing "
                f"or damaged ({error}). `checkpoint` ends where `.index` "
                "would follow."
            ) from error
        self._shapes = self._reader.get_variable_to_shape_map()
        self.arguments = _arguments(words, config)
        if _WORDS in self._shapes:
            is_zero = not self._reader.get_tensor(_WORDS)[0].any()
            self.arguments["zero_pad_embedding"] = is_zero

    def load_backbone(self, load_weights=True, **kwargs):
        """The encoder; arguments of its class beat the config's."""
        backbone = MobileBertBackbone(**{**self.arguments, **kwargs})
        if load_weights:
            self._load(encoder_names(backbone, _KIND), backbone)
        return backbone

    def load_heads(self, model):
        """Gives a `PretrainingModel` the heads of the checkpoint."""
        names = itertools.chain(
            masked_lm_names(model.masked_lm_head, _KIND),
            next_sentence_names(model.next_sentence_dense),
        )
        self._load(names, model.backbone)

    def _load(self, names, backbone):
        for name, variable in names:
            name = _original_name(name, variable, backbone.normalization)
            value = None
            if name in self._shapes:
                value = self._reader.get_tensor(name)
                value = value.T if name == _TURNED else value
            _assign(variable, value, name, self._checkpoint)


def files_of_release(folder):
    """The checkpoint and the config of the original code in a folder.

    Args:
        folder: Path.

    Returns:
        Tuple of what `load_released_mobilebert` takes, or `None` where there
        are none.

    Raises:
        ValueError: If there are several.
    """
    folder = pathlib.Path(folder)
    checkpoints = sorted(folder.glob(f"*{_INDEX}"))
    if not checkpoints:
        return None
    configs = [f for f in sorted(folder.glob("*.json")) if _is_config(f)]
    if not configs:
        return None
    if len(checkpoints) > 1 or len(configs) > 1:
        names = ", ".join(file.name for file in (*checkpoints, *configs))
        raise ValueError(
            f"{folder} holds more than one MobileBERT: {names}. Load one of "
            "them by `load_released_mobilebert(checkpoint, config)`."
        )
    return str(checkpoints[0]).removesuffix(_INDEX), configs[0]


def preprocessor_of_release(folder, sequence_length):
    """The preprocessor for the `vocab.txt` of a folder, or `None`."""
    file = pathlib.Path(folder, "vocab.txt")
    if not file.is_file():
        return None
    return MobileBertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer(str(file), lowercase=True),
        sequence_length=sequence_length,
    )


def _is_config(file):
    try:
        words = json.loads(file.read_bytes())
    except (OSError, RecursionError, ValueError):
        return False
    # `transformers` names the type of its models.
    is_other = not isinstance(words, dict) or "model_type" in words
    return not is_other and "intra_bottleneck_size" in words


def _arguments(words, file):
    missing = [word for word in _SIZES.values() if word not in words]
    if missing:
        raise ValueError(f"{file} says no {', '.join(missing)}.")
    # A config leaves out what the original code has by default.
    normalization = words.get("normalization_type", "layer_norm")
    for word, value, known in (
        ("hidden_act", words.get("hidden_act", "gelu"), _ACTIVATIONS),
        ("normalization_type", normalization, NORMALIZATIONS),
        ("use_bottleneck", words.get("use_bottleneck", False), (True,)),
    ):
        if value not in known:
            raise ValueError(
                f"{file} has {word}={value!r}, which cannot be expressed. "
                f"Known: {', '.join(map(str, known))}."
            )
    attention_inputs = BLOCK
    if words.get("use_bottleneck_attention", False):
        attention_inputs = BOTTLENECK
    elif words.get("key_query_shared_bottleneck", False):
        attention_inputs = SHARED_BOTTLENECK
    has_trigrams = words.get("trigram_input", False)
    if not has_trigrams and words["embedding_size"] == words["hidden_size"]:
        raise ValueError(
            f"{file} has trigram_input=False and words as wide as the states, "
            "which the original code does not project."
        )
    return {
        **{ours: words[theirs] for ours, theirs in _SIZES.items()},
        "num_feedforward_networks": words.get("num_feedforward_networks", 1),
        "attention_inputs": attention_inputs,
        "normalization": normalization,
        "activation": _ACTIVATIONS[words.get("hidden_act", "gelu")],
        "trigram_input": has_trigrams,
        "use_pooler": words.get("classifier_activation", True),
    }


def _original_name(name, variable, normalization):
    """What the original code calls what `transformers` calls otherwise."""
    if name in _OF_HEADS:
        return _OF_HEADS[name]
    name = name.rpartition(".")[0]
    if not name.endswith("_embeddings"):
        # "kernel", "bias", "gamma" or "beta".
        name = f"{name}.{variable.name}"
    if not name.startswith("cls."):
        name = f"bert.{name}"
        if normalization == NO_NORM:
            name = name.replace("LayerNorm", "FakeLayerNorm")
    name = re.sub(r"\.layer\.(\d+)", r".layer_\1", name)
    name = re.sub(r"\.ffn\.(\d+)", r".ffn_layer_\1", name)
    return name.replace(".", "/")


def _assign(variable, value, name, checkpoint):
    shape = tuple(variable.shape)
    size = math.prod(shape)
    if value is None:
        raise ValueError(
            f"The checkpoint {checkpoint!r} holds no variable {name!r}, which "
            "by its config it would have."
        )
    # Heads lie on one axis there.
    is_wrong = value.size != size or (
        len(shape) == value.ndim and value.shape != shape
    )
    if is_wrong:
        raise ValueError(
            f"The variable {name!r} in {checkpoint!r} has shape {value.shape}, "
            f"but by its config it would have {shape}."
        )
    variable.assign(value.reshape(shape))
