"""A recipe on every task of GLUE, one after the other, and GLUE's table."""

import gc

from keras_distill import evaluation
from keras_distill import io
from keras_distill import layer_map as layer_maps
from keras_distill import stages
from keras_distill import tasks
from keras_distill.io.saving import local_path
from keras_distill.stages.identity import data_identity
from recipes.common import models
from recipes.common import submission
from recipes.common.devices import begin_devices
from recipes.common.reading import GLUE
from recipes.common.reading import read_augmented
from recipes.common.reading import read_task
from recipes.common.task_data import from_splits

# The smaller ones first, so that there are results early.
_ORDER = "wnli rte mrpc stsb cola sst2 qnli qqp mnli".split()
# Its dev split contradicts its training split: hardly a teacher is better than
# chance.
_NOT_LEARNT = ("wnli",)
_LEAVES = (
    *("glue.json", "glue.md", "report.html", "report.json", "report.md"),
    *(submission.SUBMISSION, *_ORDER),
)


def run_glue(
    config,
    run_dir,
    run,
    quiet=False,
    resume=True,
    layer_map=layer_maps.uniform,
):
    """Runs a recipe on each task of GLUE that is there, and reports on all.

    Before anything is trained all tasks are read, and teacher and student of
    each are made: tasks that are not there are named and left out, and what
    is wrong with others ends the run. A task that fails later is named when
    the others are done. The folder holds a run for each task, in a folder of
    its name, which a second call takes if it is done, or goes on with; the
    table (`glue.md`, `glue.json`) and a report about all; with
    `predict_test` also `submission.zip`.

    Args:
        config: `Config` of the task `"glue"`.
        run_dir: Path of the folder.
        run: function of the `Config` of one task, of the path of its folder
            and, by name, of `quiet` and `inputs`, which runs the recipe.
        quiet: bool. Whether to show nothing but the results.
        resume: bool. Whether to go on with the run that is there.
        layer_map: The layers that students may start from, as
            `models.create_student` takes it.

    Returns:
        `keras_distill.evaluation.GlueTable`.

    Raises:
        ValueError: If no task is there, or one fails.
    """
    if config.strategy == "multiworker":
        raise ValueError(
            f"--task {GLUE} is for one machine: its parts wait for no other "
            "one. Received: --strategy multiworker. Run each task itself."
        )
    # Before all models, since a strategy sets up the devices.
    with (
        begin_devices(config.strategy, config.precision),
        stages.RunFolder(
            run_dir, config.settings(), resume, quiet, _LEAVES
        ) as folder,
    ):
        parts = _check(config, folder, layer_map)
        failed = {}
        for number, part in enumerate(parts):
            left = len(parts) - number
            folder.say(f"GLUE: {part.name}, {left} of {len(parts)} tasks left")
            try:
                part.run(run, quiet)
            except (ValueError, OSError, FloatingPointError) as error:
                # Not the error itself, which holds on to the models.
                failed[part.name] = str(error)
                folder.say(f"GLUE: {part.name} failed: {error}")
            gc.collect()
        table = _report(config, folder, parts)
        if config.predict_test:
            found = [part.path / submission.PREDICTIONS for part in parts]
            found = [path for path in found if path.is_dir()]
            if found:
                path = folder.path / submission.SUBMISSION
                folder.say(submission.write_submission(path, found))
        if failed:
            raise ValueError(_in_words("failed; the others are done", failed))
    return table


def config_of(config, name):
    """The configuration of one task.

    In texts `{task}` stands for the task's name and `{folder}` for its folder
    in GLUE. What has no effect on this task is as by default.
    """
    changes = {
        field: value.replace("{task}", name).replace(
            "{folder}", tasks.glue_folder(name)
        )
        for field, value in vars(config).items()
        if isinstance(value, str) and "{" in value
    }
    if name in _NOT_LEARNT:
        changes["allow_untrained_teacher"] = True
    return config.changed(**{**changes, "task": name})


def _with_rows(one, config, folder):
    """Without augmented rows, where `{folder}` or `{task}` names none."""
    if one.augmented == config.augmented:
        return one
    if local_path(one.augmented).is_file():
        return one
    folder.say(
        f"GLUE: {one.task} learns from its own rows, without {one.augmented}"
    )
    return one.changed(augmented=None)


