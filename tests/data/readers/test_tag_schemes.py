"""Tags of several schemes as those of IOB."""

import pytest

from keras_distill.data.readers.tag_schemes import is_tag
from keras_distill.data.readers.tag_schemes import to_iob


@pytest.mark.parametrize(
    "tag, iob",
    [
        ("O", "O"),
        ("B-PER", "B-PER"),
        ("I-PER", "I-PER"),
        ("S-PER", "B-PER"),
        ("U-PER", "B-PER"),
        ("E-PER", "I-PER"),
        ("L-PER", "I-PER"),
        ("M-PER", "I-PER"),
    ],
)
def test_tags(tag, iob):
    assert is_tag(tag)
    assert to_iob(tag) == iob


@pytest.mark.parametrize(
    "text", ["", "PER", "B-", "B_PER", "b-per", "X-PER", "o"]
)
def test_others_are_none(text):
    assert not is_tag(text)
    assert to_iob(text) == text
