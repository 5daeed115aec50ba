"""The schemes in which files tag phrases, as the one that is learnt from.

IOB2 (also called BIO) begins every phrase with `B-`. IOB1 begins with `I-` a
phrase that follows no other of its type, which is left as it is: whoever
counts phrases takes such an `I-` for a beginning. IOBES (BIOES, BMES, BIOLU,
BILOU) also marks ends and phrases of one word, which IOB2 does without.
"""

OUTSIDE = "O"

# The place in a phrase, as IOB2 says it.
_PLACES = {
    "B": "B",
    "I": "I",
    # Begins and ends at once.
    "S": "B",
    "U": "B",
    # The last word.
    "E": "I",
    "L": "I",
    # In the middle.
    "M": "I",
}


def is_tag(text):
    """Whether a string is a tag of a known scheme.

    Args:
        text: str.

    Returns:
        bool.
    """
    return text == OUTSIDE or (
        text[:1] in _PLACES and text[1:2] == "-" and len(text) > 2
    )


def to_iob(tag):
    """A tag of a known scheme as one of IOB.

    Args:
        tag: str. Anything else is returned as it is.

    Returns:
        str.

    Example:

    >>> from keras_distill.data.readers.tag_schemes import to_iob
    >>> to_iob("S-PER"), to_iob("E-PER"), to_iob("O")
    ('B-PER', 'I-PER', 'O')
    """
    if tag == OUTSIDE or not is_tag(tag):
        return tag
    return _PLACES[tag[0]] + tag[1:]
