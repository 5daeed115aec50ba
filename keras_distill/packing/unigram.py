"""The likeliest pieces of a word, with the rounding of `tokenizers`.

SentencePiece's op adds scores in float32, `tokenizers` in float64, from left
to right. Where pieces can change places, as in `...` + `.`, the sums differ
by rounding alone, and that decides. What is here adds as `tokenizers` does;
it is slower, and meant for the few words in which pieces can change places.
"""

import numpy as np

# What an unknown character costs more than the least likely piece.
_UNKNOWN_PENALTY = 10.0
_SHIFT = 1 << 21


class Trie:
    """Pieces by their characters, as arrays.

    Args:
        pieces: list of strings.
    """

    def __init__(self, pieces):
        # Of equal pieces the last one counts.
        numbers = {piece: number for number, piece in enumerate(pieces)}
        texts = [piece for piece in numbers if piece]
        ids = np.array([numbers[piece] for piece in texts], "int32")
        lengths = np.array([len(piece) for piece in texts], "int64")
        letters = np.array([ord(x) for x in "".join(texts)], "int64")
        starts = np.cumsum(lengths) - lengths
        self.longest = int(lengths.max(initial=1))
        nodes = np.zeros(len(texts), "int64")
        keys, children, piece_of = [], [], [np.full(1, -1, "int32")]
        size = 1
        for depth in range(self.longest):
            inside = lengths > depth
            key = nodes[inside] * _SHIFT + letters[starts[inside] + depth]
            different, place = np.unique(key, return_inverse=True)
            nodes[inside] = size + place
            keys.append(different)
            children.append(size + np.arange(len(different)))
            ends = np.full(len(different), -1, "int32")
            is_end = lengths == depth + 1
            ends[nodes[is_end] - size] = ids[is_end]
            piece_of.append(ends)
            size += len(different)
        keys, children = np.concatenate(keys), np.concatenate(children)
        order = np.argsort(keys)
        self.keys = keys[order]
        self.children = children[order].astype("int64")
        self.piece_of = np.concatenate(piece_of)

    def step(self, nodes, letters):
        """The nodes after a letter, 0 where there is none."""
        import tensorflow as tf

        key = nodes * _SHIFT + letters
        place = tf.minimum(tf.searchsorted(self.keys, key), len(self.keys) - 1)
        is_there = tf.gather(self.keys, place) == key
        return tf.where(is_there, tf.gather(self.children, place), 0)


