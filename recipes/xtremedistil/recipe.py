"""XtremeDistilTransformers: distilled on one task, fine-tuned on many."""

import re

import keras

from keras_distill import export
from keras_distill import io
from keras_distill import students
from keras_distill.io.saving import local_path
from recipes.common.experiment import Experiment
from recipes.common.models import train_words
from recipes.common.reading import check_folders
from recipes.common.tables import languages_table
from recipes.common.tables import percent
from recipes.common.texts import transfer_texts
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.stage_list import distillation_stages
from recipes.xtremedistil.stage_list import upper_layers

# What it leaves beside what all recipes do.
_LEAVES = ("result.json", "targets.json", "targets.md")
# Rows of the targets' table.
TEACHER = "teacher fine-tuned on the target"
BASELINE = "student without distillation"
TRANSFERRED = "distilled on the source, fine-tuned"
SCRATCH = "distilled on the target"
FURTHER = "distilled on the source, then on the target"


def run(
    config,
    run_dir,
    quiet=False,
    resume=True,
    cache_dir=None,
    logits_dir=None,
    settings=None,
    inputs=None,
):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder holds `student/` (the distilled encoder as a preset that
    belongs to no task), `teacher/`, the report about the source task,
    `targets.md` (`.json`) and what `keras_distill.stages.RunFolder` keeps. A
    run that was stopped goes on from its last checkpoint; one that is
    finished takes further targets.

    Args:
        config: `Config`.
        run_dir, quiet, resume, inputs: As `Experiment.begin` takes them.
        cache_dir: Optional path of a folder for token ids and embeddings of
            texts, which any runs may share. Defaults to the run's folder.
        logits_dir: Optional path of a folder for the teacher's logits, which
            runs may share that have source, transfer texts and teacher in
            common. Defaults to the run's folder.
        settings: Optional dict: what the folder notes as its configuration.
            Defaults to `config.source_settings()`.

    Returns:
        dict that JSON can hold, or `None` on a machine that trained for
        another one: `"source"`, the scores of `"teacher"` and `"student"` on
        the source task, and `"targets"`, a list of what `transfer` returns.
    """
    check_folders(named_tasks(config), config)
    with Experiment.begin(
        config,
        run_dir,
        quiet,
        resume,
        _LEAVES,
        settings or config.source_settings(),
        inputs,
        check=lambda: Checks(quiet).check(config),
        cache_dir=cache_dir,
    ) as experiment:
        with experiment.scope:
            examples = experiment.read(config.main_task)
            teacher, data = fine_tuned_teacher(experiment, examples)
            student = create_student(experiment, teacher)
            texts = transfer_texts(
                experiment, examples, data, teacher.preprocessor
            )
            listed = distillation_stages(
                experiment,
                data,
                texts,
                teacher,
                student,
                local_path(logits_dir or experiment.folder.path)
                / "teacher_logits",
            )
            experiment.run(listed)
            results = [
                transfer(
                    experiment, name, with_encoder_of(student), rows_of(config)
                )
                for name in config.target_names
            ]
        if not experiment.folder.writes:
            return None
        path = experiment.folder.path
        if results:
            table = targets_page(results)
            io.write_json(path / "targets.json", io.plain(results))
            io.write_text(path / "targets.md", table)
            io.make_console(soft_wrap=True, highlight=False).print(table)
        models = experiment.portable({"teacher": teacher, "student": student})
        experiment.export_teacher(models["teacher"], examples.task)
        export.to_encoder_preset(models["student"], path / "student")
        experiment.folder.say(f"The distilled encoder is in {path / 'student'}")
        return report(
            experiment,
            f"XtremeDistil: {config.teacher} to {config.student_in_words} on "
            f"{config.main_task}",
            models,
            examples,
            data,
            listed,
            notes=map(_note, results),
            targets=results,
        )


def report(
    experiment, title, models, examples, data, listed, notes=(), **found
):
    """The scores and the report; returns what `result.json` has."""
    path = experiment.folder.path
    scores = {name: data.score(model) for name, model in models.items()}
    found = {"source": experiment.config.main_task, **scores, **found}
    io.write_json(path / "result.json", io.plain(found))
    names = [stage.name for stage in listed]
    experiment.report(title, models, examples, names, notes)
    return found


def train_teacher(config, run_dir, quiet=False, resume=True, inputs=None):
    """Fine-tunes the teacher of the source task alone.

    Args:
        config: `Config`.
        run_dir, quiet, resume, inputs: As `Experiment.begin` takes them.

    Returns:
        `pathlib.Path` of the teacher's folder, `teacher/` in the run's.
    """
    with Experiment.begin(
        config,
        run_dir,
        quiet,
        resume,
        _LEAVES,
        config.source_settings(),
        inputs,
    ) as experiment:
        path = experiment.folder.path / "teacher"
        if not path.is_dir():
            with experiment.scope:
                examples = experiment.read(config.main_task)
                teacher, _ = fine_tuned_teacher(experiment, examples)
            if experiment.folder.writes:
                (teacher,) = experiment.portable({"": teacher}).values()
                experiment.export_teacher(teacher, examples.task)
        return path


def fine_tuned_teacher(experiment, examples, name="teacher"):
    """A teacher of a task, fine-tuned if need be, and its data, tokenised."""
    loaded = experiment.load_teacher(examples)
    data = experiment.tokenize(examples, loaded.classifier.preprocessor)
    experiment.fine_tune(loaded, data, name)
    return loaded.classifier, data


def create_student(experiment, teacher):
    """The student of the configuration, as it is before any stage."""
    return experiment.student(teacher, layer_map=upper_layers)


def with_encoder_of(student):
    """What `transfer` makes the students of a target with."""
    return lambda task, length: students.with_new_head(
        student, task.num_outputs, length
    )


def named_tasks(config):
    """The tasks of a configuration but for data of one's own."""
    return [*([] if config.data else [config.source]), *config.target_names]


