"""Other tasks for the distilled encoder, beside students that have none."""

import re

import keras

from keras_distill import io
from keras_distill import students
from recipes.common import tables
from recipes.common.models import train_words
from recipes.xtremedistil import stage_list

# Rows of the targets' table.
TEACHER = "teacher fine-tuned on the target"
BASELINE = "student without distillation"
TRANSFERRED = "distilled on the source, fine-tuned"
SCRATCH = "distilled on the target"
FURTHER = "distilled on the source, then on the target"


def rows_of(config):
    """The rows of the targets' table that a configuration asks for."""
    asked = config.task_distillation
    scratch = (SCRATCH,) if asked in ("scratch", "both") else ()
    further = (FURTHER,) if asked in ("further", "both") else ()
    return (BASELINE, TRANSFERRED, *scratch, *further)


def with_encoder_of(student):
    """What `transfer` makes the students of a target with."""
    return lambda task, length: students.with_new_head(
        student, task.num_outputs, length
    )


def transfer(experiment, name, make_student, rows):
    """Trains a target's models and measures them on its dev split.

    `make_student` gives the distilled encoder with a new head, of a task and a
    sequence length. Returns a dict that JSON can hold; its `"models"` are what
    `TaskData.score` returns, by row.
    """
    config = experiment.config
    examples = experiment.read(name)
    task = examples.task
    length = config.sequence_length or task.sequence_length

    def new_student():
        keras.utils.set_random_seed(config.seed)
        return make_student(task, length)

    student = new_student()
    # A student may remember that its words were frozen. Those of the baseline
    # are random, so that it would learn nothing from them.
    train_words(student, True)
    made = {}
    if BASELINE in rows:
        keras.utils.set_random_seed(config.seed)
        made[BASELINE] = students.from_its_start(student)
    if TRANSFERRED in rows:
        made[TRANSFERRED] = student
    stages = {BASELINE: "without-distillation", TRANSFERRED: "fine-tuning"}
    data = experiment.tokenize(examples, student.preprocessor)
    experiment.run(
        [
            experiment.label_stage(
                f"{slug(name)}.{stages[row]}",
                model,
                data,
                config.target_rate,
                config.target_epochs,
            )
            for row, model in made.items()
        ]
    )
    if {SCRATCH, FURTHER} & set(rows):
        made |= _distil_on_it(
            experiment, examples, slug(name), new_student, rows
        )
    return {
        "target": name,
        "metric": task.selection_metric,
        "dev": examples.dev_name,
        "examples": len(examples.dev),
        "further": list(examples.further),
        "models": {row: data.score(model) for row, model in made.items()},
    }


def _distil_on_it(experiment, examples, folder, new_student, rows):
    """Students that learn from a teacher of the target itself."""
    teacher, data = experiment.teacher(examples, f"{folder}.teacher")
    made, kinds = {TEACHER: teacher}, {SCRATCH: "scratch", FURTHER: "further"}
    for row in rows:
        if row == SCRATCH:
            student = stage_list.create_student(experiment, teacher)
        elif row == FURTHER:
            student = new_student()
            train_words(student, not experiment.config.freeze_embeddings)
        else:
            continue
        lesson = stage_list.Lesson(
            examples,
            data,
            data.train,
            data.validation,
            teacher,
            student,
            experiment.folder.path / f"{folder}.teacher_logits",
            f"{folder}.{kinds[row]}.",
            examples.train,
        )
        experiment.run(stage_list.distillation_stages(experiment, lesson))
        made[row] = student
    return made


def slug(text):
    """A text as part of a file's or a stage's name."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")


def leave(results, path):
    """Writes what `transfer` found into a folder, and shows it."""
    io.write_json(path / "targets.json", io.plain(results))
    tables.show_table(path / "targets.md", page(results))


def in_words(result):
    """What a target came to, for the report on the source."""
    metric = result["metric"]
    scores = ", ".join(
        f"{row} {tables.percent(found[metric])}"
        for row, found in result["models"].items()
    )
    return (
        f"{result['target']}, {metric.replace('_', ' ')} × 100 on the "
        f"{result['dev']} split: {scores}."
    )


def page(results):
    """The targets' table, what it was measured on, and tags by language."""
    parts = [table(results)]
    parts += [
        f"{result['target']}: {result['examples']} examples of the "
        f"{result['dev']} split, on which the best epochs were chosen as well."
        for result in results
    ]
    for result in results:
        of_models = result["models"]
        if all("languages" in scores for scores in of_models.values()):
            parts += [
                f"{result['target']}, by language:",
                tables.languages_table(of_models),
            ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def table(results):
    """A table with a column for each target and split of it."""
    columns = {}
    for result in results:
        metric = result["metric"]
        name = f"{result['target']}, {metric.replace('_', ' ')}"
        columns[name] = (result["models"], metric)
        for split in result.get("further", ()):
            key = f"{metric}_{split}"
            columns[f"{name} on {split}"] = (result["models"], key)
    rows = dict.fromkeys(row for result in results for row in result["models"])
    return io.markdown_table(
        ["dev split, × 100", *columns],
        [
            [row]
            + [
                tables.percent(models.get(row, {}).get(key))
                for models, key in columns.values()
            ]
            for row in rows
        ],
    )
