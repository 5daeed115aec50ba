"""Texts and words packed into a model's rows."""

import keras_hub
import numpy as np
import pytest

from keras_distill.packing import Layout
from keras_distill.packing import packer
from keras_distill.packing import tokenization

BERT = Layout((1,), (2,), (2,), 0)
ROBERTA = Layout((1,), (2, 2), (2,), 0)


def ragged(rows):
    values = np.concatenate([np.array(row, "int32") for row in rows])
    return tokenization.Ragged(values, np.array([len(row) for row in rows]))


def rows_of(packed):
    return [row.tolist() for row in np.split(packed.values, packed.starts[1:])]


def test_ranges():
    found = tokenization.ranges(np.array([5, 0, 9]), np.array([2, 0, 3]))
    assert found.tolist() == [5, 6, 9, 10, 11]


def test_one_text():
    texts = [ragged([[5, 6, 7], [], [8]])]
    packed, first = packer.pack_tokens(texts, BERT, sequence_length=4)
    assert rows_of(packed) == [[1, 5, 6, 2], [1, 2], [1, 8, 2]]
    assert packed.values.dtype == np.int32
    assert first.tolist() == [4, 2, 3]


def test_two_texts():
    texts = [ragged([[5, 6, 7], [5], []]), ragged([[8, 9], [], [8, 9, 9, 9]])]
    packed, first = packer.pack_tokens(texts, BERT, sequence_length=6)
    assert rows_of(packed) == [
        [1, 5, 6, 2, 8, 2],
        [1, 5, 2, 2],
        [1, 2, 8, 9, 9, 2],
    ]
    assert first.tolist() == [4, 3, 2]


def test_two_separators():
    texts = [ragged([[5, 6, 7], []]), ragged([[8, 9], [8, 9, 9, 9]])]
    packed, first = packer.pack_tokens(texts, ROBERTA, sequence_length=7)
    assert rows_of(packed) == [[1, 5, 6, 2, 2, 8, 2], [1, 2, 2, 8, 9, 9, 2]]
    assert first.tolist() == [5, 3]


def test_no_rows():
    empty = tokenization.Ragged(np.zeros(0, "int32"), np.zeros(0, "int64"))
    packed, first = packer.pack_tokens(
        [empty, empty], ROBERTA, sequence_length=7
    )
    assert len(packed.values) == len(packed.lengths) == len(first) == 0


def test_tokens_are_those_of_the_tokenizer(tokenizer):
    texts = ["Good film!", "the actor was zzz"]
    rows, first = packer.Packer(tokenizer, 16).pack((texts,))
    expected = []
    for tokens in tokenizer(texts):
        expected += [2, *tokens, 3]
    assert rows.values.tolist() == expected
    assert rows.lengths.tolist() == first.tolist()


WORDS = [["Atelocentra", "Meyrick"], [], ["\u200b", "sings", "\u3000", ""]]


def pack_words(words, tokenizer, length, **options):
    return packer.Packer(tokenizer, length).pack_words(words, **options)


def test_the_first_piece_knows_its_word(piece_tokenizer):
    rows, words = pack_words(WORDS, piece_tokenizer, 8)
    assert rows_of(rows)[0] == [2, 5, 6, 7, 8, 9, 3]
    assert rows_of(words)[0] == [-1, 0, -1, -1, 1, -1, -1]
    assert rows_of(rows)[1] == [2, 3]
    assert rows.lengths.tolist() == words.lengths.tolist()


def test_words_of_which_nothing_is_left_become_unknown(piece_tokenizer):
    rows, words = pack_words(WORDS, piece_tokenizer, 8)
    tokens = [piece_tokenizer.id_to_token(i) for i in rows_of(rows)[2]]
    assert tokens == ["[CLS]", "[UNK]", "sings", "[UNK]", "[UNK]", "[SEP]"]
    assert rows_of(words)[2] == [-1, 2, 3, 4, 5, -1]


def test_what_fits_is_kept(piece_tokenizer):
    rows, words = pack_words(WORDS, piece_tokenizer, 4)
    # The second word of the first row is gone, the first one is cut.
    assert rows_of(rows)[0] == [2, 5, 6, 3]
    assert rows_of(words)[0] == [-1, 0, -1, -1]
    assert rows_of(words)[2] == [-1, 2, 3, -1]


def test_pieces_are_those_of_the_whole_sentence(piece_tokenizer):
    sentence = "Anna sings, and Meyrick . in OSLO"
    rows, _ = pack_words([sentence.split()], piece_tokenizer, 32)
    assert rows_of(rows)[0][1:-1] == list(piece_tokenizer(sentence))


def test_every_different_word_is_tokenised_once(piece_tokenizer):
    seen = []
    pack_words(
        [["anna", "sings"], ["anna"]] * 3,
        piece_tokenizer,
        8,
        progress=lambda *counts: seen.append(counts),
    )
    assert seen == [(2, 2)]


def test_no_sentences(piece_tokenizer):
    rows, words = pack_words([], piece_tokenizer, 8)
    assert len(rows.values) == len(words.values) == len(rows.lengths) == 0


@pytest.fixture(scope="module")
def byte_pairs():
    """Every byte, and the merges that give a word with its space.

    By whether a space is put before every text.
    """
    letters = [chr(code) for code in range(33, 127)]
    tokens = ["<s>", "<pad>", "</s>", "<mask>", "\u0120", *letters]
    merges = ["\u0120 a", "\u0120a n", "a n"]
    tokens += [merge.replace(" ", "") for merge in merges]
    return {
        add_prefix_space: keras_hub.models.RobertaTokenizer(
            vocabulary={token: index for index, token in enumerate(tokens)},
            merges=merges,
            add_prefix_space=add_prefix_space,
        )
        for add_prefix_space in (False, True)
    }


@pytest.mark.tensorflow("elsewhere KerasHub itself splits in another way")
@pytest.mark.parametrize("add_prefix_space", [False, True])
def test_the_space_before_a_word_is_part_of_it(byte_pairs, add_prefix_space):
    tokenizer = byte_pairs[add_prefix_space]
    words = ["an", "an", "an", "b", "<mask>", "an"]
    rows, places = pack_words([words], tokenizer, 32)
    tokens = [tokenizer.id_to_token(i) for i in rows_of(rows)[0][1:-1]]
    first = "\u0120an" if add_prefix_space else "an"
    assert tokens[:3] == [first, "\u0120an", "\u0120an"]
    assert rows_of(rows)[0][1:-1] == list(tokenizer(" ".join(words)))
    assert [place for place in rows_of(places)[0] if place >= 0] == [
        *range(len(words))
    ]


def test_a_word_without_a_token_for_it_is_refused(byte_pairs):
    with pytest.raises(ValueError, match="no token for unknown words"):
        pack_words([["", "an"]], byte_pairs[False], 8)
