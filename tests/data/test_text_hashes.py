"""A row is told by its raw text."""

import hashlib

import numpy as np
import pytest

from keras_distill.data import text_hashes
from keras_distill.tasks import Examples
from keras_distill.tasks import TaggedExamples
from keras_distill.tasks import TokenizedExamples
from keras_distill.tasks import TokenizedTags

PAIRS = Examples((["a", "b", "a", "ab"], ["c", "d", "c", ""]), ids=list("wxyz"))


def test_texts_alone_count():
    hashes = text_hashes(PAIRS)
    assert hashes.dtype == np.uint64
    assert len(set(hashes.tolist())) == 3
    assert hashes[0] == hashes[2]
    first = hashlib.blake2b(b"1;a1;c", digest_size=8).digest()
    assert hashes[0] == int.from_bytes(first, "little")
    other = Examples(PAIRS.texts, labels=[0, 1, 0, 1])
    np.testing.assert_array_equal(text_hashes(other), hashes)
    assert len(text_hashes(Examples(([],)))) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Examples((["a", "b"],)), Examples((["a", "b "],))),
        (Examples((["ab"], ["c"])), Examples((["a"], ["bc"]))),
        (Examples((["a"], [""])), Examples((["a"],))),
        (TaggedExamples([["a", "b"]]), TaggedExamples([["a b"]])),
    ],
)
def test_what_differs_is_told_apart(one, other):
    assert (text_hashes(one) != text_hashes(other)).any()


def test_what_is_tokenised_keeps_them(tokenizer, tmp_path):
    expected = text_hashes(PAIRS)
    for cache_dir in (None, tmp_path, tmp_path):
        rows = TokenizedExamples(PAIRS, tokenizer, 8, cache_dir=cache_dir)
        np.testing.assert_array_equal(rows.text_hashes, expected)
        assert rows.ids.tolist() == list("wxyz")
        chosen = rows.select([3, 0]).with_labels([1, 0])
        np.testing.assert_array_equal(text_hashes(chosen), expected[[3, 0]])
        assert chosen.ids.tolist() == ["z", "w"]
    tagged = TaggedExamples([["a", "film"], ["plot"]], ids=["s1", "s2"])
    rows = TokenizedTags(tagged, tokenizer, 8).select([1])
    np.testing.assert_array_equal(rows.text_hashes, text_hashes(tagged)[1:])
    assert rows.ids.tolist() == ["s2"]
