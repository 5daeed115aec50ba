"""Tiny models of the four architectures, with weights that all matter."""

import numpy as np
import pytest

from keras_distill.models import MobileBertBackbone

SIZES = {
    "vocabulary_size": 27,
    "num_layers": 2,
    "num_heads": 2,
    "embedding_dim": 4,
    "hidden_dim": 8,
    "intra_dim": 6,
    "intermediate_dim": 10,
    "max_sequence_length": 16,
}


@pytest.fixture
def make_backbone():
    """Builds a tiny backbone of a named architecture."""

    def make(name="mobilebert", **sizes):
        if name == "ib_bert_large":
            sizes = {"intra_dim": 12, **sizes}
        backbone = MobileBertBackbone.from_preset(
            name, load_weights=False, **{**SIZES, **sizes}
        )
        shake(backbone)
        return backbone

    return make


def shake(model):
    """Moves each weight, biases and [PAD]'s vector as well."""
    random = np.random.default_rng(3)
    for variable in model.variables:
        if variable.dtype == "float32":
            shift = random.normal(size=variable.shape, scale=0.3)
            variable.assign(variable + shift.astype("float32"))
