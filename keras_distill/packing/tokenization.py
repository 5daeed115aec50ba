"""Runs a KerasHub tokenizer over texts and over single words."""

import dataclasses
import itertools
import os
from concurrent import futures

import keras
import numpy as np

# Texts per call of the tokenizer: large enough to amortise a call, small
# enough to show progress.
_CHUNK = 1024


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
    """The tokenizer inside a TensorFlow graph, several chunks at a time.

    It is twice as fast there as in Python, and serving takes the same path.
    """
    import tensorflow as tf

    from keras_distill.packing.graph_tokenizer import graph_tokenizer

    in_graph = graph_tokenizer(tokenizer)

    def tokens_of(start):
        rows = [
            in_graph(tf.constant(column[start : start + _CHUNK], tf.string))
            for column in texts
        ]
        return [
            Ragged(row.values.numpy(), row.row_lengths().numpy())
            for row in rows
        ]

    with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(tokens_of, range(0, len(texts[0]), _CHUNK))


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


def well_formed(text):
    """A text in which half a surrogate pair is the replacement character.

    Python's strings can hold one, as when JSON was cut in the middle of an
    emoji; UTF-8 and TensorFlow cannot.

    Args:
        text: str.

    Returns:
        str. The same, if there is nothing to replace. Two halves of a pair
        become the character that they stand for.

    Example:

    >>> well_formed("good \\ud83d") == "good \\ufffd"
    True
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        encoded = text.encode("utf-16", "surrogatepass")
        return encoded.decode("utf-16", "replace")
    return text


def tokenize_stream(chunks, tokenizer, workers=None):
    """Runs a tokenizer over texts that need not be in memory together.

    Args:
        chunks: iterable of lists of strings, read once.
        tokenizer: a KerasHub tokenizer.
        workers: int. Chunks that are tokenised at the same time, on the
            TensorFlow backend. Defaults to `None`: as many as suit the
            machine. The order is that of `chunks` whatever it is.

    Yields:
        A `Ragged` of token ids for each chunk.
    """
    chunks = ([well_formed(text) for text in chunk] for chunk in chunks)
    if keras.backend.backend() != "tensorflow":
        for chunk in chunks:
            yield _ragged(tokenizer(chunk))
        return
    import tensorflow as tf

    from keras_distill.packing.graph_tokenizer import graph_tokenizer

    in_graph = graph_tokenizer(tokenizer)
    failures = []

    def read():
        try:
            yield from chunks
        except Exception as error:
            # TensorFlow would make another one of it.
            failures.append(error)

    def ragged(column):
        rows = in_graph(column)
        return rows.values, rows.row_lengths()

    texts = tf.data.Dataset.from_generator(
        read, output_signature=tf.TensorSpec([None], tf.string)
    )
    rows = texts.map(
        tf.autograph.experimental.do_not_convert(ragged),
        num_parallel_calls=workers or tf.data.AUTOTUNE,
        deterministic=True,
    )
    for values, lengths in rows.as_numpy_iterator():
        yield Ragged(values, lengths)
    if failures:
        raise failures[0]


def space_before_word(tokenizer):
    """What stands before each word of a sentence but the first.

    To byte pairs, as RoBERTa has them, the space before a word is part of it,
    and the first word of a text has none. A tokenizer that puts a space
    before every text (`add_prefix_space=True`), one of word pieces and one of
    sentence pieces need nothing.

    Args:
        tokenizer: a KerasHub tokenizer.

    Returns:
        str.
    """
    return " " if getattr(tokenizer, "add_prefix_space", True) is False else ""


def unknown_id(tokenizer):
    """The id of the token for a word of which a tokenizer leaves nothing.

    Args:
        tokenizer: a KerasHub tokenizer.

    Returns:
        int, or `None` if the tokenizer has no such token.
    """
    known = getattr(tokenizer, "unk_token_id", None)
    if known is not None:
        return known
    names = [getattr(tokenizer, "oov_token", None), "<unk>", "[UNK]"]
    vocabulary = set(tokenizer.get_vocabulary())
    for name in names:
        if name in vocabulary:
            return tokenizer.token_to_id(name)
    return None
