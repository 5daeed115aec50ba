"""PyTorch's weights as Keras's variables."""

import math


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
    expected = shape
    if variable.name == "kernel":
        if len(shape) == 3:
            # The heads are what a layer reads, or what it gives.
            gives_heads = not variable.path.endswith("attention_output/kernel")
            split = 1 if gives_heads else 2
            expected = math.prod(shape[:split]), math.prod(shape[split:])
        expected = expected[::-1]
    elif variable.name == "bias":
        expected = (math.prod(shape),)
    if value.shape != expected:
        raise ValueError(
            f"The weight {name!r} in {folder} has shape {value.shape}, but by "
            f"its config.json it would have {expected}."
        )
    if variable.name == "kernel":
        value = value.T
    variable.assign(value.reshape(shape))


def dense_weights(layer, name):
    """The two variables of a dense layer by their names."""
    yield f"{name}.weight", layer.kernel
    yield f"{name}.bias", layer.bias


def norm_weights(layer, name):
    """The two variables of a layer normalization by their names."""
    yield f"{name}.weight", layer.gamma
    yield f"{name}.bias", layer.beta
