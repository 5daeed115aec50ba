"""XtremeDistilTransformers: distilled on one task, fine-tuned on many."""

import dataclasses
import shlex
import sys

from keras_distill import evaluation
from keras_distill import export
from keras_distill import io
from keras_distill import stages
from recipes.common.devices import begin_strategy
from recipes.common.devices import on_one_device
from recipes.xtremedistil import tables
from recipes.xtremedistil import targets
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.checks import check_folders
from recipes.xtremedistil.labelled_task import TaggingTask
from recipes.xtremedistil.trainer import Trainer

# What it leaves beside what `RunFolder` keeps.
_LEAVES = (
    *("report.html", "report.json", "report.md"),
    *("teacher", "student", "tokens", "result.json", "stages.md"),
    *("targets.json", "targets.md", "languages.md"),
)


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
    belongs to no task), `teacher/`, `report.html` (`.json`, `.md`) about the
    source task or `languages.md` (`.json`) about tags, `targets.md` (`.json`)
    and what `keras_distill.stages.RunFolder` keeps. A run that was stopped
    goes on from its last checkpoint; one that is finished takes further
    targets.

    Args:
        config: `Config`.
        run_dir: Path of the folder.
        quiet: bool. Whether to show nothing but the result.
        resume: bool. Whether to go on with the run that is there; otherwise
            it is renamed and a new one begins. Defaults to `True`.
        cache_dir: Optional path of a folder for token ids and embeddings of
            texts; see `Trainer`.
        logits_dir: Optional path of a folder for the teacher's logits; see
            `Trainer`.
        settings: Optional dict: what the folder notes as its configuration.
            Defaults to `config.source_settings()`.
        inputs: Optional dict that JSON can hold, as
            `keras_distill.stages.RunFolder` takes it.

    Returns:
        dict that JSON can hold, or `None` on a machine that trained for
        another one: `"source"`, the scores of `"teacher"` and `"student"` on
        the source task, and `"targets"`, a list of what `targets.transfer`
        returns.
    """
    check_folders([config.source, *config.target_names], config)
    # Before all models, since a strategy sets up the devices.
    scope = begin_strategy(config.strategy)
    # Before the folder, which would remember what was wrong.
    Checks(quiet).check(config)
    if settings is None:
        settings = config.source_settings()
    with stages.RunFolder(
        run_dir, settings, resume, quiet, _LEAVES, inputs
    ) as folder:
        recipe = _Recipe(config, folder, cache_dir, logits_dir)
        with scope:
            recipe.distil()
            recipe.transfer()
        return recipe.finish() if folder.writes else None


def train_teacher(config, run_dir, quiet=False, resume=True, inputs=None):
    """Fine-tunes the teacher of the source task alone.

    Args:
        config: `Config`.
        run_dir: Path of the folder of the run. The teacher is its `teacher/`.
        quiet: bool. Whether to show nothing.
        resume: bool. As in `run`.
        inputs: Optional dict. As in `run`.

    Returns:
        `pathlib.Path` of the teacher's folder.
    """
    scope = begin_strategy(config.strategy)
    with stages.RunFolder(
        run_dir, config.source_settings(), resume, quiet, _LEAVES, inputs
    ) as folder:
        path = folder.path / "teacher"
        if path.is_dir():
            return path
        trainer = Trainer(config, folder)
        with scope:
            labelled = trainer.read(config.source)
            teacher, _ = trainer.teacher(labelled, "teacher")
        if folder.writes:
            export.to_preset(
                _portable(config, teacher), path, labelled.task.label_names
            )
        return path


class _Recipe:
    def __init__(self, config, folder, cache_dir, logits_dir):
        self.config = config
        self.folder = folder
        self.trainer = Trainer(config, folder, cache_dir, logits_dir)

    def distil(self):
        """The stages of the source task."""
        trainer = self.trainer
        self.labelled = trainer.read(self.config.source)
        self.teacher, self.data = trainer.teacher(self.labelled, "teacher")
        self.student = trainer.create_student(self.teacher)
        texts = trainer.transfer_texts(
            self.labelled, self.data, self.teacher.preprocessor
        )
        transfer = trainer.transfer_data(texts, self.data, self.teacher)
        before = set(trainer.results)
        trainer.distil(self.data, transfer, self.teacher, self.student)
        self.of_student = {
            name: done
            for name, done in trainer.results.items()
            if name not in before
        }

    def transfer(self):
        """The stages of the targets."""
        self.results = [
            targets.transfer(
                self.trainer,
                name,
                targets.transferred_from(self.student),
                targets.rows_of(self.config),
            )
            for name in self.config.target_names
        ]

    def finish(self):
        """Saves, measures and reports."""
        self._save()
        return self._report()

    def _save(self):
        """Leaves the teacher, and the student's encoder for other tasks."""
        path = self.folder.path
        if not (path / "teacher").exists():
            export.to_preset(
                _portable(self.config, self.teacher),
                path / "teacher",
                self.labelled.task.label_names,
            )
        export.to_encoder_preset(
            _portable(self.config, self.student), path / "student"
        )
        self.folder.say(f"The distilled encoder is in {path / 'student'}")

    def _report(self):
        """Measures, and writes what was found."""
        path = self.folder.path
        scores = {
            "teacher": self.data.score(self.teacher),
            "student": self.data.score(self.student),
        }
        found = {
            "source": self.config.source,
            **scores,
            "targets": self.results,
        }
        io.write_json(path / "result.json", io.plain(found))
        console = io.make_console(soft_wrap=True, highlight=False)
        if self.results:
            table = targets_page(self.results)
            io.write_json(path / "targets.json", io.plain(self.results))
            io.write_text(path / "targets.md", table)
            console.print(table)
        if isinstance(self.labelled, TaggingTask):
            table = tables.languages_table(scores)
            io.write_text(path / "languages.md", table)
            console.print(table)
        else:
            console.print(f"Report: {self._write_report()}")
        return found

    def _write_report(self):
        """Quality, size and speed on the source task, from raw text on."""
        config, task = self.config, self.labelled.task
        self.folder.say("Measuring quality, size and speed")
        comparison = evaluation.compare(
            {
                "teacher": _portable(config, self.teacher),
                "student": _portable(config, self.student),
            },
            task,
            self.labelled.dev,
            further_splits=self.labelled.further,
            quiet=self.folder.quiet,
        )
        results = self.trainer.results
        return evaluation.write_report(
            self.folder.path,
            comparison,
            title=f"XtremeDistil: {config.teacher} to {config.student} on "
            f"{config.source}",
            histories={name: done.history for name, done in results.items()},
            seeds=[config.seed],
            command="python -m recipes.xtremedistil "
            + shlex.join(sys.argv[1:]),
            config=dataclasses.asdict(config),
            timings={name: done.seconds for name, done in results.items()},
            notes=self._notes(),
            baseline=None,
        )

    def _notes(self):
        notes = [
            f"Quality is measured on the {self.labelled.dev_name} split, on "
            "which the best epochs were chosen as well.",
            stages.shipped_weights(self.of_student),
        ]
        for result in self.results:
            metric = result["metric"]
            scores = ", ".join(
                f"{row} {tables.percent(found[metric])}"
                for row, found in result["models"].items()
            )
            name = metric.replace("_", " ")
            notes.append(
                f"{result['target']}, {name} × 100 on the {result['dev']} "
                f"split: {scores}."
            )
        return notes


def targets_page(results):
    """The targets' table, what it was measured on, and tags by language.

    Args:
        results: list of dict, as `targets.transfer` returns them.

    Returns:
        str. Markdown.
    """
    lines = [
        f"{result['target']}: {result['examples']} examples of the "
        f"{result['dev']} split, on which the best epochs were chosen as well."
        for result in results
    ]
    parts = [tables.targets_table(results), *lines]
    for result in results:
        of_models = result["models"]
        if all("languages" in scores for scores in of_models.values()):
            parts += [
                f"{result['target']}, by language:",
                tables.languages_table(of_models),
            ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _portable(config, model):
    """The model outside of a strategy."""
    return model if config.strategy == "none" else on_one_device(model)
