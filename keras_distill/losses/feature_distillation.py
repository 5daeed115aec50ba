"""Any layer of the student follows any layer of the teacher, by name."""

import keras
from keras import ops

from keras_distill.checks.arguments import check_choice
from keras_distill.features import names
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.hidden_states_distillation import TOKEN_LOSSES
from keras_distill.losses.matching import PROJECTIONS
from keras_distill.losses.matching import Match
from keras_distill.losses.matching import plan_projection


@keras.saving.register_keras_serializable("keras_distill")
class FeatureDistillation(DistillationLoss):
    """Any layer of the student follows any layer of the teacher, by name.

    The mean over all positions of `d(W student, teacher)`, where `d` is a
    distance of `HiddenStatesDistillation` along the last axis, and `W` a
    linear projection. Outputs `(B, L, D)` of a model that has a padding mask
    are averaged over its real tokens.

    Args:
        student_layer: str. Name of a layer of the student; of a layer of a
            nested model, its path: `"encoder/dense"`.
        teacher_layer: str. Name of a layer of the teacher.
        loss: str. `"mse"`, `"cosine"` or `"kl"`. Defaults to `"mse"`.
        projection: `"auto"` (a projection if widths differ), `"shared"`
            (always), or `None` (never). Defaults to `"auto"`.
        name: Optional str. Defaults to the student layer's name.

    Example:

    ```python
    from keras_distill import losses

    loss = losses.FeatureDistillation("dense_1", "encoder/dense_3")
    ```
    """

    def __init__(
        self,
        student_layer,
        teacher_layer,
        loss="mse",
        projection="auto",
        name=None,
    ):
        for argument, layer in (
            ("student_layer", student_layer),
            ("teacher_layer", teacher_layer),
        ):
            if not isinstance(layer, str) or not layer:
                raise ValueError(
                    f"`{argument}` must be the name of a layer, such as "
                    f"'encoder/dense'. Received: {argument}={layer!r}"
                )
        if name is None:
            name = student_layer.replace("/", "_")
        super().__init__(name)
        check_choice("loss", loss, tuple(TOKEN_LOSSES))
        allowed = tuple(p for p in PROJECTIONS if p != "per_layer")
        check_choice("projection", projection, allowed)
        self.student_layer = student_layer
        self.teacher_layer = teacher_layer
        self.loss = loss
        self.projection = projection

    def match(self, teacher, student):
        teacher_feature = names.layer_feature(names.LAYER, self.teacher_layer)
        student_feature = names.layer_feature(names.LAYER, self.student_layer)
        teacher_shape = teacher.shape(teacher_feature)
        student_shape = student.shape(student_feature)
        if not _same_positions(teacher_shape[:-1], student_shape[:-1]):
            raise ValueError(
                f"Layer '{self.teacher_layer}' of the teacher gives "
                f"{teacher_shape} and layer '{self.student_layer}' of the "
                f"student {student_shape}. Only the last axis may differ: "
                "choose layers with the same positions."
            )
        projection, widths = plan_projection(
            teacher,
            student,
            student_feature,
            teacher_feature,
            self.name,
            self.projection,
        )
        note = f"layer output, {widths}, {self.loss}"
        return (Match(student_feature, teacher_feature, note, projection),)

    def per_example(self, teacher, student, mask=None):
        values = TOKEN_LOSSES[self.loss](teacher, student)
        if len(values.shape) == 2:
            return functional.token_mean(values, mask)
        axes = tuple(range(1, len(values.shape)))
        return ops.mean(values, axis=axes) if axes else values

    def get_config(self):
        return {
            **super().get_config(),
            "student_layer": self.student_layer,
            "teacher_layer": self.teacher_layer,
            "loss": self.loss,
            "projection": self.projection,
        }


def _same_positions(teacher_shape, student_shape):
    return len(teacher_shape) == len(student_shape) and all(
        None in (a, b) or a == b
        for a, b in zip(teacher_shape, student_shape, strict=True)
    )
