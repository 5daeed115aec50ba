"""Byte pairs in the graph of a served model, without a state.

`keras_hub.tokenizers.BytePairTokenizer` remembers every word that it has seen
in a table: in a server that grows as long as there are requests, and in a
SavedModel it would hold the words that the model was trained on. What stands
here gives the same ids and remembers nothing.
"""

import keras_hub
import tensorflow as tf

# KerasHub exports the rules by which texts are cut under no public name.
from keras_hub.src.tokenizers.byte_pair_tokenizer import bytes_to_unicode
from keras_hub.src.tokenizers.byte_pair_tokenizer import split_strings_for_bpe

_NO_RANK = tf.int32.max
_NO_TOKEN = -1


def cuts_as_keras_hub(tokenizer):
    """Whether a tokenizer is KerasHub's byte pairs, with its own rules."""
    base = keras_hub.tokenizers.BytePairTokenizer
    return isinstance(tokenizer, base) and all(
        getattr(type(tokenizer), name) is getattr(base, name)
        for name in ("call", "tokenize", "_tokenize_tf")
    )


class BytePairs(tf.Module):
    """The ids of `keras_hub.tokenizers.BytePairTokenizer` in a graph.

    A word begins as its bytes. Of all its pairs of neighbours those of the
    lowest rank among `merges` become one symbol, until no pair is left that
    has a rank; what remains are the tokens.

    Args:
        tokenizer: `keras_hub.tokenizers.BytePairTokenizer`.
    """

    def __init__(self, tokenizer):
        super().__init__(name="byte_pairs")
        self._prefix = " " if tokenizer.add_prefix_space else ""
        self._unsplittable = list(tokenizer.unsplittable_tokens or ())
        vocabulary = tokenizer.vocabulary
        pairs = [
            str(merge).split(" ")
            for merge in tokenizer.merges
            if "#version:" not in merge
        ]
        symbols = _symbols(pairs)
        self._num_symbols = len(symbols)
        self._ids = tf.constant(
            [vocabulary.get(symbol, _NO_TOKEN) for symbol in symbols], tf.int32
        )
        self._merged = tf.constant(
            [symbols[first + second] for first, second in pairs],
            tf.int32,
        )
        self._ranks = _table(
            tf.constant(
                [
                    symbols[first] * len(symbols) + symbols[second]
                    for first, second in pairs
                ],
                tf.int64,
            ),
            tf.range(len(pairs)),
            _NO_RANK,
        )
        self._special = _table(
            tf.constant(self._unsplittable, tf.string),
            tf.constant(
                [vocabulary[token] for token in self._unsplittable], tf.int32
            ),
            _NO_TOKEN,
        )

    def __call__(self, texts):
        """Token ids of texts.

        Args:
            texts: string tensor `(batch,)`.

        Returns:
            int32 `tf.RaggedTensor` `(batch, None)`.
        """
        if self._prefix:
            texts = tf.strings.join([self._prefix, texts])
        words = split_strings_for_bpe(texts, self._unsplittable)
        different, number = tf.unique(words.flat_values, out_idx=tf.int64)
        pieces = tf.gather(self._pieces(different), number)
        return words.with_values(pieces).merge_dims(1, 2)

    def _pieces(self, words):
        """The token ids of words, int32 ragged `(words, None)`."""
        special = self._special.lookup(words)
        is_special = special != _NO_TOKEN
        # A special token is one token, and no bytes to be merged.
        ordinary = tf.where(is_special, "", words)
        split = tf.strings.bytes_split(ordinary)
        tokens = tf.reshape(tf.io.decode_raw(split.flat_values, "uint8"), [-1])
        tokens, owner = self._merge(
            tf.cast(tokens, tf.int32),
            split.value_rowids(),
            tf.size(words, out_type=tf.int64),
        )
        pieces = tf.RaggedTensor.from_value_rowids(
            tf.gather(self._ids, tokens),
            owner,
            nrows=tf.size(words, out_type=tf.int64),
        )
        alone = tf.RaggedTensor.from_row_lengths(
            tf.boolean_mask(special, is_special), tf.cast(is_special, tf.int64)
        )
        return tf.concat([pieces, alone], axis=1)

    def _merge(self, tokens, owner, num_words):
        """Merges the symbols of all words, which lie one after the other."""

        def step(tokens, owner, _):
            left, right = tokens[:-1], tokens[1:]
            pair = tf.cast(left, tf.int64) * self._num_symbols
            pair += tf.cast(right, tf.int64)
            of_one_word = owner[:-1] == owner[1:]
            rank = self._ranks.lookup(tf.where(of_one_word, pair, -1))
            best = tf.math.unsorted_segment_min(rank, owner[:-1], num_words)
            is_best = (rank != _NO_RANK) & (rank == tf.gather(best, owner[:-1]))
            is_merged = _without_overlap(is_best)
            merged = tf.gather(self._merged, tf.where(is_merged, rank, 0))
            left = tf.where(is_merged, merged, left)
            tokens = tf.concat([left, tokens[-1:]], axis=0)
            # The right one of a merged pair is gone.
            stays = tf.concat([[True], ~is_merged], axis=0)
            stays = stays[: tf.size(tokens)]
            return (
                tf.boolean_mask(tokens, stays),
                tf.boolean_mask(owner, stays),
                tf.reduce_any(is_merged),
            )

        tokens, owner, _ = tf.while_loop(
            lambda tokens, owner, goes_on: goes_on,
            step,
            (tokens, owner, tf.constant(True)),
            shape_invariants=(
                tf.TensorShape([None]),
                tf.TensorShape([None]),
                tf.TensorShape([]),
            ),
        )
        return tokens, owner


def _symbols(pairs):
    """The number of each byte's symbol and of what is merged of them."""
    of_byte = dict(zip(*bytes_to_unicode(), strict=True))
    symbols = {of_byte[bytes([byte])]: byte for byte in range(256)}
    for first, second in pairs:
        for symbol in (first, second, first + second):
            symbols.setdefault(symbol, len(symbols))
    return symbols


def _table(keys, values, default):
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(keys, values), default
    )


def _without_overlap(is_best):
    """Of neighbours that are all chosen, the first, the third and so on."""
    # Before each run of chosen ones stands one that is not.
    chosen = tf.concat([[False], is_best], axis=0)
    run = tf.cumsum(tf.cast(~chosen, tf.int32)) - 1
    place = tf.range(tf.size(chosen))
    start = tf.math.segment_min(place, run)
    is_odd = (place - tf.gather(start, run)) % 2 == 1
    return (chosen & is_odd)[1:]
