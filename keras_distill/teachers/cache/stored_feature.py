"""How a feature lies on disk: in arrays without padding."""

import dataclasses
import math

import ml_dtypes
import numpy as np
from keras import ops
from scipy import special

from keras_distill.features import names

# The axes of tokens, where a model of fixed length does not show them.
_TOKEN_AXES = {
    names.EMBEDDINGS: (1,),
    names.HIDDEN_STATES: (1,),
    names.QUERIES: (1,),
    names.KEYS: (1,),
    names.VALUES: (1,),
    names.ATTENTION_SCORES: (2, 3),
    names.ATTENTION_PROBABILITIES: (2, 3),
}
DTYPES = {
    "float32": np.dtype("<f4"),
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "int32": np.dtype("<i4"),
}


@dataclasses.dataclass(frozen=True)
class StoredArray:
    """One array of targets, of which each example has its own piece."""

    name: str
    shape: tuple
    dtype: str

    @property
    def numpy_dtype(self):
        """The NumPy dtype on disk."""
        return DTYPES[self.dtype]

    @property
    def read_dtype(self):
        """The dtype in which the array is read: float32, or int32."""
        return "int32" if self.dtype == "int32" else "float32"

    @property
    def token_axes(self):
        """How many of its axes are as long as an example has tokens."""
        return self.shape.count(None)

    @property
    def known_size(self):
        """The number of values for each example, token or pair of tokens."""
        return math.prod(size for size in self.shape if size is not None)

    def joined_shape(self, count):
        """The shape of what so many examples, tokens or pairs have."""
        if None in self.shape[1:]:
            # Examples of different lengths fit together in one axis alone.
            return (count * self.known_size,)
        return (count, *(size for size in self.shape if size is not None))

    def padded_shape(self, length):
        """The shape of a piece that is padded to a length."""
        return tuple(length if size is None else size for size in self.shape)

    def cut(self, batch, row, num_tokens):
        """An example's values without padding, in one axis."""
        return batch[(row, *self._real(num_tokens))].ravel()

    def fill(self, batch, row, num_tokens, values):
        """Writes what `cut` gave into a batch of padded pieces."""
        batch[(row, *self._real(num_tokens))] = values.reshape(
            self.padded_shape(num_tokens)
        )

    def _real(self, num_tokens):
        return tuple(
            slice(num_tokens if size is None else size) for size in self.shape
        )


class StoredFeature:
    """One feature of a teacher, and the arrays that hold it."""

    def __init__(self, name, shape, dtype, top_k=None):
        self.name = name
        self._num_classes = shape[-1]
        self._top_k = top_k if is_output(name) else None
        shape = tuple(shape[1:])
        if self._top_k is None:
            self.arrays = (StoredArray(name, shape, dtype),)
            return
        largest = (*shape[:-1], self._top_k)
        self.arrays = (
            StoredArray(f"{name}/values", largest, dtype),
            StoredArray(f"{name}/indices", largest, "int32"),
            StoredArray(f"{name}/rest", shape[:-1], dtype),
        )

    def split(self, value):
        """Divides the feature's value into the arrays."""
        if self._top_k is None:
            return (value,)
        return keep_top_k(value, self._top_k)

    def join(self, arrays):
        """Makes the feature of the arrays that hold it."""
        parts = [arrays[array.name] for array in self.arrays]
        if self._top_k is None:
            return parts[0]
        return restore_top_k(*parts, num_classes=self._num_classes)


def is_output(feature):
    """Whether a feature is an output of the model, such as its logits."""
    return feature.split(".")[0] in (names.LOGITS, names.OUTPUT)


def stored_shape(feature, shape):
    """A feature's static shape with `None` for batch and number of tokens."""
    token_axes = (0, *_TOKEN_AXES.get(feature.split(".")[0], ()))
    return tuple(
        None if axis in token_axes else size for axis, size in enumerate(shape)
    )


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
