"""Reads a student's size from the command line."""

from keras_distill import students


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
    if len(parts) not in (3, 4) or not all(part.isdigit() for part in parts):
        raise ValueError(
            "`student` must be a preset "
            f"({', '.join(students.PRESETS)}) or a size such as 4x312x12x1200 "
            f"(layers, width, heads, intermediate width). Received: {text!r}"
        )
    words = ("num_layers", "hidden_dim", "num_heads", "intermediate_dim")
    return dict(zip(words, map(int, parts), strict=False))
