"""What tells tokenizers apart."""

from keras_distill.io.hashes import json_hash

# Options that change nothing about the token ids.
_IGNORED = ("dtype", "name", "trainable")


def tokenizer_fingerprint(tokenizer):
    """A hash of a tokenizer's vocabulary and options.

    Args:
        tokenizer: a KerasHub tokenizer.

    Returns:
        str, the same for tokenizers that give the same token ids, or `None`
        if the tokenizer does not show its vocabulary.
    """
    if not hasattr(tokenizer, "get_vocabulary"):
        return None
    options = {
        name: _plain(value)
        for name, value in tokenizer.get_config().items()
        if name not in _IGNORED and not isinstance(value, dict)
    }
    vocabulary = getattr(tokenizer, "vocabulary", None)
    if isinstance(vocabulary, dict):
        # Byte pairs: the order says nothing of the ids.
        vocabulary = sorted(vocabulary.items())
    else:
        vocabulary = list(tokenizer.get_vocabulary())
    content = [type(tokenizer).__name__, vocabulary, options]
    # How texts are normalized and words are split, where the vocabulary alone
    # does not say so: the merges of byte pairs, the scores of sentence pieces,
    # all that a `tokenizer.json` says.
    for name in ("merges", "proto", "description"):
        if getattr(tokenizer, name, None) is not None:
            content.append(repr(getattr(tokenizer, name)))
    return json_hash(content)


def _plain(value):
    """An option as JSON; special tokens come in no order of their own."""
    if isinstance(value, (list, tuple, set)):
        return sorted(map(str, value))
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    return type(value).__name__
