"""When a student's feature is projected to the teacher's width."""

from keras_distill.losses.distillation_loss import Projection
from keras_distill.losses.distillation_loss import width

PROJECTIONS = ("auto", "shared", "per_layer", None)


def plan_projection(
    choice, loss_name, teacher, student, teacher_feature, student_feature
):
    """Decides on the projection of one match.

    Args:
        choice: `"auto"`, `"shared"`, `"per_layer"` or `None`; see
            `HiddenStatesDistillation`.
        loss_name: str. Name of the loss, which names its projections.
        teacher: `ModelDescription`.
        student: `ModelDescription`.
        teacher_feature: str. Name of the teacher's feature.
        student_feature: str. Name of the student's feature.

    Returns:
        Tuple `(projection, note)`: a `Projection` or `None`, and the widths
        in words.

    Raises:
        ValueError: If widths differ and no projection is allowed.
    """
    teacher_width = width(teacher, teacher_feature)
    student_width = width(student, student_feature)
    if choice is None and teacher_width != student_width:
        raise ValueError(
            f"'{student_feature}' of the student is {student_width} wide and "
            f"'{teacher_feature}' of the teacher {teacher_width}. Received: "
            'projection=None. Use projection="auto" for a trained projection.'
        )
    if choice is None or (choice == "auto" and teacher_width == student_width):
        return None, f"{student_width} wide"
    name = loss_name
    if choice == "per_layer":
        name = f"{loss_name}_{student_feature.replace('.', '_')}"
    note = f"{student_width} -> {teacher_width} linear"
    return Projection(name, student_width, teacher_width), note
