"""The four published architectures, by name."""

import types

# KerasHub exports BERT's activation under no public name.
from keras_hub.src.utils.keras_utils import gelu_approximate

from keras_distill.models.mobilebert.block import BLOCK
from keras_distill.models.mobilebert.block import BOTTLENECK
from keras_distill.models.mobilebert.block import LAYER_NORM
from keras_distill.models.mobilebert.block import SHARED_BOTTLENECK

_RELEASED = {
    "vocabulary_size": 30522,
    "num_layers": 24,
    "num_heads": 4,
    "embedding_dim": 128,
    "hidden_dim": 512,
    "intra_dim": 128,
    "intermediate_dim": 512,
    "num_feedforward_networks": 4,
    "attention_inputs": SHARED_BOTTLENECK,
}

ARCHITECTURES = types.MappingProxyType(
    {
        "mobilebert": _RELEASED,
        "mobilebert_paper": _RELEASED | {"attention_inputs": BLOCK},
        "mobilebert_tiny": _RELEASED
        | {"num_feedforward_networks": 2, "attention_inputs": BOTTLENECK},
        "ib_bert_large": _RELEASED
        | {
            "intra_dim": 1024,
            "intermediate_dim": 4096,
            "num_feedforward_networks": 1,
            "attention_inputs": BLOCK,
            "normalization": LAYER_NORM,
            "activation": gelu_approximate,
            "dropout": 0.1,
            "use_pooler": True,
        },
    }
)
"""Read-only mapping of names to arguments of `MobileBertBackbone`."""


def architecture(name, load_weights):
    """The arguments of a named architecture.

    Args:
        name: str or path.
        load_weights: bool. Must be `False` for a name.

    Returns:
        dict, or `None` if there is no such name.

    Raises:
        ValueError: If weights are asked for.
    """
    found = ARCHITECTURES.get(str(name))
    if found is not None and load_weights:
        raise ValueError(
            f"{str(name)!r} names an architecture, for which there are no "
            "weights here. Pass `load_weights=False` to start from random "
            "ones, or the folder of a model that was saved."
        )
    return found
