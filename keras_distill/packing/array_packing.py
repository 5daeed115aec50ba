"""Packs tokenised texts as a model reads them, many rows at once.

The values are those of the model's own preprocessor before its padding: for
BERT `[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]`.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of different lengths, one after the other.

    Args:
        values: int32 array of all rows' values.
        lengths: int64 array of the rows' lengths.
    """

    values: np.ndarray
    lengths: np.ndarray

    @property
    def starts(self):
        """Where each row begins in `values`."""
        return np.cumsum(self.lengths) - self.lengths

    def cut(self, lengths):
        """The first `lengths` values of each row."""
        return Ragged(self.values[ranges(self.starts, lengths)], lengths)


def ranges(starts, counts):
    """Concatenates `start, start + 1, ...` of `count` numbers per row.

    Args:
        starts: int64 array.
        counts: int64 array.

    Returns:
        int64 array of `counts.sum()` numbers.
    """
    offsets = np.cumsum(counts) - counts
    return np.repeat(starts - offsets, counts) + np.arange(counts.sum())


def kept_lengths(lengths, budget, truncate):
    """How many tokens of each text stay when a row has room for `budget`.

    Args:
        lengths: list of one or two int64 arrays.
        budget: int. The most tokens per row, special ones not counted.
        truncate: string. `"round_robin"` or `"waterfall"`, as a
            `keras_distill.packing.Layout` says.

    Returns:
        List of as many int64 arrays.
    """
    if len(lengths) == 1:
        return [np.minimum(lengths[0], budget)]
    first, second = lengths
    share = budget
    if truncate == "round_robin":
        # The first text takes the odd token, and what the second leaves.
        share = np.maximum(budget - second, (budget + 1) // 2)
    first = np.minimum(first, share)
    return [first, np.minimum(second, budget - first)]


def pack(texts, layout, sequence_length):
    """Joins the texts of each row between the special tokens.

    Args:
        texts: list of one or two `Ragged` of token ids.
        layout: `keras_distill.packing.Layout`. The special tokens, and how
            texts that are too long are cut.
        sequence_length: int. The most tokens per row, special ones included.

    Returns:
        A `Ragged` of packed rows and an int64 array that says how many
        tokens of each row belong to the first text, special ones included.
    """
    special = layout.num_special_tokens(len(texts))
    kept = kept_lengths(
        [text.lengths for text in texts],
        sequence_length - special,
        layout.truncate,
    )
    texts = [text.cut(length) for text, length in zip(texts, kept, strict=True)]
    lengths = sum(kept) + special
    values = np.empty(lengths.sum(), dtype="int32")
    starts = np.cumsum(lengths) - lengths
    place = starts

    def put(tokens):
        nonlocal place
        for token in tokens:
            values[place] = token
            place = place + 1

    put(layout.start)
    first_lengths = None
    for text, closing in zip(texts, layout.closings(len(texts)), strict=True):
        values[ranges(place, text.lengths)] = text.values
        place = place + text.lengths
        put(closing)
        if first_lengths is None:
            first_lengths = place - starts
    return Ragged(values, lengths), first_lengths