class _Part:
    """The run of one task."""

    def __init__(self, config, name, path):
        self.name = name
        self.path = path
        self.config = config
        self.inputs = None
        self._predicts = ()

    def check(self, task, splits, folder, layer_map):
        """Raises on what the run would fail on later; says what is missing."""
        examples = from_splits(task, splits, self.config.select_on)
        examples = examples.limited(self.config)
        if self.config.predict_test:
            found = submission.TestFiles.read(self.config)
            self._predicts = [file.name for file in found.rows]
            for note in found.notes():
                folder.say(note)
        loaded = models.load_teacher(self.config, task)
        models.create_student(
            self.config, loaded.classifier, layer_map=layer_map
        )
        self.inputs = {
            "train": data_identity(examples.train),
            "dev": data_identity(examples.dev),
            **{k: data_identity(v) for k, v in examples.further.items()},
            "teacher": models.teacher_identity(loaded)["teacher"],
        }
        if self.config.augmented is not None:
            rows = read_augmented(task, self.config)
            self.inputs["augmented"] = data_identity(rows)
        if self.config.student_from is not None:
            start = local_path(self.config.student_from)
            self.inputs["student_from"] = {
                str(file.relative_to(start)): folder.hash_of(file)
                for file in sorted(start.rglob("*"))
                if file.is_file()
            }
        if (self.path / "run.json").is_file():
            # Raises unless it is of the same.
            stages.RunFolder(
                self.path,
                self.config.settings(),
                quiet=folder.quiet,
                inputs=self.inputs,
            ).close("checked")

    def run(self, run, quiet):
        """Runs the recipe, unless that is done."""
        if not self._is_done():
            run(self.config, self.path, quiet=quiet, inputs=self.inputs)

    def found(self):
        """The task's report, or `None`."""
        return io.read_json(self.path / "report.json")

    def _is_done(self):
        there = self.path / submission.PREDICTIONS
        return self.found() is not None and all(
            (there / name).is_file() for name in self._predicts
        )


def _check(config, folder, layer_map):
    """Reads all and makes all models; returns the parts that will be run."""
    parts, missing, failing = [], {}, {}
    for name in _ORDER:
        folder.say(f"GLUE: Checking {name}")
        try:
            one = _with_rows(config_of(config, name), config, folder)
        except ValueError as error:
            failing[name] = str(error)
            continue
        try:
            task, splits = read_task(name, one, folder.quiet)
        except ValueError as error:
            # There is no such folder; nothing was read yet.
            missing[name] = str(error)
            continue
        if "train" not in splits:
            missing[name] = f"No rows to train on in {splits!r}"
            continue
        part = _Part(one, name, folder.path / name)
        try:
            part.check(task, splits, folder, layer_map)
        except (ValueError, OSError) as error:
            failing[name] = str(error)
        parts.append(part)
        # Models hold themselves in circles; the next to come are large.
        gc.collect()
    if failing:
        raise ValueError(_in_words("would fail", failing))
    for name, why in missing.items():
        folder.say(f"GLUE: {name} is not there and left out. {why}")
    if not parts:
        raise ValueError(_in_words("not there", missing))
    return parts


def _report(config, folder, parts):
    """Writes the table and the report of the parts that are done."""
    reports = {
        part.name: report
        for part in parts
        if (report := part.found()) is not None
    }
    table = evaluation.GlueTable(
        {
            name: {
                row["name"]: row["metrics"]
                for row in report["comparison"]["rows"]
            }
            for name, report in reports.items()
        }
    )
    if not reports:
        return table
    io.write_json(folder.path / "glue.json", io.plain(table.to_dict()))
    io.write_text(folder.path / "glue.md", table.to_markdown())
    notes = [
        f"{name}: {note}"
        for name, report in reports.items()
        for note in report["notes"]
    ]
    absent = [name for name in _ORDER if name not in reports]
    if absent:
        notes.insert(0, f"Without {', '.join(absent)}.")
    page = evaluation.write_glue_report(
        folder.path,
        table,
        title=f"GLUE: {config.teacher} to {config.student_in_words}",
        command=folder.command,
        seeds=[config.seed],
        config=config.settings(),
        timings={
            name: sum(report["timings"].values())
            for name, report in reports.items()
        },
        notes=notes,
    )
    console = io.make_console(soft_wrap=True, highlight=False)
    console.print(table.to_markdown())
    console.print(f"Report: {page}")
    return table


def _in_words(what, found):
    listed = "; ".join(f"{name}: {error}" for name, error in found.items())
    return f"Of --task {GLUE} these tasks {what}: {listed}"
