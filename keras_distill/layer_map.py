"""Which teacher layer each student layer learns from.

A layer map is a callable `(num_student_layers, num_teacher_layers) -> pairs`.
Pairs are `(student layer, teacher layer)`, counted from 1: layer `m` is the
output of the m-th transformer layer. Layer 0 is the output of the embeddings.

Sources: `uniform`, `last` and `first` are those of TinyBERT (Jiao et al. 2020,
https://arxiv.org/abs/1909.10351), where they are called uniform, top and
bottom; `top_aligned` is that of the official code of XtremeDistilTransformers
(https://github.com/microsoft/xtreme-distil-transformers).
"""

import keras

from keras_distill.checks.arguments import Number
from keras_distill.checks.arguments import check_int

_PACKAGE = "keras_distill"


@keras.saving.register_keras_serializable(_PACKAGE, "uniform")
def uniform(num_student_layers, num_teacher_layers):
    """Spreads the student's layers evenly: student `m` <- teacher `m * N / M`.

    The last student layer always learns from the last teacher layer.

    Args:
        num_student_layers: int. `M`, the depth of the student.
        num_teacher_layers: int. `N`, the depth of the teacher, a multiple
            of `M`.

    Returns:
        Tuple of `(student layer, teacher layer)` pairs, counted from 1.

    Raises:
        ValueError: If `N` is not a multiple of `M`.

    Example:

    >>> from keras_distill import layer_map
    >>> layer_map.uniform(4, 12)
    ((1, 3), (2, 6), (3, 9), (4, 12))
    """
    _check_depths(num_student_layers, num_teacher_layers)
    if num_teacher_layers % num_student_layers:
        nearest = [
            depth
            for depth in range(1, num_teacher_layers + 1)
            if num_teacher_layers % depth == 0
        ]
        raise ValueError(
            "`layer_map.uniform` needs a teacher whose depth is a multiple of "
            f"the student's. Received: {num_student_layers} student layers "
            f"and {num_teacher_layers} teacher layers. Use a student of "
            f"{', '.join(map(str, nearest))} layers, `layer_map.last`, "
            "`layer_map.first`, or name the pairs with `layer_map.explicit`."
        )
    step = num_teacher_layers // num_student_layers
    return tuple((m, m * step) for m in range(1, num_student_layers + 1))


@keras.saving.register_keras_serializable(_PACKAGE, "last")
def last(num_student_layers, num_teacher_layers):
    """Maps the student onto the teacher's top: student `m` <- `m + N - M`.

    Args:
        num_student_layers: int. `M`, the depth of the student.
        num_teacher_layers: int. `N`, the depth of the teacher, at least `M`.

    Returns:
        Tuple of `(student layer, teacher layer)` pairs, counted from 1.

    Example:

    >>> from keras_distill import layer_map
    >>> layer_map.last(4, 12)
    ((1, 9), (2, 10), (3, 11), (4, 12))
    """
    _check_depths(num_student_layers, num_teacher_layers)
    shift = num_teacher_layers - num_student_layers
    return tuple((m, m + shift) for m in range(1, num_student_layers + 1))


@keras.saving.register_keras_serializable(_PACKAGE, "top_aligned")
def top_aligned(num_student_layers, num_teacher_layers):
    """Maps the student, embeddings included, onto the teacher's top.

    `last`, and below it the student's embeddings on the teacher layer that
    comes next: student `m` <- `m + N - M` for `m` from 0. Losses on attention
    leave the pair of layer 0 out, since embeddings have no attention.

    Args:
        num_student_layers: int. `M`, the depth of the student.
        num_teacher_layers: int. `N`, the depth of the teacher, at least `M`.

    Returns:
        Tuple of `(student layer, teacher layer)` pairs, the first one
        `(0, N - M)`.

    Example:

    >>> from keras_distill import layer_map
    >>> layer_map.top_aligned(3, 12)
    ((0, 9), (1, 10), (2, 11), (3, 12))
    """
    pairs = last(num_student_layers, num_teacher_layers)
    return ((0, num_teacher_layers - num_student_layers), *pairs)


