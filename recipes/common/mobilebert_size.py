"""Reads the size of a MobileBERT, or of its teacher, from the command line."""

STUDENT, TEACHER = "mobilebert", "ib_bert_large"
NAMES = (STUDENT, "mobilebert_paper", "mobilebert_tiny", TEACHER)
_WORDS = (
    *("num_layers", "hidden_dim", "num_heads", "intra_dim"),
    *("intermediate_dim", "num_feedforward_networks"),
)


def parse_architecture(name, text, base):
    """Reads a size: a name, or such as `6x256x4x64x256x4`.

    Args:
        name: str. How the caller calls it, for the message.
        text: str. One of `NAMES`; or blocks, width between them, heads, width
            inside them, width of their feed-forward networks and, if not 4
            for a student and 1 for a teacher, how many of these a block has.
        base: str. The one of `NAMES` that has all else.

    Returns:
        Name, and dict of arguments of `MobileBertBackbone` that differ.

    Raises:
        ValueError: If it is no such text.
    """
    if text in NAMES:
        return text, {}
    parts = text.split("x")
    is_size = len(parts) in (5, 6) and all(
        part.isascii() and part.isdigit() and int(part) for part in parts
    )
    if not is_size:
        raise ValueError(
            f"`{name}` must be one of {', '.join(NAMES)}, or a size such as "
            "6x256x4x64x256x4 (blocks, width between them, heads, width "
            "inside them, width of their feed-forward networks, number of "
            f"these in a block). Received: {text!r}"
        )
    size = dict(zip(_WORDS, map(int, parts), strict=False))
    if size["intra_dim"] % size["num_heads"]:
        raise ValueError(
            f"`{name}` must have a width inside its blocks that its heads "
            f"divide. Received: {text!r}, num_heads={size['num_heads']} of "
            f"intra_dim={size['intra_dim']}"
        )
    return base, size
