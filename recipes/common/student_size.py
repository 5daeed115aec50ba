"""Reads a student's size from the command line."""

from keras_distill import students
from keras_distill.checks.arguments import did_you_mean


def parse_size(text):
    """Reads a student's size: a preset, or such as `4x312x12x1200`.

    Args:
        text: str. A name of `keras_distill.students.PRESETS`; or layers,
            width, heads and, if not 4 times the width, intermediate width.

    Returns:
        dict of arguments of `keras_distill.students.create_student`.

    Raises:
        ValueError: If it is no such text.
    """
    if text in students.PRESETS:
        return {"preset": text}
    parts = text.split("x")
    is_size = len(parts) in (3, 4) and all(
        part.isascii() and part.isdigit() and int(part) for part in parts
    )
    if not is_size:
        raise ValueError(
            "`student` must be a preset "
            f"({', '.join(students.PRESETS)}) or a size such as 4x312x12x1200 "
            f"(layers, width, heads, intermediate width). Received: {text!r}"
            f"{did_you_mean(text, students.PRESETS)}"
        )
    words = ("num_layers", "hidden_dim", "num_heads", "intermediate_dim")
    size = dict(zip(words, map(int, parts), strict=False))
    if size["hidden_dim"] % size["num_heads"]:
        raise ValueError(
            "`student` must have a width that its heads divide. Received: "
            f"{text!r}, num_heads={size['num_heads']} of "
            f"hidden_dim={size['hidden_dim']}"
        )
    return size
