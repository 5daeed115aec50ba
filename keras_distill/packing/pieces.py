"""Cuts words into pieces of a vocabulary, in a TensorFlow graph."""

import functools

import numpy as np

from keras_distill.packing.unigram import Viterbi
from keras_distill.packing.unigram import has_repeats

# Bytes of the longest character in UTF-8.
_BYTES = 4


class WordPieces:
    """The longest piece that fits, from left to right, as BERT cuts words.

    Args:
        model: dict of the model, as in `tokenizer.json`.
        vocabulary: list of the tokens by id.
    """

    def __init__(self, model, vocabulary):
        import tensorflow_text as tf_text

        self._longest = model["max_input_chars_per_word"]
        self._unknown = model["unk_token"]
        self._tokenizer = tf_text.FastWordpieceTokenizer(
            vocab=vocabulary,
            suffix_indicator=model["continuing_subword_prefix"],
            unknown_token=self._unknown,
            token_out_type="int32",
            no_pretokenization=True,
            # The limit is one of characters, not of bytes: see below.
            max_bytes_per_word=_BYTES * max(self._longest, 1) + 1,
        )

    def __call__(self, words, lengths):
        """Returns an int32 `tf.RaggedTensor` `(words, pieces)`."""
        import tensorflow as tf

        is_long = lengths > self._longest
        words = tf.cond(
            tf.reduce_any(is_long),
            lambda: tf.where(is_long, self._unknown, words),
            lambda: words,
        )
        different, places = tf.unique(words)
        return tf.gather(self._tokenizer.tokenize(different), places)


class BytePairs:
    """Merges pairs of bytes in the order in which they were learnt.

    Args:
        model: dict of the model, as in `tokenizer.json`.
        vocabulary: list of the tokens by id.
    """

    def __init__(self, model, vocabulary):
        ids = {token: number for number, token in enumerate(vocabulary)}
        unknown = ids.get(model.get("unk_token"), -1)
        self._of_byte = np.array(
            [ids.get(character, unknown) for character in byte_characters()],
            "int32",
        )
        self._merge = PairMerges(
            [
                (ids[first], ids[second], ids[first + second])
                for first, second in model["merges"]
            ],
            len(vocabulary),
        )

    def __call__(self, words, lengths):
        """Returns an int32 `tf.RaggedTensor` `(words, pieces)`."""
        import tensorflow as tf

        different, places = tf.unique(words)
        tokens, owners = bytes_of_words(different)
        tokens = tf.gather(self._of_byte, tokens)
        # Bytes that the vocabulary lacks are left out.
        known = tokens >= 0
        pieces = self._merge(
            tf.boolean_mask(tokens, known),
            tf.boolean_mask(owners, known),
            tf.size(different, tf.int64),
        )
        return tf.gather(pieces, places)


def bytes_of_words(words):
    """The bytes of words one after another, and the number of each's word."""
    import tensorflow as tf

    tokens = tf.io.decode_raw(tf.strings.reduce_join(words), tf.uint8)
    owners = tf.repeat(tf.range(tf.size(words)), tf.strings.length(words))
    return tf.cast(tokens, "int32"), owners


class PairMerges:
    """Merges neighbours within words, those of the lowest rank first.

    Everything is numbers: no string is looked up, so that a graph holds
    constants alone.

    Args:
        merges: list of `(first, second, merged)`, numbers of symbols, in the
            order of their ranks.
        num_symbols: int.
    """

    def __init__(self, merges, num_symbols):
        self._size = num_symbols + 1
        ranks = {}
        for rank, (first, second, merged) in enumerate(merges):
            key = (first + 1) * self._size + second + 1
            ranks.setdefault(key, (rank, merged))
        self._keys = np.array(sorted(ranks) or [0], "int64")
        found = [ranks.get(key, (0, 0)) for key in self._keys.tolist()]
        self._ranks = np.array([rank for rank, _ in found], "int32")
        self._merged = np.array([symbol for _, symbol in found], "int32")

    def __call__(self, symbols, owners, num_words):
        """Merges the symbols of words, which lie one after another.

        Args:
            symbols: int32 tensor `(n,)`.
            owners: int32 tensor `(n,)`, each one's word, ascending.
            num_words: int64 scalar.

        Returns:
            int32 `tf.RaggedTensor` `(num_words, pieces)`.
        """
        import tensorflow as tf

        none = tf.zeros([0], "int32")
        # Ranks count all merges, also one that is there twice.
        last = int(self._ranks.max()) + 1

        def step(tokens, owners, done, done_owners):
            key = (tf.cast(tokens[:-1], "int64") + 1) * self._size
            key += tf.cast(tokens[1:], "int64") + 1
            place = tf.searchsorted(self._keys, key)
            place = tf.minimum(place, len(self._keys) - 1)
            is_pair = (tf.gather(self._keys, place) == key) & (
                owners[:-1] == owners[1:]
            )
            rank = tf.where(is_pair, tf.gather(self._ranks, place), last)
            rank = tf.concat([rank, [last]], 0)
            # `owners` ascend, with gaps where a word is done.
            is_next = tf.cast(owners[1:] != owners[:-1], "int32")
            word = tf.concat([[0], tf.cumsum(is_next)], 0)
            best = tf.gather(tf.math.segment_min(rank, word), word)
            is_open = best < last
            chosen = is_open & (rank == best)
            chosen = _every_other(chosen)
            merged = tf.concat([tf.gather(self._merged, place), [0]], 0)
            tokens_after = tf.where(chosen, merged, tokens)
            kept = ~tf.concat([[False], chosen[:-1]], 0)
            # Words without a pair to merge leave the loop.
            goes_on = kept & is_open
            return (
                tf.boolean_mask(tokens_after, goes_on),
                tf.boolean_mask(owners, goes_on),
                tf.concat([done, tf.boolean_mask(tokens, ~is_open)], 0),
                tf.concat([done_owners, tf.boolean_mask(owners, ~is_open)], 0),
            )

        shape = tf.TensorShape([None])
        _, _, tokens, owners = tf.while_loop(
            lambda tokens, *_: tf.size(tokens) > 0,
            step,
            (symbols, owners, none, none),
            shape_invariants=(shape,) * 4,
        )
        order = tf.argsort(owners, stable=True)
        return tf.RaggedTensor.from_value_rowids(
            tf.gather(tokens, order),
            tf.cast(tf.gather(owners, order), "int64"),
            nrows=num_words,
            validate=False,
        )


