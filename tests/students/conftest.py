import keras_hub
import pytest


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def plain_backbone(make_backbone):
    """A BERT that no test may change."""
    return make_backbone()
