"""A classifier as two steps, on JAX and PyTorch."""

import keras
import numpy as np

# Lengths that JAX compiles a program for are multiples of this.
_LENGTH_MULTIPLE = 8


class ArrayPipeline:
    """A classifier as two steps, on JAX and PyTorch.

    The tokeniser is the model's own preprocessor; its output is cut down to
    the longest text of the batch. JAX compiles the model for each length, so
    there lengths are rounded up to a multiple of 8.

    Args:
        model: a KerasHub text classifier with a preprocessor.
        num_texts: int. Texts per example: 1, or 2 for sentence pairs.
    """

    def __init__(self, model, num_texts):
        self.model = model
        self.num_texts = num_texts
        self.compiles_each_length = keras.backend.backend() == "jax"

    def texts(self, columns):
        """Texts as `tokenize` takes them.

        Args:
            columns: tuple of one or two sequences of str.
        """
        return tuple(list(column) for column in columns)

    def tokenize(self, texts):
        # By name: two texts without one read as (x, y).
        features = self.model.preprocessor(x=texts)
        arrays = {
            name: keras.ops.convert_to_numpy(features[name])
            for name in self.model.input
        }
        mask = arrays["padding_mask"].astype("int32")
        # Up to the last real token: KerasHub masks a padding token that a
        # text holds.
        longest = (mask * np.arange(1, mask.shape[1] + 1)).max(initial=1)
        if self.compiles_each_length:
            longest = -(-longest // _LENGTH_MULTIPLE) * _LENGTH_MULTIPLE
        return {
            name: np.ascontiguousarray(array[:, :longest], "int32")
            for name, array in arrays.items()
        }

    def forward(self, features):
        # KerasHub's own `predict_on_batch` would run the preprocessor.
        return keras.Model.predict_on_batch(self.model, features)
