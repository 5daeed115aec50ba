"""XtremeDistilTransformers: distilled on one task, fine-tuned on many."""

from keras_distill import export
from keras_distill import io
from keras_distill.io.saving import local_path
from recipes.common.ensembles import first_of
from recipes.common.experiment import Experiment
from recipes.common.soft_labels import read_soft_labels
from recipes.common.texts import transfer_texts
from recipes.xtremedistil import targets
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.stage_list import Lesson
from recipes.xtremedistil.stage_list import create_student
from recipes.xtremedistil.stage_list import distillation_stages


def run(config, run_dir, quiet=False, resume=True, logits_dir=None, **options):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder holds `student/` (the distilled encoder as a preset that
    belongs to no task), `teacher/`, the report about the source task,
    `targets.md` (`.json`) and what `keras_distill.stages.RunFolder` keeps. A
    run that was stopped goes on from its last checkpoint; one that is
    finished takes further targets.

    Args:
        config: `Config`.
        run_dir, quiet, resume: As `Experiment.begin` takes them.
        logits_dir: Optional path of a folder for the teacher's logits, which
            runs may share that have source, transfer texts and teacher in
            common. Defaults to the run's folder.
        **options: Further arguments of `Experiment.begin`.

    Returns:
        dict that JSON can hold, or `None` on a machine that trained for
        another one: `"source"`, the scores of `"teacher"` and `"student"` on
        the source task, and `"targets"`, a list of what `targets.transfer`
        returns.
    """
    options.setdefault("settings", config.source_settings())
    with Experiment.begin(
        config,
        run_dir,
        quiet,
        resume,
        ("result.json", "targets.json", "targets.md", "soft_labels"),
        check=lambda: Checks(quiet).check(config),
        **options,
    ) as experiment:
        with experiment.scope:
            lesson, names = distil(
                experiment, create_student, distillation_stages, logits_dir
            )
            encoder = targets.with_encoder_of(lesson.student)
            rows = targets.rows_of(config)
            results = [
                targets.transfer(experiment, name, encoder, rows)
                for name in config.target_names
            ]
        if not experiment.folder.writes:
            return None
        if results:
            targets.leave(results, experiment.folder.path)
        return finish(
            experiment,
            f"XtremeDistil: {config.teacher} to {config.student_in_words} on "
            f"{config.main_task}",
            lesson,
            names,
            export.to_encoder_preset,
            notes=map(targets.in_words, results),
            targets=results,
        )


def distil(experiment, make_student, list_stages, logits_dir=None):
    """Distils a student of the source; its `Lesson` and stages' names."""
    config = experiment.config
    examples = experiment.read(config.main_task)
    soft_labels = read_soft_labels(config, examples.task)
    teacher, data = experiment.teacher(examples)
    student = make_student(experiment, teacher)
    raw, texts = transfer_texts(
        experiment, examples, data, first_of(teacher).preprocessor
    )
    lesson = Lesson(
        examples,
        data,
        texts,
        data.validation,
        teacher,
        student,
        local_path(logits_dir or experiment.folder.path) / "teacher_logits",
        raw_texts=raw,
        soft_labels=soft_labels,
    )
    listed = list_stages(experiment, lesson)
    experiment.run(listed)
    return lesson, [stage.name for stage in listed]


def finish(experiment, title, lesson, names, to_preset, notes=(), **found):
    """Leaves models, scores and report; returns what `result.json` has."""
    path, examples = experiment.folder.path, lesson.examples
    models = {"teacher": lesson.teacher, "student": lesson.student}
    models = experiment.portable(models)
    experiment.export_teacher(models["teacher"], examples.task)
    to_preset(models["student"], path / "student")
    experiment.folder.say(f"The student is in {path / 'student'}")
    scores = {name: lesson.data.score(one) for name, one in models.items()}
    found = {"source": experiment.config.main_task, **scores, **found}
    io.write_json(path / "result.json", io.plain(found))
    experiment.report(title, models, examples, names, notes)
    return found


def train_teacher(config, run_dir, quiet=False, inputs=None):
    """Fine-tunes the teacher of the source alone; returns its folder's path."""
    settings = config.source_settings()
    with Experiment.begin(
        config, run_dir, quiet, settings=settings, inputs=inputs
    ) as experiment:
        path = experiment.folder.path / "teacher"
        if not path.is_dir():
            with experiment.scope:
                examples = experiment.read(config.main_task)
                teacher, _ = experiment.teacher(examples)
            if experiment.folder.writes:
                (teacher,) = experiment.portable({"": teacher}).values()
                experiment.export_teacher(teacher, examples.task)
        return path
