"""Where a student's targets come from."""

from keras_distill.teachers.checks import check_label_names
from keras_distill.teachers.checks import check_nothing_shared
from keras_distill.teachers.checks import check_same_vocabulary
from keras_distill.teachers.checks import check_trained

__all__ = [
    "check_label_names",
    "check_nothing_shared",
    "check_same_vocabulary",
    "check_trained",
]