@keras.saving.register_keras_serializable(_PACKAGE, "first")
def first(num_student_layers, num_teacher_layers):
    """Maps the student onto the teacher's bottom: student `m` <- `m`.

    Args:
        num_student_layers: int. `M`, the depth of the student.
        num_teacher_layers: int. `N`, the depth of the teacher, at least `M`.

    Returns:
        Tuple of `(student layer, teacher layer)` pairs, counted from 1.

    Example:

    >>> from keras_distill import layer_map
    >>> layer_map.first(4, 12)
    ((1, 1), (2, 2), (3, 3), (4, 4))
    """
    _check_depths(num_student_layers, num_teacher_layers)
    return tuple((m, m) for m in range(1, num_student_layers + 1))


@keras.saving.register_keras_serializable(_PACKAGE, "last_layer")
def last_layer(num_student_layers, num_teacher_layers):
    """Maps only the last student layer onto the last teacher layer.

    MiniLM's choice (Wang et al. 2020, https://arxiv.org/abs/2002.10957); it
    leaves the depths free.

    Args:
        num_student_layers: int. The depth of the student.
        num_teacher_layers: int. The depth of the teacher.

    Returns:
        Tuple of one `(student layer, teacher layer)` pair, counted from 1.

    Example:

    >>> from keras_distill import layer_map
    >>> layer_map.last_layer(4, 12)
    ((4, 12),)
    """
    return ((num_student_layers, num_teacher_layers),)


@keras.saving.register_keras_serializable(_PACKAGE, "explicit")
class explicit:
    """Names every pair by hand.

    Args:
        pairs: Iterable of `(student layer, teacher layer)` pairs, or a dict
            `{student layer: teacher layer}`. Layers count from 1; 0 is the
            output of the embeddings. A student layer may appear more than
            once, to learn from several teacher layers.

    Raises:
        ValueError: If `pairs` is empty or holds anything but two
            non-negative integers a pair; when called, if a layer lies outside
            of the models.

    Example:

    >>> from keras_distill import layer_map
    >>> layer_map.explicit([(1, 2), (2, 5)])(2, 5)
    ((1, 2), (2, 5))
    """

    def __init__(self, pairs):
        items = tuple(pairs.items() if isinstance(pairs, dict) else pairs)
        if not items or not all(_is_pair(pair) for pair in items):
            raise ValueError(
                "`pairs` must hold at least one pair of (student layer, "
                "teacher layer), both integers of 0 or more. "
                f"Received: pairs={pairs}"
            )
        self.pairs = tuple(tuple(pair) for pair in items)

    def __call__(self, num_student_layers, num_teacher_layers):
        for student_layer, teacher_layer in self.pairs:
            if student_layer > num_student_layers:
                raise ValueError(
                    f"`pairs` names student layer {student_layer}, but the "
                    f"student has {num_student_layers} layers."
                )
            if teacher_layer > num_teacher_layers:
                raise ValueError(
                    f"`pairs` names teacher layer {teacher_layer}, but the "
                    f"teacher has {num_teacher_layers} layers."
                )
        return self.pairs

    def __repr__(self):
        return f"explicit({list(self.pairs)})"

    def get_config(self):
        return {"pairs": [list(pair) for pair in self.pairs]}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def check_layer_map(layer_map):
    """Raises on what pairs no layers.

    Args:
        layer_map: What was received as `layer_map`.

    Raises:
        ValueError: If it is no function, such as a name or a list of pairs.
    """
    if not callable(layer_map):
        raise ValueError(
            "`layer_map` must be a function of `keras_distill.layer_map`, "
            "such as layer_map.uniform, or layer_map.explicit([(1, 2), ...]) "
            f"of your own pairs. Received: layer_map={layer_map!r}"
        )


def _is_pair(pair):
    return (
        isinstance(pair, (tuple, list))
        and len(pair) == 2
        and all(map(Number(int, minimum=0).accepts, pair))
    )


def _check_depths(num_student_layers, num_teacher_layers):
    check_int("num_student_layers", num_student_layers)
    check_int("num_teacher_layers", num_teacher_layers)
    if not 1 <= num_student_layers <= num_teacher_layers:
        raise ValueError(
            "The student must have between 1 layer and as many as the "
            f"teacher. Received: {num_student_layers} student layers and "
            f"{num_teacher_layers} teacher layers. Name the pairs with "
            "`layer_map.explicit`, in which a teacher layer may serve twice."
        )
