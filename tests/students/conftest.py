import keras_hub
import numpy as np
import pytest


@pytest.fixture
def randomize():
    """Gives every weight its own value, so that each copy can be told."""

    def apply(model, seed=0):
        generator = np.random.default_rng(seed)
        for weight in model.weights:
            weight.assign(generator.normal(0.0, 0.5, weight.shape))
        return model

    return apply


@pytest.fixture
def make_backbone():
    """Builds a tiny backbone of a KerasHub class."""

    def make(cls=keras_hub.models.BertBackbone, **words):
        sizes = dict(
            vocabulary_size=40,
            num_layers=2,
            num_heads=2,
            hidden_dim=16,
            intermediate_dim=32,
            dropout=0.0,
            max_sequence_length=20,
        )
        if cls is keras_hub.models.ElectraBackbone:
            sizes["vocab_size"] = sizes.pop("vocabulary_size")
            sizes["embedding_dim"] = 16
        return cls(**(sizes | words))

    return make


@pytest.fixture
def values():
    """Reads weights into a list of arrays, to compare before and after."""

    def read(model):
        return [np.array(weight) for weight in model.weights]

    return read
