"""What an output went through last: a softmax, a sigmoid or none."""

import keras
import numpy as np
from keras import ops

# Keras exports its operations as functions, not as classes.
from keras.src.ops import nn
from scipy.special import logsumexp

from keras_distill.features import names
from keras_distill.features.rebuild import original_of
from keras_distill.features.rebuild import symbolic_inputs

SOFTMAX = "softmax"
LOG_SOFTMAX = "log_softmax"
SIGMOID = "sigmoid"
# Not known by what, as it may be chance.
BETWEEN_0_AND_1 = "between 0 and 1"

# Layers and operations that change the shape or type of values, or nothing.
_KEEP_VALUES = (
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.Identity,
    keras.layers.Permute,
    keras.layers.Reshape,
)
_KEEP_VALUES_NAMES = (
    "Cast",
    "ExpandDims",
    "Reshape",
    "Squeeze",
    "StopGradient",
    "Transpose",
)
_OF_OPERATIONS = {
    nn.Softmax: SOFTMAX,
    nn.LogSoftmax: LOG_SOFTMAX,
    nn.Sigmoid: SIGMOID,
}
_ROWS = 8
_CLASSES = 5
# What stands for sizes that a model leaves open, such as a text's length.
_LENGTH = 4
_TOLERANCE = 1e-3


def output_activations(model, outputs):
    """Finds out what a functional model's outputs went through last.

    Operations that Keras has no name for, such as a `Lambda`, are tried on
    random numbers; outputs of several operations by running the model on
    made-up inputs. A layer with the attribute `gives_logits` is believed.

    Args:
        model: `keras.Model`.
        outputs: Its symbolic outputs, by `rebuild`.

    Returns:
        dict of the name of each output to the name of an activation, such as
        `"softmax"`, or `None`.
    """
    found, unknown = {}, []
    for name, output in names.named_outputs(outputs).items():
        found[name], is_known = _by_graph(output)
        if not is_known:
            unknown.append(name)
    if unknown:
        by_values = activations_by_values(model)
        found |= {name: by_values.get(name) for name in unknown}
    return found


def activations_by_values(model, inputs=None):
    """Finds out by its values what a model's outputs went through last.

    Args:
        model: `keras.Model` that is built.
        inputs: Optional inputs of it. Defaults to made-up ones.

    Returns:
        dict of the name of each output to the name of an activation, or
        `None`; empty if the model cannot be run on made-up inputs.
    """
    dtypes = ("int32", "float32") if inputs is None else (None,)
    for dtype in dtypes:
        try:
            batch = _made_up_inputs(model, dtype) if dtype else inputs
            outputs = model(batch, training=False)
        # Whatever a model does with inputs that it was not made for.
        except Exception:
            continue
        return {
            name: of_values(ops.convert_to_numpy(value))
            for name, value in names.named_outputs(outputs).items()
            if hasattr(value, "shape")
        }
    return {}


def of_values(values):
    """What values must have gone through to be as they are.

    Args:
        values: Array of shape `(..., classes)`.

    Returns:
        str, or `None`.
    """
    values = np.asarray(values, "float64")
    if values.ndim < 2 or not values.size or not np.isfinite(values).all():
        return None
    if values.shape[-1] > 1:
        if values.min() >= 0:
            if np.abs(values.sum(axis=-1) - 1).max() < _TOLERANCE:
                return SOFTMAX
        elif values.max() <= 0:
            if np.abs(logsumexp(values, axis=-1)).max() < _TOLERANCE:
                return LOG_SOFTMAX
    is_between = values.min() >= 0 and values.max() <= 1
    is_varied = np.unique(values).size >= _LENGTH
    return BETWEEN_0_AND_1 if is_between and is_varied else None


def is_linear(output):
    """Whether a dense layer without an activation is known to have made it.

    Args:
        output: Symbolic output, by `rebuild`.
    """
    operation = original_of(output._keras_history.operation)
    inputs = _inputs_of(output)
    if _keeps_values(operation) and len(inputs) == 1:
        return is_linear(inputs[0])
    dense = (keras.layers.Dense, keras.layers.EinsumDense)
    is_dense = isinstance(operation, dense)
    return is_dense and operation.activation is keras.activations.linear


def _by_graph(output):
    """The activation of a symbolic output, and whether that is certain."""
    operation = original_of(output._keras_history.operation)
    inputs = _inputs_of(output)
    if _keeps_values(operation) and len(inputs) == 1:
        return _by_graph(inputs[0])
    if isinstance(operation, keras.layers.TimeDistributed):
        operation = operation.layer
    if getattr(operation, "gives_logits", False):
        return None, True
    for operation_class, name in _OF_OPERATIONS.items():
        if isinstance(operation, operation_class):
            return name, True
    if isinstance(operation, keras.layers.Softmax):
        return SOFTMAX, True
    activation = getattr(operation, "activation", None)
    if activation is not None:
        name = getattr(activation, "__name__", None)
        if not _is_kerass(activation):
            name = _tried(activation) or name
        return None if name == "linear" else name, True
    if isinstance(operation, keras.layers.Lambda) or not _is_kerass(
        type(operation)
    ):
        return _tried(operation), len(inputs) == 1
    is_arithmetic = type(operation).__module__.startswith("keras.src.ops")
    return None, not is_arithmetic


def _tried(function):
    """What random numbers went through in a function of one tensor."""
    numbers = np.random.default_rng(0).normal(0.0, 4.0, (_ROWS, _CLASSES))
    try:
        values = function(ops.convert_to_tensor(numbers, "float32"))
        found = of_values(ops.convert_to_numpy(values))
    # A function of something else.
    except Exception:
        return None
    # Among that many numbers it is no chance.
    return SIGMOID if found == BETWEEN_0_AND_1 else found


def _inputs_of(output):
    history = output._keras_history
    node = history.operation._inbound_nodes[history.node_index]
    return node.input_tensors


def _keeps_values(operation):
    if isinstance(operation, _KEEP_VALUES):
        return True
    is_operation = type(operation).__module__.startswith("keras.src.ops")
    if is_operation and type(operation).__name__ in _KEEP_VALUES_NAMES:
        return True
    activation = getattr(operation, "activation", None)
    is_activation = isinstance(operation, keras.layers.Activation)
    return is_activation and activation is keras.activations.linear


def _is_kerass(function):
    module = getattr(function, "__module__", None) or ""
    return module.startswith(("keras.", "keras_hub."))


def _made_up_inputs(model, dtype):
    """A batch that a model may take: of its inputs, or as it was built."""
    inputs = symbolic_inputs(model)
    if inputs is not None:
        return keras.tree.map_structure(
            lambda x: _made_up(x.shape, x.dtype), inputs
        )
    return _like_shapes(model.get_build_config()["input_shape"], dtype)


def _like_shapes(shapes, dtype):
    if isinstance(shapes, dict):
        return {k: _like_shapes(shape, dtype) for k, shape in shapes.items()}
    if any(isinstance(size, (dict, list, tuple)) for size in shapes):
        return [_like_shapes(shape, dtype) for shape in shapes]
    return _made_up(shapes, dtype)


def _made_up(shape, dtype):
    shape = (_ROWS, *(size or _LENGTH for size in shape[1:]))
    if dtype.startswith("float"):
        values = np.random.default_rng(0).normal(size=shape)
    else:
        # Ids that every vocabulary has, and masks.
        values = np.random.default_rng(0).integers(0, 2, shape)
        # No text is all padding.
        values[:, :1] = 1
    return ops.convert_to_tensor(values, dtype)
