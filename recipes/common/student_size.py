"""Reads a student's size from the command line."""

from keras_distill import students
from keras_distill.checks.arguments import did_you_mean
from recipes.common.mobilebert_size import NAMES
from recipes.common.mobilebert_size import STUDENT
from recipes.common.mobilebert_size import parse_architecture

# Before the size of a MobileBERT.
_MOBILEBERT = "mobilebert:"


def parse_size(text):
    """Reads a student's size: a preset, or such as `4x312x12x1200`.

    Args:
        text: str. A name of `keras_distill.students.PRESETS`; or layers,
            width, heads and, if not 4 times the width, intermediate width. Of
            a MobileBERT its name, or `mobilebert:6x512x12x96x384x4`, as
            `parse_architecture` takes it.

    Returns:
        dict of arguments of `keras_distill.students.create_student`; of a
        MobileBERT those of `create_mobilebert_student`, with `"architecture"`
        in place of its `preset`.

    Raises:
        ValueError: If it is no such text.
    """
    if text in students.PRESETS:
        return {"preset": text}
    if text in NAMES or text.startswith(_MOBILEBERT):
        name, size = parse_architecture(
            "student", text.removeprefix(_MOBILEBERT), STUDENT
        )
        return {"architecture": name, **size}
    parts = text.split("x")
    is_size = len(parts) in (3, 4) and all(
        part.isascii() and part.isdigit() and int(part) for part in parts
    )
    if not is_size:
        raise ValueError(
            "`student` must be a preset "
            f"({', '.join(students.PRESETS)}) or a size such as 4x312x12x1200 "
            "(layers, width, heads, intermediate width), or a MobileBERT: "
            f"{', '.join(NAMES)} or mobilebert:<size>. Received: {text!r}"
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
