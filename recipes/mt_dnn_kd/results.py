"""What a run leaves: the student, ready to serve, and all models' scores."""

import statistics

from keras_distill import export
from keras_distill import io
from recipes.common.tables import percent
from recipes.common.tables import show_table

FILE = "results.json"
LEAVES = ("student", "serving", FILE, "results.md")
ENSEMBLE = "ensemble"
# The columns of the table, and what a reader should know them by.
_TITLES = {
    "single": "a model for each task",
    "multi": "one model, without distillation",
    ENSEMBLE: "ensemble",
    "student": "one model, distilled",
    "tuned": "the same, fine-tuned",
}


def finish(experiment, examples, ensembles, student, made):
    """Exports the student, measures all models, and says what it took.

    Args:
        experiment: `Experiment`.
        examples, ensembles, student, made: What `train_all` returns.

    Returns:
        dict, the content of `results.json`, or `None` on a machine that
        trained for another one.
    """
    config, folder = experiment.config, experiment.folder
    if not folder.writes:
        return None
    student = experiment.portable({"student": student})["student"]
    export_student(experiment, student, examples)
    made = {name: experiment.portable(found) for name, found in made.items()}
    made["student"] = dict(student.task_models)
    folder.say("Measuring all models")
    scores = {
        task: scores_of_task(
            experiment,
            one,
            {name: found[task] for name, found in made.items()},
            ensembles.get(task),
        )
        for task, one in examples.items()
    }
    found = {
        "scores": scores,
        "metrics": {
            task: one.task.selection_metric for task, one in examples.items()
        },
        "rows": {
            task: {"train": len(one.train), "dev": len(one.dev)}
            for task, one in examples.items()
        },
        "taught": list(ensembles),
        "members": {
            task: [member.name for member in ensemble.members]
            for task, ensemble in ensembles.items()
        },
        "notes": [note for one in examples.values() for note in one.notes()],
        "parameters": student.count_params(),
        "stages": {
            name: {"seconds": done.seconds, "history": done.history}
            for name, done in experiment.results.items()
        },
        "command": folder.command,
        "config": config.settings(),
    }
    io.write_json(folder.path / FILE, io.plain(found))
    show_table(folder.path / "results.md", table(found))
    return found


def export_student(experiment, student, examples):
    """Leaves each task's model as a preset, and all in one SavedModel."""
    path = experiment.folder.path
    experiment.folder.say("Writing the student and the SavedModel")
    for name, model in student.task_models.items():
        export.to_preset(
            model, path / "student" / name, examples[name].task.label_names
        )
    export.to_multi_task_saved_model(
        student,
        path / "serving" / "1",
        tasks=[one.task for one in examples.values()],
        overwrite=True,
    )


def scores_of_task(experiment, examples, models, ensemble):
    """The metrics of a task: dict of model to what the task scores."""
    found = {}
    if ensemble is not None:
        found[ENSEMBLE] = scores_of_ensemble(experiment, examples, ensemble)
    for name, model in models.items():
        tokenized = experiment.tokenize(examples, model.preprocessor)
        found[name] = tokenized.score(model)
    return {name: found[name] for name in _TITLES if name in found}


def scores_of_ensemble(experiment, examples, ensemble):
    """What the members of a task score together, one in memory at a time."""
    task, splits = examples.task, {"dev": examples.dev, **examples.further}
    found = {}
    for split, rows in splits.items():
        outputs = task.predict_examples(
            ensemble,
            rows,
            experiment.config.sequence_length or task.sequence_length,
            cache_dir=experiment.cache_dir / "tokens",
        )
        for metric, value in task.score(rows, outputs).items():
            found[metric if split == "dev" else f"{metric}_{split}"] = value
    return found


def table(found):
    """The scores as Markdown: tasks with an ensemble, then those without."""
    models = dict.fromkeys(
        name for one in found["scores"].values() for name in one
    )
    names = [name for name in _TITLES if name in models]
    taught = [task for task in found["scores"] if task in found["taught"]]
    others = [task for task in found["scores"] if task not in taught]
    parts = [
        _part(found, "tasks with soft labels", taught, names),
        _part(
            found,
            "tasks without soft labels",
            others,
            [name for name in names if name != ENSEMBLE],
        ),
    ]
    return "\n".join(part for part in parts if part)


def _part(found, title, tasks, names):
    """The table of some tasks, with the mean of each model."""
    if not tasks:
        return ""
    rows, columns = [], {name: [] for name in names}
    for task in tasks:
        for metric in _metrics(found, task):
            values = [found["scores"][task][name].get(metric) for name in names]
            in_words = metric.replace("_", " ")
            rows.append([f"{task}, {in_words} × 100", *map(percent, values)])
            if metric == found["metrics"][task]:
                for name, value in zip(names, values, strict=True):
                    columns[name].append(value)
    if len(tasks) > 1:
        means = [percent(statistics.fmean(columns[name])) for name in names]
        rows.append(["mean of the first of each task", *means])
    return io.markdown_table([title, *(_TITLES[n] for n in names)], rows)


def _metrics(found, task):
    """The metrics of a task that are numbers, the one that selects first."""
    first = found["metrics"][task]
    scores = next(iter(found["scores"][task].values()))
    others = [
        name
        for name, value in scores.items()
        if name != first and not isinstance(value, dict)
    ]
    return [first, *others]
