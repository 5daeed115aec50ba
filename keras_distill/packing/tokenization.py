"""Runs a KerasHub tokenizer over texts."""

import itertools

import keras
import numpy as np

from keras_distill.packing import well_formed
from keras_distill.packing.array_packing import Ragged
from keras_distill.packing.array_packing import pack

# Texts per call of the tokenizer: large enough to amortise a call, small
# enough to show progress.
_CHUNK = 1024


def tokenize_and_pack(texts, tokenizer, layout, sequence_length, progress=None):
    """Tokenises and packs rows of one or two texts, chunk by chunk.

    Args:
        texts: tuple of one or two lists of strings.
        tokenizer: a KerasHub tokenizer.
        layout: `keras_distill.packing.Layout`. How a row is packed.
        sequence_length: int. The most tokens per row, special ones included.
        progress: function of the rows done and the rows in all. Defaults to
            `None`.

    Returns:
        The packed rows as `Ragged`, and an int64 array of how many tokens of
        each row belong to its first text.
    """
    values = [np.zeros(0, dtype="int32")]
    lengths = [np.zeros(0, dtype="int64")]
    first_lengths = [np.zeros(0, dtype="int64")]
    done = 0
    for chunk in tokenize(texts, tokenizer):
        rows, first = pack(chunk, layout, sequence_length)
        values.append(rows.values)
        lengths.append(rows.lengths)
        first_lengths.append(first)
        done += len(first)
        if progress is not None:
            progress(done, len(texts[0]))
    rows = Ragged(np.concatenate(values), np.concatenate(lengths))
    return rows, np.concatenate(first_lengths)


def tokenize(texts, tokenizer):
    """Runs a tokenizer over texts, chunk by chunk.

    Half of a surrogate pair is read as the replacement character.

    Args:
        texts: tuple of lists of strings.
        tokenizer: a KerasHub tokenizer.

    Yields:
        Per chunk of rows, a list of a `Ragged` of token ids for each text.
    """
    texts = [[well_formed(text) for text in column] for column in texts]
    if keras.backend.backend() == "tensorflow":
        return _tokenize_in_graph(texts, tokenizer)
    return _tokenize_in_python(texts, tokenizer)


def _tokenize_in_graph(texts, tokenizer):
    """The tokenizer inside a `tf.data` graph.

    It is twice as fast there as in Python, and serving takes the same path.
    """
    import tensorflow as tf

    def ragged(*columns):
        tokens = [tokenizer(column) for column in columns]
        return [(row.values, row.row_lengths()) for row in tokens]

    columns = tuple(tf.constant(column, tf.string) for column in texts)
    chunks = tf.data.Dataset.from_tensor_slices(columns).batch(_CHUNK)
    # Tokenizers are made of TensorFlow's own control flow; to look for
    # Python's takes longer than tokenising a small data set.
    ragged = tf.autograph.experimental.do_not_convert(ragged)
    chunks = chunks.map(ragged, num_parallel_calls=tf.data.AUTOTUNE)
    for chunk in chunks.as_numpy_iterator():
        yield [Ragged(values, lengths) for values, lengths in chunk]


def _tokenize_in_python(texts, tokenizer):
    """The tokenizer without TensorFlow, which need not be installed.

    The ids are the same but for punctuation that is newer than the Unicode
    tables of TensorFlow.
    """
    for start in range(0, len(texts[0]), _CHUNK):
        yield [
            _ragged(tokenizer(list(column[start : start + _CHUNK])))
            for column in texts
        ]


def _ragged(rows):
    lengths = np.array([len(row) for row in rows], dtype="int64")
    tokens = itertools.chain.from_iterable(rows)
    values = np.fromiter(tokens, dtype="int32", count=lengths.sum())
    return Ragged(values, lengths)
