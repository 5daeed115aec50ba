"""A tiny masked language model, and word vectors on a line."""

import keras_hub
import numpy as np
import pytest

from keras_distill import models
from keras_distill.corpora import augmentation

# Words of one piece but "meyrick", which is two.
PIECES = (
    "the a was not and film movie plot actor great dull sings oslo mey ##rick "
    "don ' t 3 ."
).split()


@pytest.fixture(scope="session")
def masked_lm():
    """One whose weights differ clearly, with room for 12 pieces."""
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES], lowercase=True
    )
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
        max_sequence_length=12,
    )
    model = models.MaskedLanguageModel(
        backbone, keras_hub.models.MaskedLMPreprocessor(tokenizer, 12)
    )
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(random.normal(0, 0.7, weight.shape))
    return model


@pytest.fixture(scope="session")
def masked_words(masked_lm):
    return augmentation.MaskedLMWords(masked_lm, num_words=4)


@pytest.fixture(scope="session")
def neighbors():
    """Each word is nearest to the next one and the one before."""
    words = "film movie plot the 3 . meyrick actor great dull".split()
    angles = np.linspace(0, 1.4, len(words))
    return augmentation.WordNeighbors(
        words, np.stack([np.cos(angles), np.sin(angles)], axis=1)
    )
