"""Words cut into pieces, each with a place of its own."""

import keras_hub
import pytest

from keras_distill.packing import layout_of
from keras_distill.packing import word_pieces

WORDS = [["Atelocentra", "Meyrick"], [], ["\u200b", "sings", "\u3000", ""]]


def tokenize_and_pack_words(words, tokenizer, length, **options):
    return word_pieces.tokenize_and_pack_words(
        words, tokenizer, layout_of(tokenizer), length, **options
    )


def rows_of(ragged):
    values = ragged.values.tolist()
    return [
        values[start : start + length]
        for start, length in zip(ragged.starts, ragged.lengths, strict=True)
    ]


def test_the_first_piece_knows_its_word(piece_tokenizer):
    rows, words, lengths = tokenize_and_pack_words(WORDS, piece_tokenizer, 8)
    assert rows_of(rows)[0] == [2, 5, 6, 7, 8, 9, 3]
    assert rows_of(words)[0] == [-1, 0, -1, -1, 1, -1, -1]
    assert rows_of(rows)[1] == [2, 3]
    assert lengths.tolist() == rows.lengths.tolist() == words.lengths.tolist()


def test_words_of_which_nothing_is_left_become_unknown(piece_tokenizer):
    rows, words, _ = tokenize_and_pack_words(WORDS, piece_tokenizer, 8)
    tokens = [piece_tokenizer.id_to_token(i) for i in rows_of(rows)[2]]
    assert tokens == ["[CLS]", "[UNK]", "sings", "[UNK]", "[UNK]", "[SEP]"]
    assert rows_of(words)[2] == [-1, 2, 3, 4, 5, -1]


def test_what_fits_is_kept(piece_tokenizer):
    rows, words, _ = tokenize_and_pack_words(WORDS, piece_tokenizer, 4)
    # The second word of the first row is gone, the first one is cut.
    assert rows_of(rows)[0] == [2, 5, 6, 3]
    assert rows_of(words)[0] == [-1, 0, -1, -1]
    assert rows_of(words)[2] == [-1, 2, 3, -1]


def test_pieces_are_those_of_the_whole_sentence(piece_tokenizer):
    sentence = "Anna sings, and Meyrick . in OSLO"
    rows, _, _ = tokenize_and_pack_words(
        [sentence.split()], piece_tokenizer, 32
    )
    assert rows_of(rows)[0][1:-1] == list(piece_tokenizer(sentence))


def test_every_different_word_is_tokenised_once(piece_tokenizer):
    seen = []
    tokenize_and_pack_words(
        [["anna", "sings"], ["anna"]] * 3,
        piece_tokenizer,
        8,
        progress=lambda *counts: seen.append(counts),
    )
    assert seen == [(2, 2)]


def test_no_sentences(piece_tokenizer):
    rows, words, lengths = tokenize_and_pack_words([], piece_tokenizer, 8)
    assert len(rows.values) == len(words.values) == len(lengths) == 0


@pytest.fixture
def byte_pairs():
    """Every byte, and the merges that give a word with its space."""
    letters = [chr(code) for code in range(33, 127)]
    tokens = ["<s>", "<pad>", "</s>", "<mask>", "\u0120", *letters]
    merges = ["\u0120 a", "\u0120a n", "a n"]
    tokens += [merge.replace(" ", "") for merge in merges]
    return keras_hub.models.RobertaTokenizer(
        vocabulary={token: index for index, token in enumerate(tokens)},
        merges=merges,
    )


@pytest.mark.tensorflow("elsewhere KerasHub itself splits in another way")
@pytest.mark.parametrize("add_prefix_space", [False, True])
def test_the_space_before_a_word_is_part_of_it(byte_pairs, add_prefix_space):
    tokenizer = keras_hub.models.RobertaTokenizer(
        vocabulary=byte_pairs.vocabulary,
        merges=byte_pairs.merges,
        add_prefix_space=add_prefix_space,
    )
    words = ["an", "an", "an", "b", "<mask>", "an"]
    rows, places, _ = tokenize_and_pack_words([words], tokenizer, 32)
    tokens = [tokenizer.id_to_token(i) for i in rows_of(rows)[0][1:-1]]
    first = "\u0120an" if add_prefix_space else "an"
    assert tokens[:3] == [first, "\u0120an", "\u0120an"]
    assert rows_of(rows)[0][1:-1] == list(tokenizer(" ".join(words)))
    assert [place for place in rows_of(places)[0] if place >= 0] == [
        *range(len(words))
    ]


def test_a_word_without_a_token_for_it_is_refused(byte_pairs):
    with pytest.raises(ValueError, match="no token for unknown words"):
        tokenize_and_pack_words([["", "an"]], byte_pairs, 8)
