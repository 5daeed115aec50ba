"""Which pieces of a vocabulary begin a word."""

import types

import pytest

from keras_distill.packing.word_starts import begins_word


def tokenizer(pieces, **attributes):
    return types.SimpleNamespace(get_vocabulary=pieces.split, **attributes)


@pytest.mark.parametrize(
    "pieces, attributes, expected",
    [
        ("film ##s . ##.", {"suffix_indicator": "##"}, [1, 0, 1, 0]),
        # Other signs of such a vocabulary are no marks.
        ("film @@s ▁ ▁a", {"suffix_indicator": "@@"}, [1, 0, 1, 1]),
        ("<s> Ġfilm s Ġa .", {}, [0, 1, 0, 1, 0]),
        ("<s> ▁film s ▁a . ##", {}, [0, 1, 0, 1, 0, 0]),
    ],
)
def test_by_the_mark_of_those_that_do_or_do_not(pieces, attributes, expected):
    found = begins_word(tokenizer(pieces, **attributes))

    assert found.tolist() == [bool(one) for one in expected]


def test_a_vocabulary_without_marks_is_refused():
    with pytest.raises(ValueError, match="of 2 pieces with neither"):
        begins_word(tokenizer("film a"))
    with pytest.raises(ValueError, match="need a tokenizer that marks"):
        begins_word(tokenizer("film a", suffix_indicator=""))
