"""A tokenizer as it is saved in the graph of a served model.

`keras_hub.tokenizers.BytePairTokenizer` remembers every word that it has seen
in a table: in a server that grows as long as there are requests, and in a
SavedModel it would hold the words that the model was trained on. What stands
here gives the same ids and remembers nothing.
"""

import operator
import types
import weakref

import keras_hub
import tensorflow as tf

# KerasHub exports the rules by which texts are cut under no public name.
from keras_hub.src.tokenizers.byte_pair_tokenizer import bytes_to_unicode
from keras_hub.src.tokenizers.byte_pair_tokenizer import split_strings_for_bpe

from keras_distill.packing.pieces import PairMerges
from keras_distill.packing.pieces import bytes_of_words

_Resource = tf.saved_model.experimental.TrackableResource
# What a tokenizer may refer to, but is not made of.
_NO_PARTS = (type, types.ModuleType, types.FunctionType, tf.Tensor)


# What was traced for a tokenizer, beside what it was made of then.
_TRACED = weakref.WeakKeyDictionary()
# Where tokenizers keep their vocabularies.
_VOCABULARIES = ("vocabulary", "merges", "proto", "_parts")


def graph_tokenizer(tokenizer):
    """What turns texts into token ids in the graph.

    There is one for a tokenizer, for training, for raw text and for serving:
    to trace takes longer than to tokenise a small data set. It is traced anew
    if the tokenizer has changed.

    Args:
        tokenizer: a KerasHub tokenizer, or any that can be called in a
            `tf.function`.

    Returns:
        `GraphTokenizer`.
    """
    if not isinstance(tokenizer, keras_hub.tokenizers.Tokenizer):
        return GraphTokenizer(tokenizer)
    config = tokenizer.get_config()
    parts = [getattr(tokenizer, name, None) for name in _VOCABULARIES]
    if tokenizer in _TRACED:
        its_config, its_parts, traced = _TRACED[tokenizer]
        if its_config == config and all(map(operator.is_, its_parts, parts)):
            return traced
    if _cuts_as_keras_hub(tokenizer):
        traced = GraphTokenizer(_BytePairs(tokenizer))
    else:
        # What is kept of a tokenizer must not keep it.
        traced = GraphTokenizer(weakref.proxy(tokenizer))
    _TRACED[tokenizer] = config, parts, traced
    return traced


class GraphTokenizer:
    """A function of a string tensor `(batch,)`, traced once.

    It gives an integer `tf.RaggedTensor` `(batch, None)`.

    Args:
        tokenize: what does so in a graph.
    """

    def __init__(self, tokenize):
        self._tokenize = tokenize
        self._traced = tf.function(
            lambda texts: tokenize(texts),
            input_signature=[tf.TensorSpec([None], tf.string)],
            # Tokenizers are made of TensorFlow's own control flow; to look
            # for Python's takes long.
            autograph=False,
        )
        # Whatever graph is being made: it is to be called from others too.
        with tf.init_scope():
            self._traced.get_concrete_function()

    def __call__(self, texts):
        return self._traced(texts)

    @property
    def resources(self):
        """The tables and models that a SavedModel must hold, as a list."""
        return _resources_of(self._tokenize)


def _resources_of(tokenizer):
    """The trackable resources that hang on an object, as a list."""
    found, seen, open_ = [], set(), [tokenizer]
    while open_:
        value = open_.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, _Resource):
            found.append(value)
        elif isinstance(value, dict):
            open_.extend(value.values())
        elif isinstance(value, (list, tuple, set)):
            open_.extend(value)
        elif not isinstance(value, _NO_PARTS):
            open_.extend(getattr(value, "__dict__", {}).values())
    return found


_NO_TOKEN = -1


def _cuts_as_keras_hub(tokenizer):
    """Whether a tokenizer is KerasHub's byte pairs, with its own rules."""
    base = keras_hub.tokenizers.BytePairTokenizer
    return isinstance(tokenizer, base) and all(
        getattr(type(tokenizer), name) is getattr(base, name)
        for name in ("call", "tokenize", "_tokenize_tf")
    )


class _BytePairs(tf.Module):
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
        self._ids = tf.constant(
            [vocabulary.get(symbol, _NO_TOKEN) for symbol in symbols], tf.int32
        )
        self._merge = PairMerges(
            [
                (symbols[first], symbols[second], symbols[first + second])
                for first, second in pairs
            ],
            len(symbols),
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
        symbols, owners = bytes_of_words(tf.where(is_special, "", words))
        symbols = self._merge(symbols, owners, tf.size(words, tf.int64))
        pieces = symbols.with_values(tf.gather(self._ids, symbols.values))
        alone = tf.RaggedTensor.from_row_lengths(
            tf.boolean_mask(special, is_special), tf.cast(is_special, tf.int64)
        )
        return tf.concat([pieces, alone], axis=1)


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
