"""PyTorch's weights as Keras's variables, and back."""

import math

import keras
import numpy as np

# Matrices that PyTorch has the other way round.
_TURNED = ("kernel", "untied_embeddings")


def assign(variable, value, name, folder):
    """Gives a variable the value that PyTorch's weight has.

    Args:
        variable: `keras.Variable`.
        value: Array. A dense layer's kernel is transposed, and its heads lie
            on one axis.
        name: str, the weight's, for the message.
        folder: Path that it is from, for the message.

    Raises:
        ValueError: If their shapes differ.
    """
    shape = tuple(variable.shape)
    is_turned = variable.name in _TURNED
    expected = _joined(variable)[:: -1 if is_turned else 1]
    if value.shape != expected:
        raise ValueError(
            f"The weight {name!r} in {folder} has shape {value.shape}, but by "
            f"its config.json it would have {expected}."
        )
    if is_turned:
        value = value.T
    variable.assign(value.reshape(shape))


def torch_value(variable):
    """The value of a variable as PyTorch's weight has it, in float32."""
    value = keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))
    value = value.reshape(_joined(variable))
    is_turned = variable.name in _TURNED
    return np.ascontiguousarray(value.T if is_turned else value)


def _joined(variable):
    """The shape of a variable with the heads on one axis."""
    shape = tuple(variable.shape)
    if variable.name == "bias":
        return (math.prod(shape),)
    if variable.name == "kernel" and len(shape) == 3:
        # The heads are what a layer reads, or what it gives.
        gives_heads = not variable.path.endswith("attention_output/kernel")
        split = 1 if gives_heads else 2
        return math.prod(shape[:split]), math.prod(shape[split:])
    return shape


def dense_weights(layer, name):
    """The two variables of a dense layer by their names."""
    yield f"{name}.weight", layer.kernel
    yield f"{name}.bias", layer.bias


def norm_weights(layer, name):
    """The two variables of a layer normalization by their names."""
    yield f"{name}.weight", layer.gamma
    yield f"{name}.bias", layer.beta
