"""Gradients as NumPy arrays, on every backend of Keras."""

import keras
import numpy as np


def gradient(function, values):
    """The gradient of the sum of a function's values.

    Args:
        function: Callable of one float32 tensor that returns a tensor, made
            of `keras.ops`.
        values: Array. Where the gradient is taken.

    Returns:
        float32 array with the shape of `values`; zeros if the function does
        not depend on them.

    Example:

    >>> from keras_distill import testing
    >>> testing.gradient(lambda x: x * x, [1.0, -2.0]).tolist()
    [2.0, -4.0]
    """
    values = np.asarray(values, dtype="float32")
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _tensorflow(function, values)
    if backend == "jax":
        return _jax(function, values)
    if backend == "torch":
        return _torch(function, values)
    raise ValueError(
        "`gradient` needs one of Keras's backends tensorflow, jax and torch. "
        f"Received: KERAS_BACKEND={backend}"
    )


def _tensorflow(function, values):
    import tensorflow as tf

    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(function(values))
    return tape.gradient(total, values, unconnected_gradients="zero").numpy()


def _jax(function, values):
    import jax

    return np.asarray(jax.grad(lambda x: function(x).sum())(values))


def _torch(function, values):
    values = keras.ops.convert_to_tensor(values).requires_grad_()
    total = function(values).sum()
    if total.requires_grad:
        total.backward()
    if values.grad is None:
        return np.zeros(tuple(values.shape), "float32")
    return values.grad.cpu().numpy()
