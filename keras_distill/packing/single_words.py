"""How single words are tokenised so that they give a sentence's tokens."""


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
