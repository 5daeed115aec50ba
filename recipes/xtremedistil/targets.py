"""What a distilled encoder is worth on another task."""

import re

from keras_distill import students
from recipes.xtremedistil import models
from recipes.xtremedistil import stage_list

# Rows of the table.
TEACHER = "teacher fine-tuned on the target"
BASELINE = "student without distillation"
TRANSFERRED = "distilled on the source, fine-tuned"
SCRATCH = "distilled on the target"
FURTHER = "distilled on the source, then on the target"


def transfer(trainer, name, make_student, rows):
    """Trains a target's models and measures them on its dev split.

    Args:
        trainer: `Trainer`.
        name: str. The target.
        make_student: Function of a number of outputs and a sequence length
            that gives the distilled encoder with a new head.
        rows: sequence of the rows to make: `BASELINE`, `TRANSFERRED`,
            `SCRATCH`, `FURTHER`.

    Returns:
        dict that JSON can hold: `"target"`, `"metric"` (the one that models
        are compared by), `"dev"` (what was measured on), `"examples"` (its
        number), `"further"` (splits that are measured as well) and
        `"models"`: by row, what `LabelledTask.score` returns.
    """
    labelled = trainer.read(name)
    size = (labelled.task.num_outputs, trainer.length(labelled))
    trainer.seed()
    student = make_student(*size)
    # A student may remember that its words were frozen. Those of the baseline
    # are random, so that it would learn nothing from them.
    models.train_words(student, True)
    made = {}
    if BASELINE in rows:
        trainer.seed()
        made[BASELINE] = students.from_its_start(student)
    if TRANSFERRED in rows:
        made[TRANSFERRED] = student
    data = trainer.tokenize(labelled, student.preprocessor)
    trainer.run(
        [
            _fine_tuning(trainer.config, data, model, f"{slug(name)}.{stage}")
            for stage, model in (
                ("without-distillation", made.get(BASELINE)),
                ("fine-tuning", made.get(TRANSFERRED)),
            )
            if model is not None
        ]
    )
    if {SCRATCH, FURTHER} & set(rows):
        made |= _distil_on_target(
            trainer, labelled, slug(name), make_student, rows
        )
    return {
        "target": name,
        "metric": labelled.task.selection_metric,
        "dev": labelled.dev_name,
        "examples": len(labelled.dev),
        "further": list(labelled.further),
        "models": {row: data.score(model) for row, model in made.items()},
    }


def rows_of(config):
    """The rows that a configuration asks for.

    Args:
        config: `Config`.

    Returns:
        tuple of str.
    """
    distilled = {
        "none": (),
        "scratch": (SCRATCH,),
        "further": (FURTHER,),
        "both": (SCRATCH, FURTHER),
    }[config.task_distillation]
    return (BASELINE, TRANSFERRED, *distilled)


def _fine_tuning(config, data, model, name):
    return stage_list.label_stage(
        name, config, data, model, config.target_rate, config.target_epochs
    )


def _distil_on_target(trainer, labelled, name, make_student, rows):
    """Students that learn from a teacher of the target itself."""
    teacher, data = trainer.teacher(labelled, f"{name}.teacher")
    transfer = trainer.transfer_data(data.train, data, teacher, f"{name}.")
    made = {TEACHER: teacher}
    if SCRATCH in rows:
        student = trainer.create_student(teacher)
        trainer.distil(data, transfer, teacher, student, f"{name}.scratch.")
        made[SCRATCH] = student
    if FURTHER in rows:
        trainer.seed()
        student = make_student(teacher.num_classes, trainer.length(labelled))
        models.train_words(student, not trainer.config.freeze_embeddings)
        trainer.distil(data, transfer, teacher, student, f"{name}.further.")
        made[FURTHER] = student
    return made


def transferred_from(student):
    """What `transfer` makes students of a target with.

    Args:
        student: KerasHub task, the distilled one.

    Returns:
        Function of a number of outputs and a sequence length.
    """
    return lambda num_classes, length: students.with_new_head(
        student, num_classes, length
    )


def slug(text):
    """A text as part of a file's or a stage's name.

    Args:
        text: str.

    Returns:
        str of letters, digits, `.`, `_` and `-`.
    """
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")
