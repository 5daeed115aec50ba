"""Several teachers of a run, whose answers together are followed."""

import dataclasses

from keras_distill import teachers
from keras_distill.packing.vocabulary import vocabulary_difference


@dataclasses.dataclass(frozen=True)
class LoadedEnsemble(teachers.LoadedTeacher):
    """Several teachers, as a `LoadedTeacher`.

    What a student has of its teacher, tokens, size and embeddings, it has of
    the first, which is the `classifier`.

    Attributes:
        members: tuple of `keras_distill.teachers.LoadedTeacher`.
        ensemble: `keras_distill.teachers.TeacherEnsemble` of them.
    """

    members: tuple = ()
    ensemble: object = None

    @classmethod
    def of(cls, members, task):
        """Puts teachers of a task together; raises if they do not fit."""
        return cls(
            members[0].classifier,
            all(member.has_head for member in members),
            task.label_names,
            task.problem_type,
            tuple(members),
            teachers.TeacherEnsemble(
                members, task.label_names, task.problem_type
            ),
        )


def check_tokens(task, models):
    """Raises unless those that teach tags, and learn them, read one tokenizer.

    What several teachers say of tags is put together token by token.

    Args:
        task: `keras_distill.tasks.Task`.
        models: dict of what a user calls a model to the KerasHub task.
    """
    if task.answers_texts:
        return
    (first, known), *others = models.items()
    for name, model in others:
        if vocabulary_difference(known, model) is not None:
            raise ValueError(
                f"What several teachers say of {task.name} is put together "
                f"token by token, and {name} has another tokenizer than "
                f"{first}. Use models of one tokenizer."
            )


def members_of(loaded):
    """The `LoadedTeacher` that was loaded, or each of several."""
    return getattr(loaded, "members", None) or (loaded,)


def teacher_of(loaded):
    """Who is followed: the classifier, or the ensemble of several."""
    return getattr(loaded, "ensemble", None) or loaded.classifier


def first_of(teacher):
    """Whose tokens, size and embeddings a student has."""
    return teachers.members_of(teacher)[0]


def is_ensemble(teacher):
    """Whether several teachers are followed."""
    return isinstance(teacher, teachers.TeacherEnsemble)


def with_other_models(ensemble, change):
    """The same ensemble of other models, such as copies of its own."""
    members = [
        teachers.LoadedTeacher(
            change(model), True, member.label_names, member.problem_type
        )
        for model, member in zip(
            teachers.members_of(ensemble), ensemble.members, strict=True
        )
    ]
    return teachers.TeacherEnsemble(
        members, ensemble.label_names, ensemble.problem_type
    )
