"""Students: the papers' sizes, and what a student starts from."""

from keras_distill.students.copy_layers import copy_layers
from keras_distill.students.copy_pretraining import copy_pretraining
from keras_distill.students.create_bilstm_student import create_bilstm_student
from keras_distill.students.create_mobilebert_student import (
    create_mobilebert_student,
)
from keras_distill.students.create_student import create_student
from keras_distill.students.factorize_embeddings import FactorizedEmbeddings
from keras_distill.students.factorize_embeddings import factorize_embeddings
from keras_distill.students.new_head import from_its_start
from keras_distill.students.new_head import with_new_head
from keras_distill.students.parts import parts_of
from keras_distill.students.presets import PRESETS
from keras_distill.students.presets import StudentConfig
from keras_distill.students.unfreezing import unfreezing

__all__ = [
    "PRESETS",
    "FactorizedEmbeddings",
    "StudentConfig",
    "copy_layers",
    "copy_pretraining",
    "create_bilstm_student",
    "create_mobilebert_student",
    "create_student",
    "factorize_embeddings",
    "from_its_start",
    "parts_of",
    "unfreezing",
    "with_new_head",
]
