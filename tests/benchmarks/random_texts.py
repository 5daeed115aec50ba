"""Random texts as long as SST-2's, and a tokenizer that knows their words."""

import itertools

import keras_hub
import numpy as np

from keras_distill import tasks

_SEED = 0
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# No word ends in the suffix, which is a token of its own.
_SUFFIX = "s"
_LETTERS = "abcdefghijklmnopqrtuvwxyz"
# One token in so many is a suffix.
_SUFFIX_EVERY = 7

# Tokens of the rows of SST-2's training split, special ones included.
_SHARES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
_LENGTHS = (3, 4, 6, 7, 8, 10, 13, 16, 20, 27, 33, 44, 64)


def make_tokenizer(options):
    """Builds a WordPiece tokenizer of `options.vocabulary_size` tokens."""
    return keras_hub.models.BertTokenizer(
        [*_SPECIAL, f"##{_SUFFIX}", *_words(options)], lowercase=True
    )


def make_examples(count, options):
    """Returns labelled rows.

    Args:
        count: int. The number of rows.
        options: Namespace of `options.make_parser`. Longer rows are cut to
            its length.

    Returns:
        `keras_distill.tasks.Examples`.
    """
    random = np.random.default_rng(_SEED)
    lengths = np.interp(random.random(count), _SHARES, _LENGTHS)
    lengths = np.minimum(lengths.astype(int), options.length)
    words = np.array(_words(options))
    texts = [_text(words, length - 2, random) for length in lengths]
    return tasks.Examples((texts,), random.integers(0, 2, count))


def _text(words, length, random):
    """A text of so many tokens."""
    num_suffixes = length // _SUFFIX_EVERY
    chosen = random.choice(words, length - num_suffixes).tolist()
    for place in range(num_suffixes):
        chosen[place] += _SUFFIX
    return " ".join(chosen)


def _words(options):
    count = options.vocabulary_size - len(_SPECIAL) - 1
    letters = itertools.product(_LETTERS, repeat=4)
    return ["".join(word) for word in itertools.islice(letters, count)]
