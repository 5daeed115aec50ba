"""What a config of `transformers` says, in Keras's words."""

# KerasHub exports BERT's activation under no public name.
from keras_hub.src.utils.keras_utils import gelu_approximate

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
"""Keras's activation by the name in a config."""


def activation_of(name):
    """Keras's activation by the name in a config.

    Args:
        name: str.

    Returns:
        str or function, for `keras.activations.get`.

    Raises:
        ValueError: If Keras has none that computes the same.
    """
    if name not in ACTIVATIONS:
        raise ValueError(
            f"Its activation {name!r} cannot be expressed. Those that can: "
            f"{', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[name]
