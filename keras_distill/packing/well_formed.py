"""Strings of Python that UTF-8 can write."""


def well_formed(text):
    """A text in which half a surrogate pair is the replacement character.

    Python's strings can hold one, as when JSON was cut in the middle of an
    emoji; UTF-8 and TensorFlow cannot.

    Args:
        text: str.

    Returns:
        str. The same, if there is nothing to replace. Two halves of a pair
        become the character that they stand for.

    Example:

    >>> well_formed("good \\ud83d") == "good \\ufffd"
    True
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        encoded = text.encode("utf-16", "surrogatepass")
        return encoded.decode("utf-16", "replace")
    return text
