"""Which tokenizers are taken."""

import keras_hub
import pytest

from keras_distill.tasks import tokenization


def test_special_ids(tokenizer):
    assert tokenization.special_ids(tokenizer) == (2, 3, 0)


def test_tokenizer_without_special_tokens():
    tokenizer = keras_hub.tokenizers.WordPieceTokenizer(["[UNK]", "film"])
    with pytest.raises(ValueError, match="an int `start_token_id`"):
        tokenization.special_ids(tokenizer)


def test_tokenizer_that_pads():
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], sequence_length=8
    )
    with pytest.raises(ValueError, match="Received: sequence_length=8"):
        tokenization.special_ids(tokenizer)


def test_tokens_are_those_of_the_tokenizer(tokenizer):
    texts = ["Good film!", "the actor was zzz"]
    rows, first = tokenization.tokenize_and_pack((texts,), tokenizer, 16)
    expected = []
    for tokens in tokenizer(texts):
        expected += [2, *tokens, 3]
    assert rows.values.tolist() == expected
    assert rows.lengths.tolist() == first.tolist()
