"""A batch that the tests of the models share."""

import keras
import numpy as np
import pytest


@pytest.fixture
def token_batch():
    """Four rows for a tiny BERT, of different lengths."""
    lengths = np.array([6, 3, 5, 2])
    mask = (np.arange(6) < lengths[:, None]).astype("int32")
    ids = np.random.default_rng(4).integers(5, 24, (4, 6)).astype("int32")
    return {
        "token_ids": ids * mask,
        "segment_ids": np.zeros((4, 6), "int32"),
        "padding_mask": mask,
    }


@pytest.fixture
def run():
    """Calls a model and gives its outputs as arrays."""

    def call(model, inputs, **words):
        return keras.tree.map_structure(
            keras.ops.convert_to_numpy, model(inputs, **words)
        )

    return call
