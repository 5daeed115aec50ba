"""The words of a text, and which of them may be replaced."""

import re

# A run of letters, digits and underscores, or one sign.
_TOKEN = re.compile(r"\w+|[^\w\s]")
# What makes "not" of the word before it: "does n't", "can't".
_NOT = re.compile(r"n?['’]t\b", re.IGNORECASE)


class Words:
    """A text cut into words and signs.

    Args:
        text: str.
        stop_words: set of str, in small letters, that are never replaced.

    Attributes:
        text: str.
        words: list of str, words and signs in their order.
        starts: list of int. Where each begins in the text.
        replaceable: list of int. The places of those words that may be
            replaced: of letters alone and more than one, no stop word, and
            not the first half of a negation.

    Example:

    >>> from keras_distill.corpora.augmentation.words import Words
    >>> words = Words("The 3rd film isn't dull.", {"the"})
    >>> [words.words[place] for place in words.replaceable]
    ['film', 'dull']
    """

    def __init__(self, text, stop_words):
        found = list(_TOKEN.finditer(text))
        self.text = text
        self.words = [match[0] for match in found]
        self.starts = [match.start() for match in found]
        self.replaceable = [
            place
            for place, match in enumerate(found)
            if match[0].isalpha()
            and len(match[0]) > 1
            and match[0].lower() not in stop_words
            and not _NOT.match(text, match.end())
            and not _NOT.match(text, match.end() - 1)
        ]

    def follows_space(self, place):
        """Whether white space stands before a word."""
        start = self.starts[place]
        return start > 0 and self.text[start - 1].isspace()

    def replaced(self, replacements):
        """The text with other words in the places of some.

        Args:
            replacements: dict of a word's place to str, places ascending.

        Returns:
            str.
        """
        parts, end = [], 0
        for place, word in replacements.items():
            start = self.starts[place]
            parts += [self.text[end:start], word]
            end = start + len(self.words[place])
        return "".join(parts) + self.text[end:]


def like_case(word, original):
    """A word in capitals, or with one, where the original is so.

    Args:
        word: str.
        original: str. The word that it replaces.

    Returns:
        str.

    Example:

    >>> from keras_distill.corpora.augmentation.words import like_case
    >>> like_case("film", "Movie"), like_case("film", "USA")
    ('Film', 'FILM')
    """
    if len(original) > 1 and original.isupper():
        return word.upper()
    if original[0].isupper():
        return word[0].upper() + word[1:]
    return word
