"""How a feature is divided into the arrays that are stored."""

from keras_distill.features import names
from keras_distill.teachers.cache.stored_array import StoredArray
from keras_distill.teachers.cache.top_k import keep_top_k
from keras_distill.teachers.cache.top_k import restore_top_k

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
