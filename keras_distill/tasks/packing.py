"""Packs tokenised texts as BERT reads them, many rows at once.

`[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]`, cut round-robin to a
longest length. The values are those of
`keras_hub.models.BertTextClassifierPreprocessor` before its padding.
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


def round_robin_lengths(lengths, budget):
    """The lengths that remain when texts take turns, a token at a time.

    The first text takes the odd token. A text that is shorter than its share
    leaves the rest to the other one.

    Args:
        lengths: list of one or two int64 arrays.
        budget: int. The most tokens per row.

    Returns:
        List of as many int64 arrays.
    """
    if len(lengths) == 1:
        return [np.minimum(lengths[0], budget)]
    first, second = lengths
    fair = (budget + 1) // 2
    first = np.minimum(first, np.maximum(budget - second, fair))
    return [first, np.minimum(second, budget - first)]


def pack(texts, start_id, end_id, sequence_length):
    """Joins the texts of each row between the special tokens.

    Args:
        texts: list of one or two `Ragged` of token ids.
        start_id: int. The token before the first text.
        end_id: int. The token after each text.
        sequence_length: int. The most tokens per row, special ones included.

    Returns:
        A `Ragged` of packed rows and an int64 array that says how many
        tokens of each row belong to the first text, special ones included.
    """
    budget = sequence_length - 1 - len(texts)
    kept = round_robin_lengths([text.lengths for text in texts], budget)
    texts = [text.cut(length) for text, length in zip(texts, kept, strict=True)]
    lengths = sum(kept) + 1 + len(texts)
    starts = np.cumsum(lengths) - lengths
    # Every place that no text fills is an end token.
    values = np.full(lengths.sum(), end_id, dtype="int32")
    values[starts] = start_id
    place = starts + 1
    for text in texts:
        values[ranges(place, text.lengths)] = text.values
        place = place + text.lengths + 1
    return Ragged(values, lengths), kept[0] + 2
