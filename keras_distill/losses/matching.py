"""Which features of two models belong together."""

import dataclasses

from keras_distill.features import names
from keras_distill.features.description import NoFeatureError

PROJECTIONS = ("auto", "shared", "per_layer", None)


@dataclasses.dataclass(frozen=True)
class Projection:
    """A trained linear map from the student's width to the teacher's.

    Attributes:
        name: str. Matches with the same name share one projection.
        student_width: int. Width of its input.
        teacher_width: int. Width of its output.
    """

    name: str
    student_width: int
    teacher_width: int


@dataclasses.dataclass(frozen=True)
class Match:
    """What of the student learns from what of the teacher.

    That is one feature each, or a tuple of features, which a loss then sees
    as a dict by their names.

    Attributes:
        student: str, or tuple of str. Names of features of the student.
        teacher: str, or tuple of str. Names of features of the teacher.
        note: str. How they are compared, for the printed plan.
        projection: Optional `Projection` of the student's feature; of several
            features a tuple, with `None` for those that have none.
    """

    student: str | tuple
    teacher: str | tuple
    note: str
    projection: Projection | tuple | None = None

    def __post_init__(self):
        # Lists are taken too; a match is told from others by its content.
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                object.__setattr__(self, field.name, tuple(value))

    @property
    def projections(self):
        """dict of the student's features to the `Projection` of each."""
        projections = self.projection
        if isinstance(self.student, str):
            projections = (projections,)
        elif projections is None:
            projections = (None,) * len(self.student)
        return dict(zip(as_tuple(self.student), projections, strict=True))


def as_tuple(features):
    """One feature or several, as a tuple."""
    return (features,) if isinstance(features, str) else tuple(features)


def mapped_layers(layer_map, teacher, student):
    """The layers that belong together, by a layer map.

    Args:
        layer_map: Callable of `keras_distill.layer_map`.
        teacher: `keras_distill.features.ModelDescription`.
        student: `keras_distill.features.ModelDescription`.

    Returns:
        Tuple of `(student layer, teacher layer)` pairs; layer 0 is the output
        of the embeddings.

    Raises:
        ValueError: If one of them has no transformer layers.

    Example:

    >>> from keras_distill import layer_map
    >>> from keras_distill import losses
    >>> from keras_distill.features import ModelDescription
    >>> teacher = ModelDescription("teacher", 12, {}, {})
    >>> student = ModelDescription("student", 4, {}, {})
    >>> losses.mapped_layers(layer_map.uniform, teacher, student)
    ((1, 3), (2, 6), (3, 9), (4, 12))
    """
    for role, model in (("teacher", teacher), ("student", student)):
        if not model.num_layers:
            way_out = model.why_no_more or (
                "Register an adapter with "
                "`keras_distill.features.register_adapter`, or match layers "
                "by name with `FeatureDistillation`."
            )
            raise NoFeatureError(
                f"No transformer layer was found in the {role} "
                f"'{model.name}'. It has: {model.summary()}. {way_out}"
            )
    return layer_map(student.num_layers, teacher.num_layers)


def attention_layers(layer_map, teacher, student):
    """The pairs of a layer map without those of layer 0."""
    mapped = mapped_layers(layer_map, teacher, student)
    pairs = tuple(pair for pair in mapped if 0 not in pair)
    if not pairs:
        raise ValueError(
            "`layer_map` must pair transformer layers: embeddings (layer 0) "
            f"have no attention. Received: {list(mapped)}"
        )
    return pairs


def match_tokens(
    teacher,
    student,
    pair,
    name,
    how,
    projection="auto",
    label="hidden states",
):
    """Matches the hidden states of a student's and a teacher's layer.

    Args:
        teacher: `keras_distill.features.ModelDescription`.
        student: `keras_distill.features.ModelDescription`.
        pair: Tuple of the student's layer and the teacher's, as
            `mapped_layers` gives it; 0 is the output of the embeddings.
        name: str. Name of the loss, which names its projections.
        how: str. How they are compared, for the printed plan.
        projection: `"auto"`, `"shared"`, `"per_layer"` or `None`, as for
            `HiddenStatesDistillation`. Defaults to `"auto"`.
        label: str. What the plan calls the feature. Defaults to
            `"hidden states"`.

    Returns:
        `Match`.

    Raises:
        ValueError: If widths differ and no projection is allowed.

    Example:

    >>> from keras_distill import losses
    >>> from keras_distill.features import ModelDescription
    >>> shapes = {"hidden_states.2": (None, None, 8)}
    >>> teacher = ModelDescription("teacher", 2, shapes, {})
    >>> shapes = {"hidden_states.1": (None, None, 4)}
    >>> student = ModelDescription("student", 1, shapes, {})
    >>> losses.match_tokens(teacher, student, (1, 2), "mine", "huber").note
    'hidden states, 4 -> 8 linear, huber'
    """
    features = [names.layer_feature(names.HIDDEN_STATES, n) for n in pair]
    planned, widths = plan_projection(
        teacher, student, *features, name, projection
    )
    return Match(*features, f"{label}, {widths}, {how}", planned)


def plan_projection(
    teacher, student, student_feature, teacher_feature, name, projection="auto"
):
    """Decides whether a student's feature is projected, and by what.

    Args:
        teacher: `keras_distill.features.ModelDescription`.
        student: `keras_distill.features.ModelDescription`.
        student_feature: str. Name of the student's feature.
        teacher_feature: str. Name of the teacher's feature.
        name: str. Name of the loss, which names its projections.
        projection: `"auto"`: one for all matches of the loss if widths
            differ, none otherwise; `"shared"`: one in any case;
            `"per_layer"`: one for each of the student's features; `None`:
            none. Defaults to `"auto"`.

    Returns:
        Tuple of a `Projection` or `None`, and the widths in words.

    Raises:
        ValueError: If widths differ and no projection is allowed.

    Example:

    >>> from keras_distill import losses
    >>> from keras_distill.features import ModelDescription
    >>> teacher = ModelDescription("teacher", 2, {"pooled": (None, 8)}, {})
    >>> student = ModelDescription("student", 1, {"pooled": (None, 4)}, {})
    >>> losses.plan_projection(teacher, student, "pooled", "pooled", "mine")
    (Projection(name='mine', student_width=4, teacher_width=8), '4 -> 8 linear')
    """
    teacher_width = teacher.shape(teacher_feature)[-1]
    student_width = student.shape(student_feature)[-1]
    are_equal = teacher_width == student_width
    if projection is None and not are_equal:
        raise ValueError(
            f"'{student_feature}' of the student is {student_width} wide and "
            f"'{teacher_feature}' of the teacher {teacher_width}. Received: "
            'projection=None. Use projection="auto" for a trained projection.'
        )
    if projection is None or (projection == "auto" and are_equal):
        return None, f"{student_width} wide"
    if projection == "per_layer":
        name = f"{name}_{student_feature.replace('.', '_')}"
    note = f"{student_width} -> {teacher_width} linear"
    return Projection(name, student_width, teacher_width), note
