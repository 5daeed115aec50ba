"""Cuts words into the pieces of a tokenizer, and remembers whose they are."""

import numpy as np

from keras_distill.packing.array_packing import Ragged
from keras_distill.packing.array_packing import pack
from keras_distill.packing.array_packing import ranges
from keras_distill.packing.single_words import space_before_word
from keras_distill.packing.single_words import unknown_id
from keras_distill.packing.tokenization import tokenize

# Marks a token that is not the first piece of a word.
NO_WORD = -1


def tokenize_and_pack_words(
    words, tokenizer, layout, sequence_length, progress=None
):
    """Tokenises sentences word by word and packs them.

    The tokens are those of the whole sentence, its words joined by spaces.

    A word of which the tokenizer leaves nothing, such as a lone space or
    control character, becomes the unknown token, so that every word has a
    place. What does not fit is cut off at the end.

    Args:
        words: list of lists of strings, one list per sentence.
        tokenizer: a KerasHub tokenizer.
        layout: `keras_distill.packing.Layout`. How a row is packed.
        sequence_length: int. The most tokens per row, special ones included.
        progress: function of the different words done and of their number.
            Defaults to `None`.

    Returns:
        The packed rows as `Ragged`; a `Ragged` of the same lengths that holds
        the number of a word, counted over all sentences, at its first piece
        and `NO_WORD` elsewhere; and an int64 array of the rows' lengths.

    Raises:
        ValueError: If nothing is left of a word and the tokenizer has no
            unknown token.
    """
    vocabulary = {}
    numbers = np.fromiter(
        (
            vocabulary.setdefault(text, len(vocabulary))
            for text in _word_texts(words, space_before_word(tokenizer))
        ),
        dtype="int64",
    )
    pieces = _pieces(list(vocabulary), tokenizer, progress)
    counts = pieces.lengths[numbers]
    token_ids = pieces.values[ranges(pieces.starts[numbers], counts)]
    places = np.full(len(token_ids), NO_WORD, dtype="int32")
    places[np.cumsum(counts) - counts] = np.arange(len(numbers))

    lengths = _sums(counts, np.array([len(row) for row in words], "int64"))
    rows, first_lengths = pack(
        [Ragged(token_ids, lengths)], layout, sequence_length
    )
    places, _ = pack(
        [Ragged(places, lengths)], layout.marked(NO_WORD), sequence_length
    )
    return rows, places, first_lengths


def _word_texts(words, space):
    """The words of all sentences, with the space that stands before them."""
    for row in words:
        yield from row[:1]
        for word in row[1:]:
            yield space + word


def _pieces(words, tokenizer, progress):
    """A `Ragged` of the token ids of each word, at least one."""
    values = [np.zeros(0, dtype="int32")]
    lengths = [np.zeros(0, dtype="int64")]
    done = 0
    for (chunk,) in tokenize((words,), tokenizer):
        values.append(chunk.values)
        lengths.append(chunk.lengths)
        done += len(chunk.lengths)
        if progress is not None:
            progress(done, len(words))
    pieces = Ragged(np.concatenate(values), np.concatenate(lengths))
    is_empty = pieces.lengths == 0
    if not is_empty.any():
        return pieces
    return Ragged(
        np.insert(pieces.values, pieces.starts[is_empty], _unknown(tokenizer)),
        np.maximum(pieces.lengths, 1),
    )


def _unknown(tokenizer):
    """The id of the token for what is in no vocabulary."""
    known = unknown_id(tokenizer)
    if known is None:
        raise ValueError(
            "A word of `examples` is empty to the tokenizer, which has no "
            "token for unknown words to put in its place. Leave such words "
            f"out. Received: a {type(tokenizer).__name__}."
        )
    return known


def _sums(values, counts):
    """The sums of consecutive groups of values; a group may be empty."""
    totals = np.concatenate([[0], np.cumsum(values)])
    ends = np.cumsum(counts)
    return totals[ends] - totals[ends - counts]
