"""MT-DNN with knowledge distillation: many tasks, ensembles, one student.

Several teachers are trained on all tasks together. The best of them are
fine-tuned on each task that is to be taught, and the mean of their answers
makes that task's soft labels. One student is trained on all tasks, by their
labels and, where there are any, by the soft labels.
"""

import dataclasses
import gc

from keras_distill import data
from keras_distill import export
from keras_distill import teachers
from recipes.common.ensembles import check_tokens
from recipes.common.experiment import Experiment
from recipes.mt_dnn_kd import results
from recipes.mt_dnn_kd.multi_task_models import make_model
from recipes.mt_dnn_kd.multi_task_models import make_single_model
from recipes.mt_dnn_kd.plan import show_plan

_LEAVES = ("members", "soft_labels", *results.LEAVES)


def run(config, run_dir, quiet=False, resume=True):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder has `student/<task>` then (KerasHub presets), `serving/1` (a
    SavedModel with a signature for each task), `members/<member>/<task>`,
    `soft_labels/<task>`, `results.json` and `results.md`.

    Args:
        config: `Config`.
        run_dir, quiet, resume: As `Experiment.begin` takes them.

    Returns:
        dict, the content of `results.json`; `None` on a machine that trained
        for another one, or where a plan was asked for.
    """
    if config.plan or not quiet:
        show_plan(config, run_dir)
    if config.plan:
        return None
    with Experiment.begin(
        config, run_dir, quiet, resume, _LEAVES
    ) as experiment:
        with experiment.scope:
            trained = train_all(experiment)
        return results.finish(experiment, *trained)


def train_all(experiment):
    """Trains members, student and what stands beside it.

    Args:
        experiment: `Experiment`.

    Returns:
        dict of task to `TaskData`, as it was read; dict of task to
        `keras_distill.teachers.TeacherEnsemble`; the student, a
        `keras_distill.models.MultiTaskModel`; and a dict of what stands
        beside it to dict of task to KerasHub task.
    """
    config = experiment.config
    examples = {
        name: read(experiment, text, name)
        for name, text in config.named_tasks.items()
    }
    check_members(config, examples)
    kept = choose_members(experiment, examples)
    for name in kept:
        tune_member(experiment, name, examples)
    ensembles = {
        name: make_ensemble(experiment, kept, examples[name])
        for name in config.taught_names
    }
    student, others = train_students(experiment, examples, ensembles)
    return examples, ensembles, student, others


def read(experiment, text, name):
    """A task's examples, under the short name that the run has for it."""
    examples = experiment.read(text)
    task = dataclasses.replace(examples.task, name=name)
    return dataclasses.replace(examples, task=task)


def check_members(config, examples):
    """Raises where teachers and student read the tags they share apart."""
    taught = [examples[name].task for name in config.taught_names]
    if all(task.answers_texts for task in taught):
        return
    starts = [config.student_start, *config.members_by_name.values()]
    models = {
        encoder: teachers.load_teacher(encoder, 2, None).classifier
        for encoder in dict.fromkeys(start.encoder for start in starts)
    }
    for task in taught:
        check_tokens(task, models)


def choose_members(experiment, examples):
    """Trains the teachers on all tasks; returns the names of the best."""
    config = experiment.config
    if not config.members_by_name:
        return []
    scores = {}
    for name in config.members_by_name:
        train_member(experiment, name, examples)
        scores[name] = {
            task: experiment.results[name].best[
                f"{task}/{one.task.selection_metric}"
            ]
            for task, one in examples.items()
        }
        # Models hold themselves in circles.
        gc.collect()
    kept = teachers.select_members(scores, config.best, config.select_names)
    experiment.folder.say(
        f"The best by {' and '.join(config.select_names)}: {', '.join(kept)}"
    )
    return kept


def train_member(experiment, name, examples):
    """Trains a teacher on all tasks, or takes what an earlier start left."""
    member = experiment.config.members_by_name[name]
    model = make_model(experiment.config, member, tasks_of(examples))
    return train_together(experiment, name, model, examples)


