"""What a stage trains of each of its tasks."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from keras_distill.checks.model_of import model_of
from keras_distill.data import MultiTaskExamples
from keras_distill.models import MultiTaskModel

# Arguments of a stage that may be given by task.
BY_TASK = (
    *("distillation_losses", "distillation_loss_weights"),
    *("student_loss_weight", "teacher_training", "loss", "task"),
)
# Those among them that are for tasks with a teacher.
_OF_TEACHER = BY_TASK[:4]


@dataclasses.dataclass(frozen=True)
class Part:
    """What a stage trains of one of its tasks, or of its only one."""

    # The only task of a stage has no name.
    name: str | None
    student: Any
    teacher: Any
    label_names: Any
    train: Any
    validation: Any
    distillation_losses: Any
    distillation_loss_weights: Any
    student_loss_weight: Any
    teacher_training: Any
    loss: Any
    task: Any

    @property
    def prefix(self):
        """What stands before the names of what is measured of it."""
        return "" if self.name is None else f"{self.name}/"


def has_several_tasks(stage):
    """Whether a stage trains several tasks together."""
    return isinstance(stage.student, MultiTaskModel)


def teachers_of(stage, teacher):
    """What was given as teacher as a model, or as models by task."""
    if has_several_tasks(stage):
        teacher = model_of(teacher)
        if isinstance(teacher, MultiTaskModel):
            known = stage.student.task_models
            teacher = {
                task: model
                for task, model in teacher.task_models.items()
                if task in known
            }
        given = _by_task(stage, "teacher", teacher or {})
        return {t: model_of(each) for t, each in given.items()} or None
    return model_of(teacher)


def examples_of(stage, word, examples):
    """Examples of a stage, those of several tasks as one object."""
    if not has_several_tasks(stage) or examples is None:
        return examples
    if isinstance(examples, Mapping):
        examples = MultiTaskExamples(examples)
    if not isinstance(examples, MultiTaskExamples):
        raise ValueError(
            f"`{word}` of stage '{stage.name}' must be keras_distill.data."
            "MultiTaskExamples, or a dict of tokenised examples by task, since "
            "the student has several tasks. Received: "
            f"{type(examples).__name__}"
        )
    return examples


def stage_parts(stage, teacher):
    """What a stage trains of each task, a list of `Part`.

    `teacher` is what the stage was given, which may know the classes' names.
    """
    given = {word: getattr(stage, word) for word in BY_TASK}
    if not has_several_tasks(stage):
        return [
            Part(
                None,
                stage.student,
                stage.teacher,
                getattr(teacher, "label_names", None),
                stage.train,
                stage.validation,
                **given,
            )
        ]
    if stage.teacher is None and stage.distillation_losses is not None:
        raise ValueError(
            "`teacher` and `distillation_losses` go together. Received, for "
            f"stage '{stage.name}', only one of them."
        )
    by_task = {
        word: _by_task(stage, word, value) for word, value in given.items()
    }
    return [
        _part_of(stage, name, rows, teacher, by_task)
        for name, rows in stage.train.examples.items()
    ]


def _part_of(stage, name, rows, teacher, by_task):
    known = stage.student.task_models
    if name not in known:
        raise ValueError(
            f"`train` of stage '{stage.name}' must be of the student's tasks, "
            f"{', '.join(known)}. Received: {name!r}"
        )
    own = {word: values.get(name) for word, values in by_task.items()}
    teachers = stage.teacher or {}
    if name not in teachers:
        own |= dict.fromkeys(_OF_TEACHER)
    own["teacher_training"] = bool(own["teacher_training"])
    given = teacher.get(name) if isinstance(teacher, Mapping) else None
    examples = {} if stage.validation is None else stage.validation.examples
    return Part(
        name,
        known[name],
        teachers.get(name),
        getattr(given, "label_names", None),
        rows,
        examples.get(name),
        **own,
    )


def _by_task(stage, word, value):
    """What is given by task; what is not, is for all."""
    known, whose = stage.student.task_models, "the student"
    if word in _OF_TEACHER:
        known, whose = stage.teacher or {}, "`teacher`"
    if not isinstance(value, Mapping):
        if word in ("teacher", "task") and value is not None:
            raise ValueError(
                f"`{word}` of stage '{stage.name}' must be a dict by task, "
                f"since the student has several. Received: {value!r}"
            )
        return dict.fromkeys(known, value)
    for task in value:
        if task not in known:
            raise ValueError(
                f"`{word}` of stage '{stage.name}' must be by task of {whose}"
                f": {', '.join(known) or 'none'}. Received: {task!r}"
            )
    return dict(value)
