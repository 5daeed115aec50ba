"""Cuts paragraphs into sentences, roughly, whatever their language."""

import re

# What may stand after the end of a sentence and still belongs to it.
_CLOSING = "\"'”’)\\]»"
_END = re.compile(
    # The Arabic, Urdu, Devanagari, Armenian and Ethiopic marks among them,
    rf"[.!?…؟۔।॥։።][{_CLOSING}]?"
    # not after an initial, such as in "J. Smith", nor after a title,
    r"(?<!\b\w\.)(?<!\b(?:Mr|Dr|St|vs)\.)(?<!\bMrs\.)(?<!\bProf\.)"
    r"\s+(?=(?P<next>\S?))"
    # or those after which a space follows only in some languages.
    r"|[。！？｡]+[”’」』）】]*"
)


def split_into_sentences(text):
    """Cuts a paragraph where a sentence seems to end.

    That is after `.`, `!`, `?` or `…`, and their like in other scripts,
    before a space and no small letter, and after the full-width marks of
    Chinese and Japanese. Initials and a few English titles end no sentence;
    other abbreviations may be taken for the end of one. Where a language has
    no such marks, as Thai, a paragraph is one sentence.

    Args:
        text: str.

    Returns:
        List of str without surrounding white space, none of them empty.

    Example:

    >>> from keras_distill.data.readers.sentences import split_into_sentences
    >>> split_into_sentences("It was dull. Mr. J. Smith left! (I stayed.)")
    ['It was dull.', 'Mr. J. Smith left!', '(I stayed.)']
    """
    sentences, start = [], 0
    for end in _END.finditer(text):
        if (end["next"] or "").islower():
            continue
        sentences.append(text[start : end.end()].strip())
        start = end.end()
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]
