"""Predicted classes of words in the rows' own order."""

import keras
import numpy as np
import pytest

from keras_distill.tasks import TaggedExamples
from keras_distill.tasks import TokenizedTags
from keras_distill.tasks import predict_tags

WORDS = [
    ["Meyrick", "sings"],
    ["anna", "and", "Atelocentra", "in", "oslo", "."],
    ["oslo"],
]


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_the_first_piece_of_a_word_decides(
    make_token_classifier, piece_tokenizer, batch_size
):
    model = make_token_classifier()
    # A head that is sure of something.
    model.output_dense.kernel.assign(50 * model.output_dense.kernel)
    tokenized = TokenizedTags(TaggedExamples(WORDS), piece_tokenizer, 16)
    predictions = predict_tags(model, tokenized, batch_size)
    texts = [" ".join(words) for words in WORDS]
    # KerasHub's own way to predictions of the whole text.
    classes = np.argmax(model.predict(texts, verbose=0), -1)
    expected = [
        classes[0, [1, 3]],
        classes[1, [1, 2, 3, 6, 7, 8]],
        classes[2, [1]],
    ]
    assert len(set(np.concatenate(expected).tolist())) > 1
    for found, wanted in zip(predictions, expected, strict=True):
        assert found.tolist() == wanted.tolist()


def test_words_that_were_cut_off_have_no_class(
    make_token_classifier, piece_tokenizer
):
    with pytest.warns(UserWarning, match="cuts off 3 of 9"):
        tokenized = TokenizedTags(TaggedExamples(WORDS), piece_tokenizer, 6)
    predictions = predict_tags(make_token_classifier(), tokenized)
    assert [(row >= 0).tolist() for row in predictions] == [
        [True] * 2,
        [True] * 3 + [False] * 3,
        [True],
    ]


def test_a_model_of_whole_texts_is_refused(make_classifier, piece_tokenizer):
    tokenized = TokenizedTags(TaggedExamples(WORDS), piece_tokenizer, 16)
    keras.utils.set_random_seed(1)
    with pytest.raises(ValueError, match="one prediction for each token"):
        predict_tags(make_classifier(), tokenized)
