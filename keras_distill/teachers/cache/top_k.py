"""The largest logits, and what is left of the others."""

import numpy as np
from keras import ops
from scipy import special


def keep_top_k(logits, k):
    """Keeps the `k` largest logits and the mean weight of the others."""
    logits = np.asarray(logits, dtype="float32")
    classes = np.argpartition(-logits, k - 1, axis=-1)[..., :k]
    values = np.take_along_axis(logits, classes, axis=-1)
    order = np.argsort(-values, axis=-1, kind="stable")
    values = np.take_along_axis(values, order, axis=-1)
    classes = np.take_along_axis(classes, order, axis=-1)
    others = logits.copy()
    np.put_along_axis(others, classes, -np.inf, axis=-1)
    rest = special.logsumexp(others, axis=-1) - np.log(logits.shape[-1] - k)
    return values, classes.astype("int32"), rest.astype("float32")


def restore_top_k(values, classes, rest, num_classes):
    """Logits that are exact for the largest, and equal for all others."""
    k = values.shape[-1]
    shape = ops.shape(values)[:-1]
    rest = ops.reshape(ops.cast(rest, "float32"), (-1, 1))
    logits = ops.repeat(rest, num_classes, axis=1)
    rows = ops.repeat(ops.arange(ops.shape(logits)[0], dtype="int32"), k)
    places = ops.stack([rows, ops.reshape(classes, (-1,))], axis=1)
    values = ops.reshape(ops.cast(values, "float32"), (-1,))
    logits = ops.scatter_update(logits, places, values)
    return ops.reshape(logits, (*shape, num_classes))