def _every_other(chosen):
    """Of pairs that overlap, as in `aaa`, the first, third and so on."""
    import tensorflow as tf

    before = tf.concat([[False], chosen[:-1]], 0)
    begins = chosen & ~before
    place = tf.range(tf.size(chosen))
    first = tf.boolean_mask(place, begins)
    run = tf.maximum(tf.cumsum(tf.cast(begins, "int32")) - 1, 0)
    # The zero is for texts in which no pair was chosen.
    first = tf.gather(tf.concat([first, [0]], 0), run)
    return chosen & ((place - first) % 2 == 0)


class SentencePieces:
    """The likeliest pieces, as SentencePiece's unigram model cuts words.

    Args:
        model: dict of the model, as in `tokenizer.json`.
    """

    def __init__(self, model):
        import tensorflow_text as tf_text

        self._model = model
        self.tokenizer = tf_text.SentencepieceTokenizer(
            model=unigram_proto(model), out_type="int32"
        )

    @functools.cached_property
    def _viterbi(self):
        pieces, scores = zip(*self._model["vocab"], strict=True)
        return Viterbi(pieces, scores, self._model["unk_id"])

    def __call__(self, words, lengths):
        """Returns an int32 `tf.RaggedTensor` `(words, pieces)`."""
        import tensorflow as tf

        different, places = tf.unique(words, tf.int64)
        count = tf.size(different, tf.int64)
        pieces = self.tokenizer.tokenize(different)
        # A part that repeats fits into a piece.
        is_open = has_repeats(different, self._viterbi.longest - 1)

        def decide():
            chosen = tf.where(is_open)[:, 0]
            exact = self._viterbi(tf.gather(different, chosen))
            both = tf.concat([pieces, exact], axis=0)
            rows = tf.tensor_scatter_nd_update(
                tf.range(count),
                chosen[:, None],
                count + tf.range(tf.size(chosen, tf.int64)),
            )
            return both.values, both.row_splits, rows

        values, splits, rows = tf.cond(
            tf.reduce_any(is_open),
            decide,
            lambda: (pieces.values, pieces.row_splits, tf.range(count)),
        )
        pieces = tf.RaggedTensor.from_row_splits(
            tf.ensure_shape(values, [None]), splits, validate=False
        )
        return tf.gather(pieces, tf.gather(rows, places))


def unigram_proto(model):
    """A SentencePiece model of the pieces in `tokenizer.json`.

    Its ids are the places of the pieces. It changes no text, since texts are
    normalized before.

    Args:
        model: dict of the model, as in `tokenizer.json`.

    Returns:
        bytes.
    """
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    kinds = proto.SentencePiece
    for number, (piece, score) in enumerate(model["vocab"]):
        entry = proto.pieces.add()
        entry.piece, entry.score = piece, score
        if number == model["unk_id"]:
            entry.type = kinds.UNKNOWN
    trainer, normalizer = proto.trainer_spec, proto.normalizer_spec
    trainer.model_type = trainer.UNIGRAM
    trainer.vocab_size = len(proto.pieces)
    trainer.unk_id = model["unk_id"]
    trainer.bos_id = trainer.eos_id = trainer.pad_id = -1
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = False
    normalizer.remove_extra_whitespaces = False
    normalizer.escape_whitespaces = False
    return proto.SerializeToString()


def byte_characters():
    """The characters that stand for the 256 bytes in byte-level pieces."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = iter(range(256, 512))
    return [
        chr(byte) if byte in printable else chr(next(others))
        for byte in range(256)
    ]
