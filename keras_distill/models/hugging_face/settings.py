"""What a config of `transformers` says, in Keras's words."""

import dataclasses

# KerasHub exports BERT's activation under no public name.
from keras_hub.src.utils.keras_utils import gelu_approximate

from keras_distill.models.mobilebert.block import BLOCK
from keras_distill.models.mobilebert.block import BOTTLENECK
from keras_distill.models.mobilebert.block import SHARED_BOTTLENECK

# Keras's activation by the name in a config, where it computes the same.
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": gelu_approximate,
    "gelu_fast": gelu_approximate,
    "gelu_accurate": gelu_approximate,
    "gelu_pytorch_tanh": gelu_approximate,
    "gelu_python_tanh": gelu_approximate,
    "relu": "relu",
    "relu6": "relu6",
    "silu": "silu",
    "swish": "silu",
    "mish": "mish",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "hardswish": "hard_silu",
    "linear": "linear",
}

# Entries that change what is computed, with the values that change nothing.
_PLAIN = {
    "position_embedding_type": (None, "absolute"),
    "is_decoder": (None, False),
    "add_cross_attention": (None, False),
    "is_encoder_decoder": (None, False),
    "pruned_heads": (None, {}),
    "quantization_config": (None,),
}

_SIZES = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "max_sequence_length": "max_position_embeddings",
}
_DISTILBERT_SIZES = _SIZES | {
    "num_layers": "n_layers",
    "num_heads": "n_heads",
    "hidden_dim": "dim",
    "intermediate_dim": "hidden_dim",
}


@dataclasses.dataclass(frozen=True)
class EncoderSettings:
    """What a config says of the encoder, in Keras's words.

    Attributes:
        sizes: dict of the arguments of every backbone, and of those that its
            own has besides.
        activation: str or function, for `keras.activations.get`.
        layer_norm_epsilon: float.
        num_segments: int. Rows of the table of segments; 0 without one.
        first_position: int. Row of the first token's position.
        head_dropout: float. Dropout rate before a head.
    """

    sizes: dict
    activation: object
    layer_norm_epsilon: float
    num_segments: int
    first_position: int
    head_dropout: float


def read_settings(config):
    """Reads what a config says of a BERT or another of its family.

    Where an entry is missing, it has the value that `transformers` gives it.

    Args:
        config: dict, `config.json`.

    Returns:
        `EncoderSettings`.

    Raises:
        ValueError: If it says something that cannot be expressed.
    """
    for word, values in _PLAIN.items():
        if config.get(word) not in values:
            raise ValueError(
                f"Its config.json has {word}={config[word]!r}, which no "
                "encoder of KerasHub computes."
            )
    if config["model_type"] == "distilbert":
        dropout = config.get("dropout", 0.1)
        return EncoderSettings(
            sizes=_sizes(config, _DISTILBERT_SIZES) | {"dropout": dropout},
            activation=_activation(config, "activation"),
            layer_norm_epsilon=1e-12,
            num_segments=0,
            first_position=0,
            head_dropout=config.get("seq_classif_dropout", 0.2),
        )
    is_mobilebert = config["model_type"] == "mobilebert"
    dropout = config.get("hidden_dropout_prob", 0.0 if is_mobilebert else 0.1)
    # The second is ALBERT's.
    head_dropout = config.get(
        "classifier_dropout", config.get("classifier_dropout_prob")
    )
    # RoBERTa counts positions from behind the row of its padding.
    first = 0
    if config["model_type"] in ("roberta", "xlm-roberta"):
        padding = config.get("pad_token_id")
        first = 1 + (1 if padding is None else padding)
    sizes = _sizes(config, _SIZES)
    sizes["max_sequence_length"] -= first
    if is_mobilebert:
        sizes |= _of_mobilebert(config)
    return EncoderSettings(
        sizes=sizes | {"dropout": dropout},
        activation=_activation(config, "hidden_act"),
        layer_norm_epsilon=config.get("layer_norm_eps", 1e-12),
        num_segments=config.get("type_vocab_size", 2),
        first_position=first,
        head_dropout=dropout if head_dropout is None else head_dropout,
    )


def _sizes(config, words):
    missing = [word for word in words.values() if word not in config]
    if missing:
        raise ValueError(f"Its config.json says no {', '.join(missing)}.")
    return {ours: config[theirs] for ours, theirs in words.items()}


def _activation(config, word):
    usual = {"albert": "gelu_new", "mobilebert": "relu"}
    name = config.get(word, usual.get(config["model_type"], "gelu"))
    if name not in ACTIVATIONS:
        raise ValueError(
            f"Its config.json has {word}={name!r}, an activation that Keras "
            f"does not have. It has {', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[name]


def _of_mobilebert(config):
    """The arguments of a MobileBERT that other backbones lack."""
    for word, value, why in (
        ("use_bottleneck", True, "without bottlenecks it is a BERT"),
        (
            "normalization_type",
            "no_norm",
            "`transformers` normalizes with two epsilons",
        ),
    ):
        if config.get(word, value) != value:
            raise ValueError(
                f"Its config.json has {word}={config[word]!r}, which cannot "
                f"be expressed: {why}."
            )
    embedding_dim = config.get("embedding_size", 128)
    has_trigrams = config.get("trigram_input", True)
    if not has_trigrams and embedding_dim == config["hidden_size"]:
        raise ValueError(
            "Its config.json has trigram_input=False and words as wide as the "
            "states, which `transformers` does not project."
        )
    attention_inputs = BLOCK
    if config.get("use_bottleneck_attention", False):
        attention_inputs = BOTTLENECK
    elif config.get("key_query_shared_bottleneck", True):
        attention_inputs = SHARED_BOTTLENECK
    return {
        "embedding_dim": embedding_dim,
        "intra_dim": config.get("intra_bottleneck_size", 128),
        "num_feedforward_networks": config.get("num_feedforward_networks", 4),
        "attention_inputs": attention_inputs,
        "attention_dropout": config.get("attention_probs_dropout_prob", 0.1),
        "trigram_input": has_trigrams,
        "use_pooler": config.get("classifier_activation", True),
    }


def label_names(config, num_labels):
    """The names of a head's classes.

    Args:
        config: dict, `config.json`.
        num_labels: int. The head's outputs.

    Returns:
        tuple of str by class index, or `None` if they have no names, as in
        regression, or only numbered ones, such as "LABEL_0".

    Raises:
        ValueError: If the names contradict the head or one another.
    """
    given, inverse = config.get("id2label"), config.get("label2id")
    if not given and inverse:
        given = {index: name for name, index in inverse.items()}
    if not given:
        return None
    # JSON has strings for keys.
    names = {int(index): str(name) for index, name in given.items()}
    if sorted(names) != list(range(num_labels)):
        raise ValueError(
            f"Its config.json names the labels {sorted(names)} in `id2label`, "
            f"but its head has {num_labels} outputs."
        )
    names = tuple(names[index] for index in range(num_labels))
    if num_labels == 1 or names == _numbered(num_labels):
        return None
    for index, name in enumerate(names):
        other = (inverse or {}).get(name, index)
        if int(other) != index:
            raise ValueError(
                f"Its config.json contradicts itself: {name!r} is {index} in "
                f"`id2label` and {other} in `label2id`. Correct one of them."
            )
    return names


def _numbered(num_labels):
    return tuple(f"LABEL_{index}" for index in range(num_labels))
