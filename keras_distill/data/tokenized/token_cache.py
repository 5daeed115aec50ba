"""Token ids that are kept on disk."""

import dataclasses
import hashlib

import keras
import keras_hub

from keras_distill.data.tokenized.array_cache import ArrayCache
from keras_distill.io.hashes import json_hash
from keras_distill.packing.array_packing import Ragged
from keras_distill.packing.tokenization import tokenize_and_pack
from keras_distill.packing.tokenizer_fingerprint import tokenizer_fingerprint


def tokenize_once(
    texts, tokenizer, layout, sequence_length, progress=None, cache_dir=None
):
    """`tokenize_and_pack`, or what an earlier call with the same input gave.

    Args:
        texts: tuple of one or two lists of strings.
        tokenizer: a KerasHub tokenizer.
        layout: `keras_distill.packing.Layout`. How a row is packed.
        sequence_length: int. The most tokens per row, special ones included.
        progress: function of the rows done and the rows in all, called while
            rows are tokenised. Defaults to `None`.
        cache_dir: path of the folder that keeps the token ids, a file for
            each input. Defaults to `None`, which keeps nothing.

    Returns:
        The packed rows as `Ragged`, and an int64 array of how many tokens of
        each row belong to its first text.

    Raises:
        ValueError: a tokenizer that does not show its vocabulary cannot be
            told from others, so `cache_dir` must be `None`.
    """

    def tokenize():
        return tokenize_and_pack(
            texts, tokenizer, layout, sequence_length, progress
        )

    if cache_dir is None:
        return tokenize()

    def make():
        rows, first_lengths = tokenize()
        return {
            "values": rows.values,
            "lengths": rows.lengths,
            "first_lengths": first_lengths,
        }

    key = _fingerprint(texts, tokenizer, layout, sequence_length)
    arrays = ArrayCache(cache_dir).get(key, make)
    rows = Ragged(arrays["values"], arrays["lengths"])
    return rows, arrays["first_lengths"]


def texts_fingerprint(texts):
    """A hash of columns of texts.

    Args:
        texts: tuple of lists of strings.

    Returns:
        str.
    """
    digest = hashlib.sha256()
    for column in texts:
        digest.update(f"{len(column)};".encode())
        for text in column:
            data = text.encode("utf-8", "surrogatepass")
            # With its length, no text runs into the next.
            digest.update(b"%d;" % len(data))
            digest.update(data)
    return digest.hexdigest()


def _fingerprint(texts, tokenizer, layout, sequence_length):
    """A hash of all that the token ids depend on."""
    of_tokenizer = tokenizer_fingerprint(tokenizer)
    if of_tokenizer is None:
        raise ValueError(
            "`cache_dir` needs a tokenizer that shows its vocabulary, as "
            f"KerasHub's do. Received: {type(tokenizer).__name__}; leave "
            "`cache_dir` out."
        )
    content = [
        of_tokenizer,
        dataclasses.asdict(layout),
        int(sequence_length),
        texts_fingerprint(texts),
        keras_hub.__version__,
        # TensorFlow's tokenizer knows other Unicode tables than Python's.
        keras.backend.backend() == "tensorflow",
    ]
    return json_hash(content)