def train_together(experiment, name, model, examples, caches=None):
    """Trains a model on all tasks; the best epoch is kept.

    Args:
        experiment: `Experiment`.
        name: str. The stage.
        model: `keras_distill.models.MultiTaskModel`.
        examples: dict of task to `TaskData`, as it was read.
        caches: Optional dict of task to `TeacherCache` with its soft labels.
            Defaults to `None`: all tasks are learnt from their labels.

    Returns:
        The model.
    """
    config, caches = experiment.config, caches or {}
    tokenized = {
        task: experiment.tokenize(one, model.task_models[task].preprocessor)
        for task, one in examples.items()
    }
    rows = {
        task: caches[task].attach(one.train) if task in caches else one.train
        for task, one in tokenized.items()
    }
    taught = {}
    if caches:
        taught = {
            "teacher": caches,
            "distillation_losses": {
                task: examples[task].task.output_distillation(
                    soft_loss="cross_entropy"
                )
                for task in caches
            },
            "student_loss_weight": dict.fromkeys(caches, config.hard_weight),
        }
    stage = experiment.stage(
        name,
        model,
        data.MultiTaskExamples(rows),
        config.rate,
        config.epochs,
        loss={task: one.task.label_loss() for task, one in examples.items()},
        validation={task: one.validation for task, one in tokenized.items()},
        task={task: one.task for task, one in examples.items()},
        select_by=config.select_names,
        **taught,
    )
    experiment.run([stage])
    return model


def tune_member(experiment, name, examples):
    """Fine-tunes a teacher on each task that it teaches, and leaves it."""
    config = experiment.config
    member = config.members_by_name[name]
    trained = train_member(experiment, name, examples)
    for task in config.taught_names:
        model = make_single_model(config, member, examples[task].task, trained)
        if config.tuning_epochs:
            train_alone(
                experiment,
                f"{name}-{task}",
                model,
                examples[task],
                config.tuning_epochs,
            )
        path = member_folder(experiment, name, task)
        if experiment.folder.writes and not path.exists():
            model = experiment.portable({name: model})[name]
            export.to_preset(model, path, examples[task].task.label_names)
        del model
        gc.collect()


def train_alone(experiment, name, model, examples, epochs):
    """Trains a model on the labels of one task; the best epoch is kept."""
    tokenized = experiment.tokenize(examples, model.preprocessor)
    experiment.run(
        [
            experiment.label_stage(
                name, model, tokenized, experiment.config.rate, epochs
            )
        ]
    )


def member_folder(experiment, name, task):
    """Where a member lies that was fine-tuned on a task."""
    return experiment.folder.path / "members" / name / task


def make_ensemble(experiment, kept, examples):
    """The members that teach a task, as one teacher."""
    task = examples.task
    return teachers.TeacherEnsemble(
        [member_folder(experiment, name, task.name) for name in kept],
        label_names=task.label_names,
        problem_type=task.problem_type,
        sequence_length=experiment.config.sequence_length
        or task.sequence_length,
        task_class=task.model_class,
    )


def train_students(experiment, examples, ensembles):
    """Trains the student; returns it, and what stands beside it by name."""
    config = experiment.config
    made = {}
    if "single" in config.baseline_names:
        made["single"] = {}
        for name, one in examples.items():
            model = make_single_model(config, config.student_start, one.task)
            train_alone(experiment, f"single-{name}", model, one, config.epochs)
            made["single"][name] = model
    if "multi" in config.baseline_names:
        model = make_model(config, config.student_start, tasks_of(examples))
        train_together(experiment, "multi", model, examples)
        made["multi"] = dict(model.task_models)
    student = make_model(config, config.student_start, tasks_of(examples))
    caches = {
        name: soft_labels(
            experiment, student.task_models[name], examples[name], ensemble
        )
        for name, ensemble in ensembles.items()
    }
    train_together(experiment, "student", student, examples, caches)
    if config.student_tuning_epochs:
        made["tuned"] = {}
        for name, one in examples.items():
            model = make_single_model(
                config, config.student_start, one.task, student
            )
            train_alone(
                experiment,
                f"student-{name}",
                model,
                one,
                config.student_tuning_epochs,
            )
            made["tuned"][name] = model
    return student, made


def soft_labels(experiment, model, examples, ensemble):
    """What an ensemble says of the rows of a task, computed once.

    Of tags it is put together token by token, those that the model reads.
    """
    tokenized = experiment.tokenize(examples, model.preprocessor)
    return experiment.cache(
        experiment.folder.path / "soft_labels" / examples.task.name,
        ensemble,
        tokenized.train,
        raw=examples.train,
    )


def tasks_of(examples):
    """The tasks of a run."""
    return [one.task for one in examples.values()]
