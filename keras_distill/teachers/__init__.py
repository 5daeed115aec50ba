"""Where a student's targets come from."""

from keras_distill.teachers.cache import TARGET_PREFIX
from keras_distill.teachers.cache import TeacherCache
from keras_distill.teachers.checks import check_first_batch
from keras_distill.teachers.checks import check_gives_logits
from keras_distill.teachers.checks import check_kind_of_outputs
from keras_distill.teachers.checks import check_label_names
from keras_distill.teachers.checks import check_label_order
from keras_distill.teachers.checks import check_loss_on_labels
from keras_distill.teachers.checks import check_nothing_shared
from keras_distill.teachers.checks import check_trained
from keras_distill.teachers.checks import label_columns
from keras_distill.teachers.checks import shared_variables
from keras_distill.teachers.ensembles import TeacherEnsemble
from keras_distill.teachers.ensembles import members_of
from keras_distill.teachers.ensembles import select_members
from keras_distill.teachers.load_teacher import LoadedTeacher
from keras_distill.teachers.load_teacher import load_teacher
from keras_distill.teachers.soft_labels import SoftLabels
from keras_distill.teachers.targets import check_built
from keras_distill.teachers.targets import targets_of

__all__ = [
    "LoadedTeacher",
    "SoftLabels",
    "TARGET_PREFIX",
    "TeacherCache",
    "TeacherEnsemble",
    "check_built",
    "check_first_batch",
    "check_gives_logits",
    "check_kind_of_outputs",
    "check_label_names",
    "check_label_order",
    "check_loss_on_labels",
    "check_nothing_shared",
    "check_trained",
    "label_columns",
    "load_teacher",
    "members_of",
    "select_members",
    "shared_variables",
    "targets_of",
]
