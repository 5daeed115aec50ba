"""Predictions in the rows' own order, of texts and of words."""

import keras
import numpy as np
import pytest

from keras_distill.tasks import Examples
from keras_distill.tasks import TaggedExamples
from keras_distill.tasks import TokenizedExamples
from keras_distill.tasks import TokenizedTags
from keras_distill.tasks import predict_logits
from keras_distill.tasks import predict_tags

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


def test_equals_the_models_own_predictions(make_classifier, tokenized):
    model = make_classifier(num_layers=1)
    expected = model.predict(TEXTS, verbose=0)
    for batch_size in (2, 32):
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


@pytest.mark.tensorflow("It traces functions.")
def test_no_length_makes_a_model_compile_again(make_classifier, tokenized):
    model = make_classifier(num_layers=1)
    for batch_size in (1, 2, 5):
        predict_logits(model, tokenized, batch_size)
    traced = model.predict_function.of_any_length
    assert traced.experimental_get_tracing_count() == 1
    # What Keras does when layers are replaced, as by `quantize`.
    model.predict_function = None
    predict_logits(model, tokenized, 2)
    assert model.predict_function.of_any_length is not traced


def test_leaves_the_rows_alone(make_classifier, tokenized):
    before = tokenized.lengths.copy()
    predict_logits(make_classifier(num_layers=1), tokenized, 2)
    np.testing.assert_array_equal(tokenized.lengths, before)
    assert tokenized.labels.tolist() == [1, 0, 0, 1, 1]


WORDS = [
    ["Meyrick", "sings"],
    ["anna", "and", "Atelocentra", "in", "oslo", "."],
    ["oslo"],
]


def test_the_first_piece_of_a_word_decides(
    make_token_classifier, piece_tokenizer, answers
):
    model = make_token_classifier(num_layers=1)
    # A head that is sure of something.
    model.output_dense.kernel.assign(50 * model.output_dense.kernel)
    tokenized = TokenizedTags(TaggedExamples(WORDS), piece_tokenizer, 16)
    texts = [" ".join(words) for words in WORDS]
    # KerasHub's own way to predictions of the whole text.
    classes = np.argmax(answers(model, texts), -1)
    expected = [
        classes[0, [1, 3]],
        classes[1, [1, 2, 3, 6, 7, 8]],
        classes[2, [1]],
    ]
    assert len(set(np.concatenate(expected).tolist())) > 1
    for batch_size in (1, 2, 32):
        predictions = predict_tags(model, tokenized, batch_size)
        for found, wanted in zip(predictions, expected, strict=True):
            assert found.tolist() == wanted.tolist()


def test_words_that_were_cut_off_have_no_class(
    make_token_classifier, piece_tokenizer
):
    with pytest.warns(UserWarning, match="cuts off 3 of 9"):
        tokenized = TokenizedTags(TaggedExamples(WORDS), piece_tokenizer, 6)
    model = make_token_classifier(num_layers=1)
    predictions = predict_tags(model, tokenized)
    assert [(row >= 0).tolist() for row in predictions] == [
        [True] * 2,
        [True] * 3 + [False] * 3,
        [True],
    ]


def test_a_model_of_whole_texts_is_refused(make_classifier, piece_tokenizer):
    tokenized = TokenizedTags(TaggedExamples(WORDS), piece_tokenizer, 16)
    keras.utils.set_random_seed(1)
    with pytest.raises(ValueError, match="one prediction for each token"):
        predict_tags(make_classifier(num_layers=1), tokenized)
