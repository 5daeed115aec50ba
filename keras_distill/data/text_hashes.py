"""What tells rows by their raw texts, whoever tokenises them."""

import hashlib

import numpy as np


def text_hashes(examples):
    """Hashes the raw text of each row.

    A row's hash depends on its texts alone: not on its place or id, nor on a
    tokenizer. What is kept for a row, such as a teacher's answer, is told by
    it from what belongs to another text.

    Args:
        examples: `Examples` or `TaggedExamples`; or what was tokenised of
            them, which keeps the hashes as its `text_hashes`.

    Returns:
        uint64 array, one hash for each row, the same in every process.

    Example:

    >>> import keras_distill
    >>> examples = keras_distill.tasks.Examples((["good", "bad", "good"],))
    >>> first, second, third = keras_distill.data.text_hashes(examples)
    >>> bool(first == third), bool(first == second)
    (True, False)
    """
    known = getattr(examples, "text_hashes", None)
    if known is not None:
        return known
    rows = (
        examples.words
        if hasattr(examples, "words")
        else zip(*examples.texts, strict=True)
    )
    return np.fromiter(map(_hash, rows), "uint64", len(examples))


def _hash(texts):
    digest = hashlib.blake2b(digest_size=8)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        # With its length, no text runs into the next.
        digest.update(b"%d;" % len(data))
        digest.update(data)
    return int.from_bytes(digest.digest(), "little")
