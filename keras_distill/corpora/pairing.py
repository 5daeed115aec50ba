"""Which sentences of a corpus stand in a row together, as BERT pairs them."""

import random

import numpy as np

# Where the two texts of a row lie among the pieces of a corpus, and whether
# the second is a random one.
SPANS = np.dtype(
    [("first", "i8"), ("second", "i8"), ("first_length", "i4")]
    + [("second_length", "i4"), ("is_random", "?")]
)
# Rows that are kept as Python's numbers, which take much memory.
_BLOCK = 2**16
# The shortest goal of a row that is to be short, as BERT's script has it.
_SHORTEST = 2


def pair_sentences(
    sentences, documents, room, random_next, short, seed, chosen=None
):
    """Pairs the sentences of all documents once.

    BERT's procedure: sentences of a document are taken until they fill a row.
    A random number of them, one at least, are the first text. The second are
    the others, or, with the probability `random_next` and where there are no
    others, sentences of another document, drawn at random, and the others are
    taken up again by the next row. With the probability `short` a row is to
    be filled to a random length alone. What is too much is cut off the longer
    text, piece by piece at a random end.

    Args:
        sentences: int64 array. Where each sentence begins among the pieces,
            and where the last one ends.
        documents: int64 array. Where each document begins among the
            sentences, and where the last one ends.
        room: int. The pieces that a row has room for.
        random_next: float. The probability of a random second text.
        short: float. The probability of a short row.
        seed: sequence of int. Seed of all that is random.
        chosen: Optional int array, the numbers of the documents to pair.
            Random second texts are of these as well. Defaults to all.

    Returns:
        Array of `SPANS`, a row each, in the order of the corpus.
    """
    draw = random.Random(repr(tuple(seed))).random
    documents = np.stack([documents[:-1], documents[1:]], axis=1)
    if chosen is not None:
        documents = documents[chosen]
    pair = _Pairing(sentences, documents, room, random_next, short, draw)
    blocks, block = [], []
    for number in range(len(documents)):
        block += pair.document(number)
        if len(block) >= _BLOCK:
            blocks.append(_cut(block, room, seed, len(blocks)))
            block = []
    blocks.append(_cut(block, room, seed, len(blocks)))
    return np.concatenate(blocks)


class _Pairing:
    """Pairs the sentences of one document after the other."""

    def __init__(self, sentences, documents, room, random_next, short, draw):
        self._sentences = sentences
        self._documents = documents
        self._room = room
        self._random_next = random_next
        self._short = short
        self._draw = draw

    def document(self, number):
        """Lists the ends of both texts of each row, and if one is random."""
        draw = self._draw
        starts = self._starts(number)
        last = len(starts) - 1
        rows = []
        begin, goal = 0, self._goal()
        end = 0
        while begin < last:
            end += 1
            if end < last and starts[end] - starts[begin] < goal:
                continue
            count = end - begin
            # One at least, and not all.
            middle = begin + 1 + int(draw() * max(count - 1, 1))
            is_random = count == 1 or draw() < self._random_next
            if is_random:
                wanted = goal - (starts[middle] - starts[begin])
                second = self._elsewhere(number, wanted)
                end = middle
            else:
                second = starts[middle], starts[end]
            rows.append((starts[begin], starts[middle], *second, is_random))
            begin, goal = end, self._goal()
        return rows

    def _goal(self):
        """The pieces that a row is to have."""
        draw = self._draw
        if draw() < self._short:
            longest = self._room - _SHORTEST + 1
            return _SHORTEST + int(draw() * longest)
        return self._room

    def _elsewhere(self, number, wanted):
        """Where a text of another document, if there is one, begins and ends.

        It has as many pieces as are wanted, or goes to the document's end.
        """
        others = len(self._documents) - 1
        if others:
            other = int(self._draw() * others)
            number = other + (other >= number)
        first, last = self._documents[number].tolist()
        first += int(self._draw() * (last - first))
        # Each sentence has a piece at least.
        starts = self._sentences[first : min(last, first + max(wanted, 1)) + 1]
        enough = np.searchsorted(starts, starts[0] + max(wanted, 1))
        return int(starts[0]), int(starts[min(enough, len(starts) - 1)])

    def _starts(self, number):
        """Where a document's sentences begin and the last one ends."""
        first, last = self._documents[number]
        return self._sentences[first : last + 1].tolist()


def _cut(rows, room, seed, block):
    """Spans of rows, cut to the pieces that a row has room for."""
    generator = np.random.default_rng([*seed, block])
    ends, is_random = np.split(
        np.array(rows, "int64").reshape(-1, 5), [4], axis=1
    )
    lengths = ends[:, 1::2] - ends[:, ::2]
    excess = np.maximum(lengths.sum(axis=1) - room, 0)
    # The longer one is cut until both are as long, and then both in turn.
    longer = np.argmax(lengths, axis=1)
    alone = np.minimum(excess, np.abs(lengths[:, 0] - lengths[:, 1]))
    both = excess - alone
    cut = np.stack([both // 2, both - both // 2], axis=1)
    cut[np.arange(len(cut)), longer] += alone
    lengths = lengths - cut
    spans = np.empty(len(ends), SPANS)
    starts = ends[:, ::2] + generator.binomial(cut, 0.5)
    spans["first"], spans["second"] = starts.T
    spans["first_length"], spans["second_length"] = lengths.T
    spans["is_random"] = is_random[:, 0]
    return spans
