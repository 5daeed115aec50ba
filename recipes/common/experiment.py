"""What every recipe does around its method, in one run folder."""

import contextlib
import dataclasses

from keras_distill import corpora
from keras_distill import evaluation
from keras_distill import export
from keras_distill import io
from keras_distill import stages
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.io.saving import local_path
from recipes.common import models
from recipes.common import submission
from recipes.common.devices import begin_devices
from recipes.common.devices import on_one_device
from recipes.common.devices import stage_options
from recipes.common.ensembles import first_of
from recipes.common.ensembles import is_ensemble
from recipes.common.ensembles import members_of
from recipes.common.ensembles import teacher_of
from recipes.common.ensembles import with_other_models
from recipes.common.reading import read_augmented
from recipes.common.reading import read_task
from recipes.common.reading import select_by
from recipes.common.tables import languages_table
from recipes.common.tables import show_table
from recipes.common.task_data import from_splits
from recipes.common.training import make_optimizer

# What a recipe leaves beside what `RunFolder` keeps.
_LEAVES = (
    *("report.html", "report.json", "report.md", "languages.md"),
    *("teacher", "student", "tokens", "stages.md", *submission.LEAVES),
)


class Experiment:
    """One run of a recipe: data, models, stages, report and exports.

    A recipe says what its paper does:

    ```python
    with Experiment.begin(config, run_dir) as experiment:
        examples = experiment.read(config.main_task)
        with experiment.scope:
            loaded = experiment.load_teacher(examples)
            teacher = loaded.classifier
            data = experiment.tokenize(examples, teacher.preprocessor)
            experiment.fine_tune(loaded, data)
            student = experiment.student(teacher)
            experiment.run([experiment.stage("distil", student, ...)])
        models = {"teacher": teacher, "student": student}
        experiment.finish("Mine", models, examples, ["distil"])
    ```

    `examples` are a task's as they were read, `data` the same, tokenised: both
    are `recipes.common.task_data.TaskData`. Models are KerasHub tasks.

    What needs no folder is done by functions, so that it may fail before there
    is one: `reading.read_task`, `models.load_teacher`, `models.create_student`.

    Args:
        config: `Config` with `DataOptions`, `TeacherOptions`,
            `TrainingOptions` and `DeviceOptions`.
        folder: `keras_distill.stages.RunFolder`.
        scope: Context manager in which models are made that are trained.
            Defaults to none.
        cache_dir: Optional path of a folder for token ids, which any runs may
            share. Defaults to the run's folder.

    Attributes:
        config: The configuration.
        folder: The run's folder.
        scope: The context manager.
        cache_dir: `pathlib.Path`.
        results: dict of stage name to `keras_distill.stages.StageResult`.
        test_files: `recipes.common.submission.TestFiles`, or `None` where
            none are asked for.
    """

    def __init__(self, config, folder, scope=None, cache_dir=None):
        self.config = config
        self.folder = folder
        self.scope = scope or contextlib.nullcontext()
        self.cache_dir = local_path(cache_dir or folder.path)
        self.results = {}
        self.test_files = None
        self._listed = []

    @classmethod
    @contextlib.contextmanager
    def begin(
        cls,
        config,
        run_dir,
        quiet=False,
        resume=True,
        leaves=(),
        settings=None,
        inputs=None,
        check=None,
        **options,
    ):
        """Sets up the devices and opens the run's folder.

        Args:
            config: `Config`.
            run_dir: Path of the folder.
            quiet: bool. Whether to show nothing but the result.
            resume: bool. Whether to go on with the run that is there;
                otherwise it is renamed and a new one begins.
            leaves: sequence of str. What the recipe leaves in its folder
                beside what all do.
            settings: Optional dict: what the folder notes as its
                configuration. Defaults to all of `config`.
            inputs: Optional dict, as `RunFolder` takes it.
            check: Optional function without arguments, which raises on what
                is not there or does not fit. It is called once the devices
                are set up and before the folder, which would remember what
                was wrong.
            **options: Further arguments of the class.

        Returns:
            Context manager that gives the `Experiment`.
        """
        # First of all, since a strategy sets up the devices.
        with begin_devices(config.strategy, config.precision) as scope:
            if check is not None:
                check()
            if settings is None:
                settings = config.settings()
            with stages.RunFolder(
                run_dir, settings, resume, quiet, (*_LEAVES, *leaves), inputs
            ) as folder:
                yield cls(config, folder, scope, **options)

    def read(self, name):
        """Opens a task of the configuration, with the rows that it uses."""
        self.folder.say(f"Reading {name}")
        task, splits = read_task(name, self.config, self.folder.quiet)
        if task.label_names is not None:
            # A label that is mistyped shows here.
            self.folder.say(f"Labels: {', '.join(task.label_names)}")
        if name == self.config.main_task:
            task = select_by(task, self.config.metric)
            if self.config.predict_test:
                # What is wrong with them is said before hours of training.
                self.test_files = submission.TestFiles.read(self.config)
                for note in self.test_files.notes():
                    self.folder.say(note)
        examples = from_splits(task, splits, self.config.select_on)
        examples = examples.limited(self.config)
        if name != self.config.main_task or self.config.augmented is None:
            return examples
        self.folder.say(f"Reading {self.config.augmented}")
        return dataclasses.replace(
            examples, augmented=read_augmented(task, self.config)
        )

    def tokenize(self, examples, preprocessor):
        """Tokenises a task's examples, or takes what an earlier start left."""
        return examples.tokenize(
            preprocessor, self.config.sequence_length, self.cache_dir / "tokens"
        )

    def read_corpus(self, preprocessor):
        """The configuration's plain text, tokenised once."""
        config, folder = self.config, self.folder
        folder.say(f"Reading {config.corpus}")
        return corpora.tokenize_corpus(
            config.corpus,
            preprocessor,
            self.cache_dir / "corpus",
            config.encoding,
            config.data_dir,
            config.reading_workers,
            folder.hash_of,
            folder.quiet,
        )

    def load_teacher(self, examples):
        """A teacher of a task, not yet fine-tuned."""
        return models.load_teacher(self.config, examples.task)

    def fine_tune(self, loaded, data, name="teacher"):
        """Fine-tunes a teacher unless it has a trained head, and checks it.

        Each of several is fine-tuned alone, and all are checked together.
        """
        config, task = self.config, data.task
        members = members_of(loaded)
        listed = []
        for number, one in enumerate(members, start=1):
            if one.has_head or not config.teacher_epochs:
                continue
            own = data
            if one.classifier is not loaded.classifier:
                preprocessor = one.classifier.preprocessor
                own = self.tokenize(data.raw, preprocessor)
            listed.append(
                self.label_stage(
                    name if len(members) == 1 else f"{name}-{number}",
                    one.classifier,
                    own,
                    config.teacher_rate,
                    config.teacher_epochs,
                    batch_size=config.teacher_batch_size,
                )
            )
        if listed:
            self.run(listed)
        metric = task.selection_metric
        score = data.measure(teacher_of(loaded))[metric]
        self.folder.say(
            f"The teacher's {metric} on the {data.validation_name} is "
            f"{score:.4f} ({len(data.validation):,} examples of {task.name})"
        )
        teachers.check_trained(
            score, data.chance(), metric, config.allow_untrained_teacher
        )

    def teacher(self, examples, name="teacher"):
        """A task's teacher, fine-tuned if need be, and its tokenised data."""
        loaded = self.load_teacher(examples)
        data = self.tokenize(examples, loaded.classifier.preprocessor)
        self.fine_tune(loaded, data, name)
        return teacher_of(loaded), data

    def student(self, teacher, quiet=False, **options):
        """The student of the configuration, as it is before any stage."""
        student, start = models.create_student(self.config, teacher, **options)
        if not quiet:
            self.folder.say(start)
        return student

    def cache(
        self,
        path,
        teacher,
        examples,
        features=("logits",),
        raw=None,
        **options,
    ):
        """Features of a teacher, computed once.

        Each of several teachers tokenises `raw`, the rows as they were read,
        for itself. Tags are put together token by token, of one tokenizer.
        """
        if is_ensemble(teacher) and isinstance(raw, tasks.Examples):
            examples = raw
        self.folder.say(f"Computing the teacher's {', '.join(features)}")
        return teachers.TeacherCache.write(
            path,
            teacher,
            examples,
            features,
            quiet=self.folder.quiet,
            replace=not self.folder.has_trained(),
            **options,
        )

    def stage(
        self,
        name,
        model,
        train,
        rate,
        epochs,
        schedule=None,
        fixed_length=False,
        **options,
    ):
        """A stage, trained as the configuration says.

        Args:
            name: str.
            model: KerasHub task that is trained.
            train: What it is trained on, tokenised.
            rate: float. Peak learning rate.
            epochs: int. The most epochs.
            schedule: Optional str, `"linear"` or `"constant"`. Defaults to
                the configuration's.
            fixed_length: bool. Whether all batches are as long as the longest
                example may be. Defaults to `False`.
            **options: Further arguments of `keras_distill.stages.Stage`.

        Returns:
            `keras_distill.stages.Stage`.
        """
        config = self.config
        is_constant = (schedule or config.schedule) == "constant"
        return stages.Stage(
            name,
            model,
            train,
            **{
                "optimizer": lambda steps: make_optimizer(
                    config, rate, None if is_constant else steps
                ),
                "epochs": epochs,
                "batch_size": config.batch_size,
                **stage_options(
                    config.strategy,
                    train.sequence_length,
                    fixed_length,
                    config.short_batches,
                ),
                **options,
            },
        )

    def label_stage(self, name, model, data, rate, epochs, **options):
        """Training on the labels alone; the best epoch is kept."""
        return self.stage(
            name,
            model,
            data.train,
            rate,
            epochs,
            loss=data.task.label_loss(),
            **self.chosen_by_metric(data),
            **options,
        )

    def chosen_by_metric(self, data):
        """Options of a stage whose best epoch by the task's metric is kept."""
        return {
            "validation": data.validation,
            "task": data.task,
            "patience": self.config.patience,
            "evaluate_every": self.config.evaluate_every or None,
        }

    def run(self, listed):
        """Runs stages, or takes what they left.

        They are shown first, and added to the folder's `stages.md`.
        """
        names = [stage.name for stage in listed]
        # What is run again is taken from the folder.
        self._listed = [
            *(stage for stage in self._listed if stage.name not in names),
            *listed,
        ]
        self.folder.say(stages.stage_table(listed))
        # The table makes optimizers, whose variables several workers make
        # together or not at all.
        table = stages.stage_table(self._listed)
        if self.folder.writes:
            io.write_text(self.folder.path / "stages.md", table)
        self.results |= stages.run_stages(
            listed, self.folder, seed=self.config.seed
        )

    def portable(self, made):
        """Models outside of the strategy that they were made in."""
        if self.config.strategy == "none":
            return made
        return {
            name: with_other_models(model, on_one_device)
            if is_ensemble(model)
            else on_one_device(model)
            for name, model in made.items()
        }

    def finish(self, title, made, examples, of_student, notes=()):
        """Exports teacher and student, measures all models and reports.

        The folder has `report.html` (`.json`, `.md`), `teacher/` and
        `student/` (KerasHub presets) and `serving/1/` (a SavedModel) then,
        beside `tokens/` (the tokenised data) and `stages.md`; with
        `predict_test` also `predictions/` and `submission.zip`.

        Args:
            title: str.
            made: dict of name to KerasHub task: `"student"`, `"teacher"` if
                there is one, and what stands beside them. `"baseline"` is the
                student without a teacher.
            examples: `TaskData`, as it was read.
            of_student: sequence of str. The stages that the student may have
                gone through, in their order.
            notes: sequence of str. What a reader should know besides.

        Returns:
            `keras_distill.evaluation.Comparison`, or `None` on a machine that
            trained for another one.
        """
        if not self.folder.writes:
            return None
        made = self.portable(made)
        if "teacher" in made:
            self.export_teacher(made["teacher"], examples.task)
        self.export_student(made["student"], examples.task)
        if self.test_files is not None:
            said = self.test_files.predict(
                made["student"],
                self.folder.path,
                self.config.sequence_length,
                self.cache_dir / "tokens",
            )
            for line in said:
                self.folder.say(line)
        return self.report(title, made, examples, of_student, notes)

    def report(self, title, made, examples, of_student, notes=()):
        """Measures quality, size and speed from raw text on, and reports."""
        results = self.results
        self.folder.say("Measuring quality, size and speed")
        served = self.folder.path / "serving" / "1"
        comparison = evaluation.compare(
            made,
            examples.task,
            examples.dev,
            reference="teacher" if "teacher" in made else "student",
            further_splits=examples.further,
            # What is timed is what is shipped, where a SavedModel is.
            saved_models={"student": served} if served.is_dir() else {},
            quiet=self.folder.quiet,
        )
        report = evaluation.write_report(
            self.folder.path,
            comparison,
            title=title,
            histories={name: done.history for name, done in results.items()},
            seeds=[self.config.seed],
            command=self.folder.command,
            config=self.config.settings(),
            timings={name: done.seconds for name, done in results.items()},
            notes=[
                *examples.notes(),
                stages.shipped_weights(
                    {k: results[k] for k in of_student if k in results}
                ),
                *self._note_on_baseline(),
                *notes,
            ],
            baseline="baseline" if "baseline" in made else None,
        )
        console = io.make_console(soft_wrap=True, highlight=False)
        console.print(comparison.table())
        if hasattr(examples.dev, "languages"):
            table = languages_table(self.scores(made, examples))
            show_table(self.folder.path / "languages.md", table)
        console.print(f"Report: {report}")
        return comparison

    def scores(self, made, examples):
        """The metrics of models, those of each language among them."""
        return {
            name: self.tokenize(examples, first_of(model).preprocessor).score(
                model
            )
            for name, model in made.items()
        }

    def _note_on_baseline(self):
        if "baseline" not in self.results:
            return []
        epochs = len(self.results["baseline"].history["loss"])
        return [
            "The baseline is the student's architecture with random weights, "
            f"trained on the labels alone for {epochs} epochs."
        ]

    def export_teacher(self, teacher, task):
        """Leaves the teacher, unless an earlier start did.

        Several are `teacher/1`, `teacher/2` and so on.
        """
        path = self.folder.path / "teacher"
        if not is_ensemble(teacher):
            if not path.exists():
                export.to_preset(teacher, path, task.label_names)
            return
        for member, model in zip(
            teacher.members, teachers.members_of(teacher), strict=True
        ):
            own = path / str(member.number)
            if not own.exists():
                labels = member.label_names or task.label_names
                export.to_preset(model, own, labels)

    def export_student(self, student, task):
        """Leaves the student as a preset and as a SavedModel."""
        path = self.folder.path
        self.folder.say("Writing the student and the SavedModel")
        export.to_preset(student, path / "student", task.label_names)
        export.to_saved_model(
            student,
            path / "serving" / "1",
            task=task,
            sequence_length=student.preprocessor.sequence_length,
            overwrite=True,
        )
