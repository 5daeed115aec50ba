"""A teacher's features on disk, computed once."""

from keras_distill.teachers.cache.cached_targets import TARGET_PREFIX
from keras_distill.teachers.cache.teacher_cache import TeacherCache

__all__ = ["TARGET_PREFIX", "TeacherCache"]
