"""A batch with padding, and tiny models of KerasHub's BERT family."""

import contextlib

import keras
import keras_hub
import numpy as np
import pytest

VOCABULARY_SIZE = 30
SIZES = {
    "vocabulary_size": VOCABULARY_SIZE,
    "num_layers": 2,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "dropout": 0.1,
    "max_sequence_length": 12,
}


@pytest.fixture(autouse=True)
def no_gradients():
    """Features are only read here, and PyTorch gives NumPy none to train."""
    context = contextlib.nullcontext()
    if keras.backend.backend() == "torch":
        import torch

        context = torch.no_grad()
    with context:
        yield


@pytest.fixture
def batch():
    """Three examples of 6 tokens, of which 6, 4 and 1 are real."""
    random = np.random.default_rng(5)
    mask = (np.arange(6) < np.array([[6], [4], [1]])).astype("int32")
    return {
        "token_ids": random.integers(1, VOCABULARY_SIZE, (3, 6)) * mask,
        "segment_ids": (np.arange(6) >= 3) * mask,
        "padding_mask": mask,
    }


@pytest.fixture
def make_backbone():
    """Builds a tiny backbone of one of KerasHub's families."""

    def make(family="Bert", **sizes):
        sizes = {**SIZES, **sizes}
        if family == "Albert":
            sizes.update(embedding_dim=4, num_groups=1, num_inner_repetitions=1)
        if family == "Electra":
            sizes.update(embedding_dim=4)
            sizes["vocab_size"] = sizes.pop("vocabulary_size")
        backbone = getattr(keras_hub.models, f"{family}Backbone")(**sizes)
        _shake(backbone)
        return backbone

    return make


def _shake(model):
    """Gives biases and tables values other than those they start from."""
    random = np.random.default_rng(1)
    for variable in model.variables:
        shift = random.normal(size=variable.shape, scale=0.2)
        variable.assign(variable + shift.astype("float32"))
