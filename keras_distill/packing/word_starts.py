"""Which pieces of a vocabulary begin a word."""

import numpy as np

# What starts a piece that goes on with a word, or one that begins a word.
GOES_ON, BYTES_BEGIN, SENTENCE_BEGINS = "##", "Ġ", "▁"


def begin_mark(pieces):
    """What a vocabulary's pieces that begin a word start with, `""` if none."""
    return next(
        (
            mark
            for mark in (BYTES_BEGIN, SENTENCE_BEGINS)
            if sum(piece.startswith(mark) for piece in pieces) > 1
        ),
        "",
    )


def begins_word(tokenizer):
    """Tells which pieces of a tokenizer begin a word.

    Byte pairs and sentence pieces mark those that do. WordPiece marks those
    that do not, and a punctuation mark is a word to it, where the others join
    it to the word before. Of byte pairs the first piece of a text begins a
    word without a mark.

    Args:
        tokenizer: KerasHub tokenizer.

    Returns:
        bool array by id.

    Raises:
        ValueError: If the vocabulary marks neither.
    """
    pieces = [str(piece) for piece in tokenizer.get_vocabulary()]
    goes_on = getattr(tokenizer, "suffix_indicator", None)
    if goes_on:
        return np.array([not piece.startswith(goes_on) for piece in pieces])
    mark = begin_mark(pieces)
    if not mark:
        raise ValueError(
            "Whole words need a tokenizer that marks where words begin "
            f"({BYTES_BEGIN!r} or {SENTENCE_BEGINS!r}), or which pieces go on "
            "with one, as WordPiece does. Received: a "
            f"{type(tokenizer).__name__} of {len(pieces)} pieces with neither."
        )
    return np.array([piece.startswith(mark) for piece in pieces])
