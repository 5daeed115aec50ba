"""Reads which teacher layers a student learns from."""

from keras_distill import layer_map

_NAMES = ("uniform", "last", "first")


def parse_layer_map(text):
    """Reads a layer map: a name, or the teacher's layers by number.

    Args:
        text: str. `"uniform"`, `"last"` or `"first"`; or such as `"2,3,5,6"`,
            the teacher's layer for each of the student's, from the first on.

    Returns:
        Layer map, as `keras_distill.layer_map` has them.

    Raises:
        ValueError: If it is no such text.
    """
    if text in _NAMES:
        return getattr(layer_map, text)
    layers = text.split(",")
    if not all(one.isascii() and one.isdigit() and int(one) for one in layers):
        raise ValueError(
            f"--layer-map must be {', '.join(_NAMES)} or layers of the "
            "teacher, from 1 on, such as 2,3,5,6: one for each layer of the "
            f"student. Received: {text!r}"
        )
    return layer_map.explicit(
        [(student, int(one)) for student, one in enumerate(layers, start=1)]
    )


def check_layer_map(text, student):
    """Raises unless a list of layers has one for each of the student's.

    Args:
        text: str, as `parse_layer_map` takes it.
        student: KerasHub task.
    """
    depth = student.backbone.num_layers
    if text not in _NAMES and len(text.split(",")) != depth:
        raise ValueError(
            "--layer-map must have a layer of the teacher for each of the "
            f"student's {depth}. Received: {text}"
        )
