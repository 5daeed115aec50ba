"""Small classifiers of two vocabularies."""

import keras
import keras_hub
import numpy as np
import pytest

WORDS = ["good", "dull", "film", "a"]
TEXTS = ["a good film", "dull", "a dull film a film", "good good film"]


def make_member(
    words=WORDS, num_classes=3, num_layers=1, seed=0, tokenizer=None
):
    """A classifier whose answers differ by the text."""
    tokenizer = tokenizer or keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words], lowercase=True
    )
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=num_layers,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
        max_sequence_length=16,
    )
    model = keras_hub.models.BertTextClassifier(
        backbone,
        num_classes=num_classes,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
        name=f"member_{seed}",
    )
    # To compile takes longer than to predict four texts.
    model.run_eagerly = True
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(0.7 * random.normal(size=weight.shape))
    return model


@pytest.fixture(scope="session")
def members():
    """Two that read the same ids, and one of another vocabulary."""
    keras.utils.set_random_seed(1)
    first = make_member(seed=1)
    tokenizer = first.preprocessor.tokenizer
    return [
        first,
        make_member(num_layers=2, seed=2, tokenizer=tokenizer),
        make_member(["[unused]", *WORDS[::-1]], seed=3),
    ]


@pytest.fixture(scope="session")
def student():
    return make_member(seed=4)


def softmax(logits):
    exponentials = np.exp(np.asarray(logits, "float64"))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
