"""Cuts paragraphs into sentences, roughly."""

import re

# Where a sentence ends although a space follows only in some languages.
_FULL_WIDTH = "。！？"
_BREAK = re.compile(
    # Not after an initial, such as in "J. Smith", nor after a title.
    r"(?<!\b\w\.)(?<!\b(?:Mr|Dr|St|vs)\.)(?<!\bMrs\.)(?<!\bProf\.)"
    # After an end, with the quotation mark or bracket that may follow it,
    rf"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’)\]]))\s+"
    # before what does not go on in small letters.
    r"(?=[\"'“‘(\[]?(?![a-zß-öø-ÿ]))"
    rf"|(?<=[{_FULL_WIDTH}])"
)


def split_into_sentences(text):
    """Cuts a paragraph where a sentence seems to end.

    That is after `.`, `!`, `?` or `…` before a space and no small letter, and
    after the full-width marks of Chinese and Japanese. Initials and a few
    English titles end no sentence; other abbreviations may be taken for the
    end of one.

    Args:
        text: str.

    Returns:
        List of str without surrounding white space, none of them empty.

    Example:

    >>> from keras_distill.data.readers.sentences import split_into_sentences
    >>> split_into_sentences("It was dull. Mr. J. Smith left! (I stayed.)")
    ['It was dull.', 'Mr. J. Smith left!', '(I stayed.)']
    """
    parts = (part.strip() for part in _BREAK.split(text))
    return [part for part in parts if part]
