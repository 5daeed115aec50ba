"""Several teachers that answer as one."""

from keras_distill.teachers.ensembles.averaging import mean_logits
from keras_distill.teachers.ensembles.ensemble_model import EnsembleModel
from keras_distill.teachers.ensembles.select_members import select_members
from keras_distill.teachers.ensembles.teacher_ensemble import Member
from keras_distill.teachers.ensembles.teacher_ensemble import TeacherEnsemble
from keras_distill.teachers.ensembles.teacher_ensemble import members_of

__all__ = [
    "EnsembleModel",
    "Member",
    "TeacherEnsemble",
    "mean_logits",
    "members_of",
    "select_members",
]
