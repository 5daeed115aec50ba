"""What a student is held against, from a live teacher or from a cache."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping

import keras
from keras import ops

from keras_distill.features import FeatureForward
from keras_distill.features import describe
from keras_distill.features import names
from keras_distill.models.saving import model_config
from keras_distill.packing.vocabulary import model_tokenizer
from keras_distill.packing.vocabulary import vocabulary_difference
from keras_distill.teachers.cache import TeacherCache
from keras_distill.teachers.checks import check_nothing_shared
from keras_distill.teachers.ensembles.ensemble_model import EnsembleModel
from keras_distill.teachers.ensembles.ensemble_model import inputs_below

# Begins the names of inputs in a batch that are the teacher's alone.
TEACHER_INPUT = "teacher_input/"


def targets_of(teacher, student, training=False):
    """Reads a teacher's features in the way that fits it.

    Args:
        teacher: `keras.Model`, `keras_distill.teachers.TeacherCache`, or
            `None`.
        student: `keras.Model` that is to learn from it.
        training: bool. Whether its dropout is on. Defaults to `False`.

    Returns:
        `LiveTeacher`, `CachedTeacher` or `NoTeacher`.

    Raises:
        ValueError: If `teacher` is neither, the student cannot learn from
            it, or a cache shall have its dropout on.
    """
    if teacher is None:
        return NoTeacher()
    if isinstance(teacher, TeacherCache):
        if training:
            raise ValueError(
                "`teacher_training=True` draws the teacher's dropout anew in "
                "each step, which its cache does not hold. Use the live "
                f"teacher. Received: a cache in '{teacher.path}'"
            )
        return CachedTeacher(teacher)
    return LiveTeacher(teacher, student, training)


class LiveTeacher:
    """The features of a teacher that runs beside the student.

    Attributes:
        description: `keras_distill.features.ModelDescription`.
        readers: dict of role to `Reader`: the teacher, or each member of an
            ensemble.
        token_losses: tuple of str. The names of those losses that compare
            more than outputs of a row.
        variables: list of the variables that a step reads.
    """

    def __init__(self, teacher, student, training=False):
        check_built(teacher, "teacher")
        check_nothing_shared(teacher, student)
        self.readers = _readers(teacher, student)
        self.token_losses = ()
        self.description = describe(teacher)
        self._teacher = teacher
        self._training = training
        others = [
            reader.model
            for reader in self.readers.values()
            if reader.difference is not None
        ]
        self._can_read_texts = all(
            getattr(model, "preprocessor", None) is not None
            for model in (student, *others)
        )

    def check_losses(self, objective):
        """Raises if tokens that are not the same would be compared."""
        self.token_losses = _losses_of_tokens(objective, self.description)
        for reader in self.readers.values():
            if reader.difference is None:
                continue
            if not self._can_read_texts:
                raise ValueError(reader.difference)
            if self.token_losses:
                raise ValueError(
                    f"{reader.difference} Only losses on outputs of whole "
                    "texts can learn from a teacher of other tokens. "
                    f"Received: {', '.join(self.token_losses)}."
                )

    def inputs_of(self, x):
        """What the teacher, with all its members, reads of a batch."""
        prefixes = {reader.prefix for reader in self.readers.values()}
        if prefixes == {""}:
            return self.inputs_of_reader(next(iter(self.readers)), x)
        return {
            reader.prefix + name: value
            for role, reader in self.readers.items()
            for name, value in self.inputs_of_reader(role, x).items()
        }

    def inputs_of_reader(self, role, x):
        """What the teacher or one of its members reads of a batch."""
        reader, own = self.readers[role], {}
        if isinstance(x, Mapping):
            others = {r.prefix for r in self.readers.values()} - {reader.prefix}
            own = inputs_below(TEACHER_INPUT + reader.prefix, x)
            # Of who has nothing before its names.
            own = {
                name: value
                for name, value in own.items()
                if not name.startswith(tuple(others - {""}))
            }
        if reader.difference is not None and not own:
            raise ValueError(
                f"The {role} and the student have tokenizers that differ, and "
                "each reads its own token ids. Received: one batch of ids for "
                "both. Pass the texts themselves, which are tokenised for "
                "each."
            )
        return own or x

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
            gradient, and without dropout unless it is on.
        """
        forward = FeatureForward(
            self._teacher,
            features,
            "teacher",
            with_outputs=False,
            description=self.description,
        )
        return lambda x: keras.tree.map_structure(
            ops.stop_gradient,
            forward(self.inputs_of(x), training=self._training),
        )

    def config(self):
        """What Keras saves of the teacher."""
        return model_config(self._teacher)


@dataclasses.dataclass(frozen=True)
class Reader:
    """A model whose answers are the teacher's, or go into them.

    Attributes:
        model: `keras.Model`.
        difference: str. Why the student's token ids are not its own, or
            `None` if they are.
        prefix: str. What stands before the names of its inputs.
    """

    model: keras.Model
    difference: str | None
    prefix: str = ""


def _readers(teacher, student):
    """The `Reader` of a teacher, or those of an ensemble, by role."""
    if not isinstance(teacher, EnsembleModel):
        difference = vocabulary_difference(teacher, student)
        return {"teacher": Reader(teacher, difference)}

    def difference(member):
        found = vocabulary_difference(member, student)
        if found is None and model_tokenizer(student) is None:
            # It reads what the first member reads.
            found = vocabulary_difference(member, teacher.members[0])
        return found

    return {
        f"member {number} of the teacher": Reader(
            member, difference(member), prefix
        )
        for number, (member, prefix) in enumerate(
            zip(teacher.members, teacher.prefixes, strict=True), start=1
        )
    }


class CachedTeacher:
    """The features that `TeacherCache.attach` put into the batches.

    Attributes:
        cache: `TeacherCache`.
        description: `keras_distill.features.ModelDescription`.
    """

    variables = ()
    readers = {}

    def __init__(self, cache):
        self.description = cache.description
        self.cache = cache

    def check_losses(self, objective):
        """The cache itself is compared with the student's rows."""

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
        found = self.cache.features_of(x)
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
            f"as one file. Received: a cache in '{self.cache.path}'. Use "
            "`save_weights`, or save `distiller.student`."
        )


class NoTeacher:
    """Stands where there is no teacher, and nothing is read from it."""

    description = difference = None
    variables = ()

    def check_losses(self, objective):
        """There are none."""

    def config(self):
        """Nothing that Keras could save."""
        return None


def _losses_of_tokens(objective, description):
    """The names of those losses that compare more than outputs of a row."""
    return tuple(
        loss.name
        for loss, matches in zip(
            objective.losses, objective.matches, strict=True
        )
        if not all(_is_of_row(match.teacher, description) for match in matches)
    )


def _is_of_row(looked_at, description):
    """Whether features are outputs that say nothing of single tokens."""
    found = (looked_at,) if isinstance(looked_at, str) else looked_at
    return all(
        feature.partition(".")[0] in (names.LOGITS, names.OUTPUT)
        and None not in description.shapes.get(feature, ())[1:]
        for feature in found
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