class Viterbi:
    """Cuts words into the pieces with the highest sum of scores.

    Args:
        pieces: list of strings.
        scores: list of as many floats, logarithms of probabilities.
        unknown: int. The id of the unknown token.
    """

    def __init__(self, pieces, scores, unknown):
        self._trie = Trie(pieces)
        self.longest = self._trie.longest
        self._scores = np.array(scores, "float64")
        self._unknown = unknown
        self._unknown_score = self._scores.min() - _UNKNOWN_PENALTY

    def __call__(self, words):
        """Returns an int32 `tf.RaggedTensor` `(words, pieces)`."""
        import tensorflow as tf

        letters = tf.strings.unicode_decode(words, "UTF-8")
        # A word of n letters has n + 1 places for a piece to start or to end.
        word = letters.value_rowids()
        sizes = letters.row_lengths() + 1
        first = tf.cumsum(sizes, exclusive=True)
        count = tf.reduce_sum(sizes)
        starts, ends, pieces = self._edges(letters, word)
        scores = tf.where(
            pieces == self._unknown,
            tf.constant(self._unknown_score, tf.float64),
            tf.gather(self._scores, pieces),
        )
        # Places, not letters, are what pieces start at from here on.
        starts += tf.gather(word, starts)
        before, piece = self._best(starts, ends, pieces, scores, first, count)
        return self._back(before, piece, first, first + sizes - 1)

    def _edges(self, letters, word):
        """All pieces in the words: first letter, place after it, id."""
        import tensorflow as tf

        values = tf.cast(letters.values, "int64")
        count = tf.size(values, tf.int64)
        none64, none32 = tf.zeros([0], "int64"), tf.zeros([0], "int32")
        shape = tf.TensorShape([None])

        def step(length, starts, nodes, found, lengths, pieces):
            last = starts + length
            inside = last < count
            last = tf.minimum(last, count - 1)
            inside &= tf.gather(word, last) == tf.gather(word, starts)
            nodes = self._trie.step(nodes, tf.gather(values, last))
            goes_on = inside & (nodes > 0)
            starts = tf.boolean_mask(starts, goes_on)
            nodes = tf.boolean_mask(nodes, goes_on)
            piece = tf.gather(self._trie.piece_of, nodes)
            is_piece = piece >= 0
            start = tf.boolean_mask(starts, is_piece)
            return (
                length + 1,
                starts,
                nodes,
                tf.concat([found, start], 0),
                tf.concat([lengths, tf.fill(tf.shape(start), length + 1)], 0),
                tf.concat([pieces, tf.boolean_mask(piece, is_piece)], 0),
            )

        _, _, _, starts, lengths, pieces = tf.while_loop(
            lambda length, starts, *_: tf.size(starts) > 0,
            step,
            (
                tf.constant(0, tf.int64),
                tf.range(count),
                tf.zeros_like(values),
                none64,
                none64,
                none32,
            ),
            shape_invariants=(tf.TensorShape([]), *[shape] * 5),
        )
        # A letter that is no piece is unknown.
        is_single = tf.boolean_mask(starts, lengths == 1)
        known = tf.math.unsorted_segment_sum(
            tf.ones_like(is_single), is_single, count
        )
        unknown = tf.where(known == 0)[:, 0]
        starts = tf.concat([starts, unknown], 0)
        lengths = tf.concat([lengths, tf.ones_like(unknown)], 0)
        pieces = tf.concat(
            [pieces, tf.fill(tf.shape(unknown), self._unknown)], 0
        )
        return starts, starts + lengths + tf.gather(word, starts), pieces

    def _best(self, starts, ends, pieces, scores, first, count):
        """For each place, where its best piece starts, and that piece."""
        import tensorflow as tf

        # The letters of all words in turn, first letters first.
        row = tf.searchsorted(first, starts, side="right") - 1
        turn = starts - tf.gather(first, row)
        order = tf.argsort(turn, stable=True)
        turn, starts, ends, pieces, scores = (
            tf.gather(x, order) for x in (turn, starts, ends, pieces, scores)
        )
        turns = tf.reduce_max(turn) + 1
        borders = tf.searchsorted(turn, tf.range(turns + 1))
        best = tf.tensor_scatter_nd_update(
            tf.fill([count], tf.constant(-np.inf, tf.float64)),
            first[:, None],
            tf.zeros_like(first, tf.float64),
        )

        def step(now, best, before, piece):
            part = slice(borders[now], borders[now + 1])
            end = ends[part]
            score = tf.gather(best, starts[part]) + scores[part]
            is_better = score > tf.gather(best, end)
            place = tf.boolean_mask(end, is_better)[:, None]

            def put(values, new):
                return tf.tensor_scatter_nd_update(
                    values, place, tf.boolean_mask(new, is_better)
                )

            return (
                now + 1,
                put(best, score),
                put(before, starts[part]),
                put(piece, pieces[part]),
            )

        _, _, before, piece = tf.while_loop(
            lambda now, *_: now < tf.cast(turns, "int32"),
            step,
            (
                tf.constant(0),
                best,
                tf.zeros([count], "int64"),
                tf.zeros([count], "int32"),
            ),
        )
        return before, piece

    def _back(self, before, piece, first, last):
        """The pieces on the best way to the end of each word."""
        import tensorflow as tf

        shape = tf.TensorShape([None])
        row = tf.range(tf.size(first, tf.int64))

        def step(place, row, places, rows):
            goes_on = place > tf.gather(first, row)
            place = tf.boolean_mask(place, goes_on)
            row = tf.boolean_mask(row, goes_on)
            return (
                tf.gather(before, place),
                row,
                tf.concat([places, place], 0),
                tf.concat([rows, row], 0),
            )

        none = tf.zeros([0], "int64")
        _, _, places, rows = tf.while_loop(
            lambda place, *_: tf.size(place) > 0,
            step,
            (last, row, none, none),
            shape_invariants=(shape,) * 4,
        )
        order = tf.argsort(places)
        rows = tf.gather(rows, order)
        pieces = tf.gather(piece, tf.gather(places, order))
        # Unknown letters beside each other are one token.
        follows = tf.concat(
            [[False], (pieces[1:] == pieces[:-1]) & (rows[1:] == rows[:-1])], 0
        )
        kept = ~(follows & (pieces == self._unknown))
        return tf.RaggedTensor.from_value_rowids(
            tf.boolean_mask(pieces, kept),
            tf.boolean_mask(rows, kept),
            nrows=tf.size(first, tf.int64),
            validate=False,
        )


def has_repeats(words, longest):
    """Whether a part of a word follows upon itself and begins once more.

    As in `...`, `lalal` or `99 9`: only there, two ways to cut a word into
    the same pieces can both be the likeliest.

    Args:
        words: string tensor `(n,)`.
        longest: int. Most letters of a part.

    Returns:
        bool tensor `(n,)`.
    """
    import tensorflow as tf

    letters = tf.strings.unicode_decode(words, "UTF-8")
    count = tf.size(words, tf.int64)
    # Only words long enough are looked at, and ever fewer as parts grow.
    values, rows = letters.values, letters.value_rowids()
    found = tf.zeros([0], "int64")
    sizes = letters.row_lengths()
    for length in range(1, longest + 1):
        is_enough = tf.where(tf.gather(sizes, rows) > 2 * length)[:, 0]
        values, rows = tf.gather(values, is_enough), tf.gather(rows, is_enough)
        equal = (values[length:] == values[:-length]) & (
            rows[length:] == rows[:-length]
        )
        seen = tf.concat([[0], tf.cumsum(tf.cast(equal, "int32"))], 0)
        run = seen[length + 1 :] - seen[: -length - 1] == length + 1
        repeats = tf.boolean_mask(rows[: tf.size(run)], run)
        found = tf.concat([found, repeats], 0)
    return tf.math.unsorted_segment_sum(tf.ones_like(found), found, count) > 0
