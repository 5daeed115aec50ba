"""Teacher and student, run as deep as an objective looks."""

import dataclasses
from collections.abc import Callable

from keras_distill.features import FeatureForward
from keras_distill.losses.objective import Objective


@dataclasses.dataclass(frozen=True)
class ForwardPass:
    """Teacher and student, run as deep as an objective looks."""

    objective: Objective
    teacher: Callable | None
    student: FeatureForward

    def run(self, x, training):
        """The features of a batch."""
        return self.run_teacher(x), self.student(x, training=training)

    def run_teacher(self, x):
        """The teacher's features of a batch, or `None`."""
        return None if self.teacher is None else self.teacher(x)
