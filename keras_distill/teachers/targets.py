"""What a student is held against, from a live teacher or from a cache."""

import functools
import pathlib

import keras
from keras import ops

from keras_distill.features import FeatureForward
from keras_distill.features import describe
from keras_distill.models.saving import model_config
from keras_distill.packing import check_same_vocabulary
from keras_distill.teachers.cache import TeacherCache
from keras_distill.teachers.checks import check_nothing_shared


def targets_of(teacher, student):
    """Reads a teacher's features in the way that fits it.

    Args:
        teacher: `keras.Model` or `keras_distill.teachers.TeacherCache`.
        student: `keras.Model` that is to learn from it.

    Returns:
        `LiveTeacher` or `CachedTeacher`.

    Raises:
        ValueError: If `teacher` is neither, or the student cannot learn from
            it.
    """
    if isinstance(teacher, TeacherCache):
        return CachedTeacher(teacher)
    return LiveTeacher(teacher, student)


class LiveTeacher:
    """The features of a teacher that runs beside the student.

    Attributes:
        description: `keras_distill.features.ModelDescription`.
        variables: list of the variables that a step reads.
    """

    def __init__(self, teacher, student):
        check_built(teacher, "teacher")
        check_same_vocabulary(teacher, student)
        check_nothing_shared(teacher, student)
        self.description = describe(teacher)
        self._teacher = teacher

    @property
    def variables(self):
        return self._teacher.variables

    def reader(self, features, losses):
        """Reads some features; no more is computed.

        Args:
            features: list of feature names.
            losses: list of the `DistillationLoss` that read them.

        Returns:
            function of a batch that gives a dict of the features, without
            dropout or gradient.
        """
        forward = FeatureForward(
            self._teacher,
            features,
            "teacher",
            with_outputs=False,
            description=self.description,
        )
        return lambda x: keras.tree.map_structure(
            ops.stop_gradient, forward(x, training=False)
        )

    def config(self):
        """What Keras saves of the teacher."""
        return model_config(self._teacher)


class CachedTeacher:
    """The features that `TeacherCache.attach` put into the batches."""

    variables = ()

    def __init__(self, cache):
        self.description = cache.description
        self._cache = cache

    def reader(self, features, losses):
        """Reads some features from a batch, as `LiveTeacher.reader`."""
        for loss in losses:
            if loss.reads_padding:
                raise ValueError(
                    f"'{loss.name}' averages over padding as well "
                    f"(normalization={loss.normalization!r}), which a "
                    "teacher's cache does not keep. Use the live teacher, or "
                    "the loss's default normalization."
                )
        return functools.partial(self._read, tuple(features))

    def _read(self, features, x):
        found = self._cache.features_of(x)
        missing = [name for name in features if name not in found]
        if missing:
            raise ValueError(
                f"The batch holds no {', '.join(missing)} of the teacher, "
                "which the losses need. Attach all features: "
                "`cache.attach(examples)`. Received: a batch with "
                f"{', '.join(found)}."
            )
        return found

    def config(self):
        """A cache is a folder of its own, which no saved model holds."""
        raise ValueError(
            "A distiller that reads its teacher from a cache cannot be saved "
            f"as one file. Received: a cache in '{self._cache.path}'. Use "
            "`save_weights`, or save `distiller.student`."
        )


def check_built(model, role):
    """Raises unless a model is there and has its weights.

    Args:
        model: `keras.Model`.
        role: str. The argument's name, for the message.

    Raises:
        ValueError: If it is no model, or is not built.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`{role}` must be a keras.Model. Received: {role}={model!r}"
            f"{_how_to_load(role, model)}"
        )
    if not model.built:
        raise ValueError(
            f"`{role}` must be built. Received: '{model.name}', which has no "
            "weights yet. Call it on a batch first."
        )


def _how_to_load(role, model):
    """What to do with a name or path that is given for a model."""
    if not isinstance(model, (str, pathlib.PurePath)):
        return ""
    if role == "student":
        return (
            ". Build it: keras_distill.students.create_student(teacher, "
            "preset), or load it: keras.saving.load_model(path)."
        )
    return (
        ". Load it: keras_distill.teachers.load_teacher(source, num_classes, "
        "sequence_length), or keras_distill.teachers.TeacherCache(path) if a "
        "cache lies there."
    )
