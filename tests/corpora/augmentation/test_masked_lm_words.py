"""What a masked language model puts in place of words."""

import types

import keras
import numpy as np
import pytest

from keras_distill import models
from keras_distill.corpora import augmentation
from keras_distill.corpora.augmentation import STOP_WORDS
from keras_distill.corpora.augmentation.masked_lm_words import vocabulary_words
from keras_distill.corpora.augmentation.words import Words

TEXTS = (
    "The dull film.",
    "Meyrick sings and the actor was not great, don't 3",
    "",
    " ".join(["the great movie plot"] * 8),
)


def cut(*texts):
    return [Words(text, STOP_WORDS) for text in texts]


@pytest.fixture(scope="module")
def found(masked_words):
    return masked_words.find(cut(*TEXTS))


def test_they_are_the_likeliest_words_of_the_masked_text(masked_lm, found):
    # [CLS] the dull film . [SEP], with "dull" masked.
    tokenizer = masked_lm.preprocessor.tokenizer
    ids = np.array([[2, *tokenizer("the dull film ."), 3]], "int32")
    ids[0, 2] = tokenizer.mask_token_id
    x = {"token_ids": ids, "padding_mask": ids * 0 + 1, "segment_ids": ids * 0}
    logits = masked_lm({**x, "mask_positions": np.array([[2]])})
    order = np.argsort(-keras.ops.convert_to_numpy(logits)[0, 0])
    words = vocabulary_words(tokenizer)
    likely = [
        words[piece]
        for piece in order
        if words[piece] not in (None, "dull", *STOP_WORDS)
    ]

    assert found[0].keys() == {1, 2}
    assert found[0][1] == sorted(likely[:4])


def test_words_of_several_pieces_are_left_out(found):
    words = cut(*TEXTS)[1]
    places = {words.words[place] for place in found[1]}

    assert places == {"sings", "actor", "great"}
    assert words.words[words.replaceable[0]] == "Meyrick"
    assert found[2] == {}


def test_they_are_other_words_than_the_masked_one(found):
    for words, of_text in zip(cut(*TEXTS), found, strict=True):
        for place, candidates in of_text.items():
            assert len(candidates) == 4
            assert words.words[place] not in candidates
            assert not STOP_WORDS & set(candidates)
            assert all(word.isalpha() for word in candidates)


def test_texts_longer_than_the_model_reads_are_read_in_part(found):
    # 32 words, where the model reads 12 pieces.
    words = cut(*TEXTS)[3]

    assert sorted(found[3]) == words.replaceable


def test_rows_that_go_together_change_nothing(masked_lm, found):
    alone = augmentation.MaskedLMWords(
        masked_lm, num_words=4, positions_per_forward=1, pieces_per_forward=1
    )

    assert alone.find(cut(*TEXTS)) == found


def test_the_model_may_see_the_text_as_in_the_script(masked_lm):
    repeating = augmentation.MaskedLMWords(
        masked_lm, num_words=26, repeats_text=True
    )
    rows, jobs = repeating._rows(cut("dull film", TEXTS[3]))
    ids = masked_lm.preprocessor.tokenizer("dull film")
    assert rows[0] == ([2, *ids, 3, *ids, 3], [0, 0, 0, 0, 1, 1, 1])
    assert len(rows[1][0]) == 12
    # Words that no row reaches get no candidates.
    assert [job[-1] for job in jobs[-2:]] == [None, None]

    short, long = repeating.find(cut("dull film", TEXTS[3]))
    assert "dull" in short[0] and "the" in short[0]
    assert long[1] and long[29] == []


@pytest.mark.parametrize(
    "pieces, expected",
    [
        # WordPiece marks what goes on, bytes and sentence pieces what begins.
        (["[MASK]", "film", "##s", ".", "a", "café"], {"film", "café"}),
        (["<s>", "Ġfilm", "Ġa", "Ġ3", "plot", "ĠcafÃ©"], {"film"}),
        (["<s>", "▁film", "▁a", "plot", "▁", "▁café"], {"film", "café"}),
    ],
)
def test_whole_words_of_a_vocabulary(pieces, expected):
    tokenizer = types.SimpleNamespace(get_vocabulary=lambda: pieces)

    assert set(vocabulary_words(tokenizer)) == {None, *expected}


def test_a_tokenizer_with_a_mask_is_needed(masked_lm):
    bare = models.MaskedLanguageModel(masked_lm.backbone)

    with pytest.raises(ValueError, match="`masked_lm` must have a preproc"):
        augmentation.MaskedLMWords(bare)
