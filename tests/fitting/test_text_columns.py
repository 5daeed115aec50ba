"""Raw texts as people have them become rows."""

import numpy as np
import pandas
import pytest

from keras_distill import tasks
from keras_distill.fitting.text_columns import text_rows

TEXTS = ["a good film", "dull"]
SECOND = ["the film", "a plot"]


def as_tensor(texts):
    return pytest.importorskip("tensorflow").constant(texts)


@pytest.mark.parametrize(
    "given",
    [
        list,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: np.array(texts, dtype="S"),
        lambda texts: np.array(texts)[:, np.newaxis],
        lambda texts: (texts,),
        lambda texts: {"text": np.array(texts)},
        lambda texts: pandas.Series(texts, index=[1, 0]),
        lambda texts: pandas.Series(texts, dtype="category"),
        lambda texts: pandas.Series(texts, dtype="string"),
        lambda texts: pandas.DataFrame({"text": texts}),
        lambda texts: tasks.Examples((texts,), [1, 0]),
        as_tensor,
    ],
)
def test_a_column(given):
    assert text_rows(given(TEXTS)).texts == (TEXTS,)


@pytest.mark.parametrize(
    "given",
    [
        lambda first, second: (first, np.array(second)),
        # In the order in which they are given.
        lambda first, second: {"premise": first, "hypothesis": second},
        lambda first, second: pandas.DataFrame({"b": first, "a": second}),
        lambda first, second: np.array([first, second]).T,
    ],
)
def test_pairs(given):
    assert text_rows(given(TEXTS, SECOND)).texts == (TEXTS, SECOND)


@pytest.mark.parametrize(
    "given",
    [
        lambda words: words,
        lambda words: [np.array(sentence) for sentence in words],
        lambda words: pandas.Series(words),
    ],
)
def test_rows_of_words(given):
    words = [["a", "film"], ["dull"]]
    assert text_rows(given(words)).words == words


@pytest.mark.parametrize(
    "given",
    [
        [1, 2],
        np.zeros((2, 3)),
        {"token_ids": np.zeros((2, 3), int)},
        pandas.DataFrame({"a": [1.0, 2.0]}),
        pandas.Series([1, 2], dtype="category"),
        [],
        None,
        iter(TEXTS),
    ],
)
def test_what_is_no_text(given):
    assert text_rows(given) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([None, "dull"], "`x` must have a text in each row.*in row 0: None"),
        (pandas.Series(["dull", np.nan]), "in row 1: nan"),
        ({"a": TEXTS, "b": ["dull", None]}, r"`x\['b'\]` must.*in row 1"),
        ({"a": TEXTS, "n": [1, 2]}, r"nothing else. Received: x\['n'\]"),
        (tuple(TEXTS), "Received: a tuple of texts. Put them in a list"),
        ((TEXTS, TEXTS, TEXTS), "two for pairs. Received: 3 columns"),
        ((TEXTS, TEXTS[:1]), "same number of rows. Received: 2 and 1"),
        ("dull", "a list of strings. Received: 'dull'; put it in a list"),
    ],
)
def test_what_cannot_be_read(given, message):
    with pytest.raises(ValueError, match=message):
        text_rows(given)
