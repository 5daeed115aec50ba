"""Texts to the rows of token ids that a model reads, as arrays."""

import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.packing.layout import layout_of
from keras_distill.packing.layout import tokenizer_of
from keras_distill.packing.tokenization import Ragged
from keras_distill.packing.tokenization import ranges
from keras_distill.packing.tokenization import space_before_word
from keras_distill.packing.tokenization import tokenize
from keras_distill.packing.tokenization import unknown_id

# Marks a token that is not the first piece of a word.
NO_WORD = -1


class Packer:
    """Texts to the rows of token ids that a model reads, as arrays.

    Start, separators, end and truncation are those of the model's own
    preprocessor, without its padding. `GraphPacker` does the same in a
    TensorFlow graph; both follow one `Layout`.

    Args:
        source: the model's preprocessor, or a KerasHub tokenizer, which is
            packed as the preprocessor of its family.
        sequence_length: int. The most tokens per row, special ones included.
            Defaults to the preprocessor's; a tokenizer has none.

    Attributes:
        tokenizer: the KerasHub tokenizer.
        layout: `Layout`.
    """

    def __init__(self, source, sequence_length=None):
        self.layout = layout_of(source)
        self.tokenizer = tokenizer_of(source)
        if sequence_length is None:
            if self.tokenizer is source:
                raise ValueError(
                    "`sequence_length` is missing: a tokenizer does not say "
                    "how long rows may be. Pass it, or the model's "
                    "preprocessor in the tokenizer's place. Received: a "
                    f"{type(source).__name__}."
                )
            sequence_length = source.sequence_length
        self.sequence_length = check_int(
            "sequence_length", sequence_length, minimum=1
        )

    def pack(self, texts, progress=None):
        """Tokenises and packs rows of one or two texts.

        Args:
            texts: tuple of one or two lists of strings.
            progress: function of the rows done and the rows in all, called
                after each chunk. Defaults to `None`.

        Returns:
            The rows as `Ragged`, and an int64 array of how many tokens of
            each row belong to its first text.
        """
        self.layout.check_room(self.sequence_length, len(texts))
        chunks = [(_NOTHING, np.zeros(0, dtype="int64"))]
        done = 0
        for chunk in tokenize(texts, self.tokenizer):
            chunks.append(pack_tokens(chunk, self.layout, self.sequence_length))
            done += len(chunk[0].lengths)
            if progress is not None:
                progress(done, len(texts[0]))
        rows, first_lengths = zip(*chunks, strict=True)
        return _concatenated(rows), np.concatenate(first_lengths)

    def pack_words(self, words, progress=None):
        """Tokenises sentences word by word and packs them.

        The tokens are those of the whole sentence, its words joined by
        spaces. A word of which the tokenizer leaves nothing, such as a lone
        space or control character, becomes the unknown token, so that every
        word has a place. What does not fit is cut off at the end.

        Args:
            words: list of lists of strings, one list per sentence.
            progress: function of the different words done and of their
                number. Defaults to `None`.

        Returns:
            The rows as `Ragged`; and a `Ragged` of the same lengths that
            holds the number of a word, counted over all sentences, at its
            first piece and `NO_WORD` elsewhere.

        Raises:
            ValueError: If nothing is left of a word and the tokenizer has no
                unknown token.
        """
        self.layout.check_room(self.sequence_length, num_texts=1)
        vocabulary = {}
        numbers = np.fromiter(
            (
                vocabulary.setdefault(text, len(vocabulary))
                for text in _word_texts(
                    words, space_before_word(self.tokenizer)
                )
            ),
            dtype="int64",
        )
        pieces = _pieces(list(vocabulary), self.tokenizer, progress)
        counts = pieces.lengths[numbers]
        token_ids = pieces.values[ranges(pieces.starts[numbers], counts)]
        places = np.full(len(token_ids), NO_WORD, dtype="int32")
        places[np.cumsum(counts) - counts] = np.arange(len(numbers))
        lengths = _sums(counts, np.array([len(row) for row in words], "int64"))
        rows, places = (
            pack_tokens([Ragged(values, lengths)], layout, self.sequence_length)
            for values, layout in (
                (token_ids, self.layout),
                (places, self.layout.marked(NO_WORD)),
            )
        )
        return rows[0], places[0]


def pack_tokens(texts, layout, sequence_length):
    """Joins the tokens of each row between the special tokens.

    Args:
        texts: list of one or two `Ragged` of token ids.
        layout: `Layout`.
        sequence_length: int. The most tokens per row, special ones included.

    Returns:
        A `Ragged` of packed rows and an int64 array that says how many
        tokens of each row belong to the first text, special ones included.
    """
    kept = layout.kept_lengths(
        [text.lengths for text in texts], sequence_length
    )
    texts = [text.cut(length) for text, length in zip(texts, kept, strict=True)]
    lengths = sum(kept) + layout.num_special_tokens(len(texts))
    values = np.empty(lengths.sum(), dtype="int32")
    starts = np.cumsum(lengths) - lengths
    place, first_lengths = starts, np.zeros_like(lengths)
    for segment, part in layout.parts(texts):
        if isinstance(part, Ragged):
            values[ranges(place, part.lengths)] = part.values
            place = place + part.lengths
        else:
            for token in part:
                values[place] = token
                place = place + 1
        if segment == 0:
            first_lengths = place - starts
    return Ragged(values, lengths), first_lengths


_NOTHING = Ragged(np.zeros(0, dtype="int32"), np.zeros(0, dtype="int64"))


def _concatenated(rows):
    return Ragged(
        np.concatenate([row.values for row in rows]),
        np.concatenate([row.lengths for row in rows]),
    )


def _word_texts(words, space):
    """The words of all sentences, with the space that stands before them."""
    for row in words:
        yield from row[:1]
        for word in row[1:]:
            yield space + word


def _pieces(words, tokenizer, progress):
    """A `Ragged` of the token ids of each word, at least one."""
    chunks, done = [_NOTHING], 0
    for (chunk,) in tokenize((words,), tokenizer):
        chunks.append(chunk)
        done += len(chunk.lengths)
        if progress is not None:
            progress(done, len(words))
    pieces = _concatenated(chunks)
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
