"""Inputs of losses, and models as losses see them."""

import numpy as np
import pytest

from keras_distill.features import ModelDescription

# Full, with padding, and with one real token.
MASK = ((1, 1, 1, 1), (1, 1, 1, 0), (1, 0, 0, 0))


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.fixture
def mask():
    return np.array(MASK)


@pytest.fixture
def describe_bert():
    """Describes a BERT classifier without building it."""

    def describe(
        num_layers=4,
        hidden_dim=8,
        num_heads=2,
        num_classes=2,
        activation=None,
        name="model",
    ):
        hidden = (None, None, hidden_dim)
        head = (None, None, num_heads, hidden_dim // num_heads)
        attention = (None, num_heads, None, None)
        shapes = {"embeddings": hidden, "logits": (None, num_classes)}
        for layer in range(1, num_layers + 1):
            shapes[f"hidden_states.{layer}"] = hidden
            shapes[f"attention_scores.{layer}"] = attention
            shapes[f"attention_probabilities.{layer}"] = attention
            for kind in ("queries", "keys", "values"):
                shapes[f"{kind}.{layer}"] = head
        return ModelDescription(
            name, num_layers, shapes, {"logits": activation}
        )

    return describe


@pytest.fixture
def describe_opaque():
    """Describes a model that nothing can be known of."""
    return ModelDescription("opaque", 0, {}, {}, is_opaque=True)
