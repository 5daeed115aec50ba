"""What tells tokenizers apart."""

import hashlib
import json

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
        name: value
        for name, value in tokenizer.get_config().items()
        if name not in _IGNORED
        and isinstance(value, (bool, int, float, str, type(None)))
    }
    vocabulary = list(tokenizer.get_vocabulary())
    content = json.dumps([type(tokenizer).__name__, vocabulary, options])
    return hashlib.sha256(content.encode()).hexdigest()