def rows_of(config):
    """The rows of the targets' table that a configuration asks for."""
    asked = config.task_distillation
    scratch = (SCRATCH,) if asked in ("scratch", "both") else ()
    further = (FURTHER,) if asked in ("further", "both") else ()
    return (BASELINE, TRANSFERRED, *scratch, *further)


def transfer(experiment, name, make_student, rows):
    """Trains a target's models and measures them on its dev split.

    Args:
        experiment: `Experiment`.
        name: str. The target.
        make_student: Function of a task and a sequence length that gives the
            distilled encoder with a new head.
        rows: sequence of the rows to make: `BASELINE`, `TRANSFERRED`,
            `SCRATCH`, `FURTHER`.

    Returns:
        dict that JSON can hold: `"target"`, `"metric"` (the one that models
        are compared by), `"dev"` (what was measured on), `"examples"` (its
        number), `"further"` (splits that are measured as well) and
        `"models"`: by row, what `TaskData.score` returns.
    """
    config, folder = experiment.config, slug(name)
    examples = experiment.read(name)
    task = examples.task
    keras.utils.set_random_seed(config.seed)
    student = make_student(task, _length(config, task))
    # A student may remember that its words were frozen. Those of the baseline
    # are random, so that it would learn nothing from them.
    train_words(student, True)
    made, listed = {}, []
    if BASELINE in rows:
        keras.utils.set_random_seed(config.seed)
        made[BASELINE] = students.from_its_start(student)
        listed.append(("without-distillation", made[BASELINE]))
    if TRANSFERRED in rows:
        made[TRANSFERRED] = student
        listed.append(("fine-tuning", student))
    data = experiment.tokenize(examples, student.preprocessor)
    experiment.run(
        [
            experiment.label_stage(
                f"{folder}.{stage}",
                model,
                data,
                config.target_rate,
                config.target_epochs,
            )
            for stage, model in listed
        ]
    )
    if {SCRATCH, FURTHER} & set(rows):
        made |= _distil_on_target(
            experiment, examples, folder, make_student, rows
        )
    return {
        "target": name,
        "metric": task.selection_metric,
        "dev": examples.dev_name,
        "examples": len(examples.dev),
        "further": list(examples.further),
        "models": {row: data.score(model) for row, model in made.items()},
    }


def _distil_on_target(experiment, examples, folder, make_student, rows):
    """Students that learn from a teacher of the target itself."""
    config, task = experiment.config, examples.task
    teacher, data = fine_tuned_teacher(
        experiment, examples, f"{folder}.teacher"
    )
    made = {TEACHER: teacher}
    for row, kind in ((SCRATCH, "scratch"), (FURTHER, "further")):
        if row not in rows:
            continue
        if row == SCRATCH:
            student = create_student(experiment, teacher)
        else:
            keras.utils.set_random_seed(config.seed)
            student = make_student(task, _length(config, task))
            train_words(student, not config.freeze_embeddings)
        experiment.run(
            distillation_stages(
                experiment,
                data,
                data.train,
                teacher,
                student,
                experiment.folder.path / f"{folder}.teacher_logits",
                f"{folder}.{kind}.",
            )
        )
        made[row] = student
    return made


def _length(config, task):
    return config.sequence_length or task.sequence_length


def slug(text):
    """A text as part of a file's or a stage's name."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")


def _note(result):
    """What a target came to, for the report on the source."""
    metric = result["metric"]
    scores = ", ".join(
        f"{row} {percent(found[metric])}"
        for row, found in result["models"].items()
    )
    return (
        f"{result['target']}, {metric.replace('_', ' ')} × 100 on the "
        f"{result['dev']} split: {scores}."
    )


def targets_page(results):
    """The targets' table, what it was measured on, and tags by language."""
    parts = [targets_table(results)]
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
                languages_table(of_models),
            ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def targets_table(results):
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
                percent(models.get(row, {}).get(key))
                for models, key in columns.values()
            ]
            for row in rows
        ],
    )
