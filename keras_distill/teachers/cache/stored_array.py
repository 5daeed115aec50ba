"""How one array of targets lies on disk: without padding."""

import dataclasses
import math

import ml_dtypes
import numpy as np

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

    def sizes(self, lengths):
        """The number of values of examples that have so many tokens."""
        known = math.prod(size for size in self.shape if size is not None)
        lengths = np.asarray(lengths, dtype="int64")
        return known * lengths ** self.shape.count(None)

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
