"""Predictions in the rows' own order."""

import keras
import numpy as np
import pytest

from keras_distill.tasks import Examples
from keras_distill.tasks import TokenizedExamples
from keras_distill.tasks import predict_logits

TEXTS = [
    "a good film",
    "the plot was very dull and the ending was sad",
    "bad",
    "a great actor in a funny story",
    "the film",
]


@pytest.fixture
def tokenized(tokenizer):
    return TokenizedExamples(
        Examples((TEXTS,), labels=[1, 0, 0, 1, 1]), tokenizer, 16
    )


@pytest.mark.parametrize("batch_size", [2, 32])
def test_equals_the_models_own_predictions(
    make_classifier, tokenized, batch_size
):
    model = make_classifier()
    expected = model.predict(TEXTS, verbose=0)
    logits = predict_logits(model, tokenized, batch_size)
    assert logits.shape == (5, 2)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5)


def test_outputs_keep_their_structure(tokenized):
    tokens = keras.Input((None,), name="token_ids", dtype="int32")
    segments = keras.Input((None,), name="segment_ids", dtype="int32")
    mask = keras.Input((None,), name="padding_mask", dtype="int32")
    length = keras.ops.sum(mask, axis=1, keepdims=True)
    model = keras.Model(
        {
            "token_ids": tokens,
            "segment_ids": segments,
            "padding_mask": mask,
        },
        {
            "length": length,
            "first": tokens[:, :1] + 0 * segments[:, :1],
        },
    )
    outputs = predict_logits(model, tokenized, batch_size=2)
    np.testing.assert_array_equal(outputs["length"][:, 0], tokenized.lengths)
    np.testing.assert_array_equal(outputs["first"][:, 0], np.full(5, 2))


def test_leaves_the_rows_alone(make_classifier, tokenized):
    before = tokenized.lengths.copy()
    predict_logits(make_classifier(), tokenized, 2)
    np.testing.assert_array_equal(tokenized.lengths, before)
    assert tokenized.labels.tolist() == [1, 0, 0, 1, 1]
