"""Adam's step as one operation, where the backend has one.

Made of `keras.ops` a step goes through a variable and its moments a dozen
times, which on a CPU counts for tables of words: `tests.benchmarks.
optimizer_step` measures it.
"""

import keras


def is_there():
    """Whether `adam_step` can be used here.

    JAX makes one pass of Keras's own step, and under `tf.distribute`, where
    each variable is one of many, the step is Keras's own.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.distribute.has_strategy()


def adam_step(variable, moments, gradient, rate, betas, epsilon, step):
    """Moves a variable and its moments by a gradient.

    `m = m + (gradient - m) * (1 - beta_1)`
    `v = v + (gradient^2 - v) * (1 - beta_2)`
    `new = old - rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m /
    (sqrt(v) + epsilon)`

    at step `t`. In float32 `1 - 0.999` is 0.000999987, here in both places and
    in Keras's own step in the correction alone, so that the rate of the two
    differs by 6.4e-6 of it.

    Args:
        variable: `tf.Variable` or `keras.Variable`.
        moments: pair of `keras.Variable`, `m` and `v`.
        gradient: Tensor of the variable's shape.
        rate: Scalar tensor.
        betas: pair of float.
        epsilon: float.
        step: Scalar tensor, `t`, from 1.
    """
    import tensorflow as tf

    dtype = tf.as_dtype(keras.backend.standardize_dtype(variable.dtype))
    betas = [tf.cast(beta, dtype) for beta in betas]
    powers = [beta ** tf.cast(step, dtype) for beta in betas]
    var, m, v = (
        (one.value if isinstance(one, keras.Variable) else one).handle
        for one in (variable, *moments)
    )
    tf.raw_ops.ResourceApplyAdam(
        var=var,
        m=m,
        v=v,
        beta1_power=powers[0],
        beta2_power=powers[1],
        lr=tf.cast(rate, dtype),
        beta1=betas[0],
        beta2=betas[1],
        epsilon=tf.cast(epsilon, dtype),
        grad=tf.cast(tf.convert_to_tensor(gradient), dtype),
    )
