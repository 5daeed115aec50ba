"""Embeds texts block by block, and keeps the blocks on disk."""

import itertools

from keras_distill.data.examples import Examples
from keras_distill.data.tokenized.token_cache import ArrayCache
from keras_distill.data.tokenized.token_cache import texts_fingerprint
from keras_distill.io.hashes import bytes_hash

# Texts that are embedded, kept and compared together: enough to put those of
# about the same length into a batch.
BLOCK = 4096


def embed(rows, encoder, cache_dir=None):
    """Yields blocks of texts with their embeddings.

    Args:
        rows: iterable of tuples of one or two strings.
        encoder: `SentenceEncoder`.
        cache_dir: path of a folder that keeps each block's embeddings under
            a hash of the block's texts and of the encoder. Defaults to
            `None`, which keeps nothing.

    Yields:
        Pairs of a list of rows and a float16 array of their embeddings.
    """
    cache = None if cache_dir is None else ArrayCache(cache_dir)
    rows = iter(rows)
    while block := list(itertools.islice(rows, BLOCK)):
        yield block, _embed_block(block, encoder, cache)


def _embed_block(block, encoder, cache):
    texts = tuple(map(list, zip(*block, strict=True)))

    def make():
        # Half the space, and cosines that are right to three digits.
        embeddings = encoder.encode(Examples(texts)).astype("float16")
        return {"embeddings": embeddings}

    if cache is None:
        return make()["embeddings"]
    content = encoder.fingerprint + texts_fingerprint(texts)
    key = bytes_hash(content.encode())
    return cache.get(key, make)["embeddings"]
