"""Which words of a text may be replaced, and what stays."""

import pytest

from keras_distill.corpora.augmentation import STOP_WORDS
from keras_distill.corpora.augmentation.words import Words
from keras_distill.corpora.augmentation.words import like_case


@pytest.mark.parametrize(
    "text, expected",
    [
        ("The film was not dull.", ["film", "dull"]),
        # Digits, signs, one letter, and words with a digit in them.
        ("3 x 3rd B2B , a_b 42 plots!", ["plots"]),
        # Contractions are grammar, whole or as a tokenizer leaves them.
        ("It won't do; he wo n't say it's John's", ["say", "John"]),
        ("we’ll see, don’t we", ["see"]),
        ("naïve Élan", ["naïve", "Élan"]),
        ("", []),
    ],
)
def test_words_that_may_be_replaced(text, expected):
    words = Words(text, STOP_WORDS)

    assert [words.words[place] for place in words.replaceable] == expected


def test_all_else_of_a_text_stays():
    words = Words("  A  dull\tfilm, isn't it? ", STOP_WORDS)

    first, second = words.replaceable
    assert words.replaced({}) == words.text
    assert words.replaced({first: "great"}) == "  A  great\tfilm, isn't it? "
    assert (
        words.replaced({first: "x", second: "longer"})
        == "  A  x\tlonger, isn't it? "
    )


@pytest.mark.parametrize(
    "original, expected",
    [("movie", "film"), ("Movie", "Film"), ("MOVIE", "FILM"), ("I", "Film")],
)
def test_a_replacement_has_capitals_where_the_word_has(original, expected):
    assert like_case("film", original) == expected


def test_stop_words_are_small_letters_and_grammar_alone():
    assert all(word.isalpha() and word.islower() for word in STOP_WORDS)
    assert {"the", "they", "would", "between", "although"} <= STOP_WORDS
    assert not {"film", "good", "make", "people", "time"} & STOP_WORDS
