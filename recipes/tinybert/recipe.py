"""TinyBERT's task distillation: teacher, two steps, baseline, report."""

import dataclasses
import shlex
import sys

import keras

from keras_distill import evaluation
from keras_distill import export
from keras_distill import io
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import stages
from keras_distill import students
from keras_distill import tasks
from keras_distill import teachers
from recipes.common.devices import begin_strategy
from recipes.common.devices import on_one_device
from recipes.common.devices import stage_options
from recipes.common.student_size import parse_size
from recipes.common.training import check_fine_tuning
from recipes.common.training import dev_splits
from recipes.common.training import keep_best
from recipes.common.training import label_loss
from recipes.common.training import make_optimizer
from recipes.common.training import measure
from recipes.common.training import select_by

# What it leaves beside what `RunFolder` keeps.
_LEAVES = (
    *("report.html", "report.json", "report.md"),
    *("teacher", "student", "serving", "tokens", "teacher_features"),
)


def run(config, run_dir, quiet=False, resume=True):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder holds `report.html` (`.json`, `.md`), `teacher/` and `student/`
    (KerasHub presets), `serving/1/` (a SavedModel), `tokens/` (the tokenised
    data) and what `keras_distill.stages.RunFolder` keeps. A run that was
    stopped goes on from its last checkpoint.

    Args:
        config: `Config`.
        run_dir: str. The folder.
        quiet: bool. Whether to show nothing but the result.
        resume: bool. Whether to go on with the run that is there; otherwise
            it is renamed and a new one begins. Defaults to `True`.

    Returns:
        `keras_distill.evaluation.Comparison`, or `None` on a machine that
        trained for another one.
    """
    student_size = parse_size(config.student)
    # First of all, since a strategy sets up the devices.
    scope = begin_strategy(config.strategy)
    with stages.RunFolder(
        run_dir, dataclasses.asdict(config), resume, quiet, _LEAVES
    ) as folder:
        recipe = _Recipe(config, folder, student_size)
        with scope:
            models = recipe.train()
        return recipe.finish(models) if folder.writes else None


class _Recipe:
    def __init__(self, config, folder, student_size):
        self.config = config
        self.folder = folder
        self.student_size = student_size

    def train(self):
        """Trains all models; returns them by name."""
        self.folder.say("Reading and tokenising the data")
        self.task, splits = tasks.load(
            self.config.task,
            data_dir=self.config.glue_dir,
            encoding=self.config.encoding,
            skip_bad_rows=self.config.skip_bad_rows,
        )
        self.task = select_by(self.task, self.config.metric)
        # Of MNLI, which has two, the first one chooses.
        self.dev_name, *others = dev_splits(splits) or ["dev"]
        self.examples = splits[self.dev_name]
        self.further = {name: splits[name] for name in others}
        self._load_teacher(splits["train"])
        self.features = self._features_of_step_1()
        self.results = self._run_stages(self._teacher_stages())
        self._check_teacher()
        models = {"teacher": self.teacher}
        if self._baseline_epochs():
            # Its embeddings are random: the teacher's are the teacher's help.
            models["baseline"] = self._create_student("random")
        models["student"] = self._create_student(self.config.embeddings)
        self.results |= self._run_stages(self._student_stages(models))
        return models

    def _load_teacher(self, train):
        config, task = self.config, self.task
        length = config.sequence_length or task.sequence_length
        keras.utils.set_random_seed(config.seed)
        loaded = teachers.load_teacher(config.teacher, task.num_outputs, length)
        check_fine_tuning(config, loaded)
        task.check_teacher(loaded, repr(config.teacher))
        self.teacher = loaded.classifier
        self.teacher_epochs = 0 if loaded.has_head else config.teacher_epochs
        if config.max_train_examples is not None:
            train = train.take(config.max_train_examples)
        preprocessor = self.teacher.preprocessor
        cache_dir = self.folder.path / "tokens"
        self.train, self.dev = (
            tasks.TokenizedExamples(
                examples, preprocessor, length, cache_dir=cache_dir
            )
            for examples in (train, self.examples)
        )

    def _create_student(self, embeddings):
        keras.utils.set_random_seed(self.config.seed)
        return students.create_student(
            self.teacher,
            embeddings=embeddings,
            quiet=self.folder.quiet,
            **self.student_size,
        )

    def _features_of_step_1(self):
        """The features of the teacher that step 1 reads.

        Raises if the student's layers cannot learn from the teacher's: better
        now than when the teacher is fine-tuned.
        """
        if not self.config.intermediate_epochs:
            return []
        student = self._create_student("random")
        stage = self._intermediate_stage(student, self.teacher, self.train)
        return stage.build().objective.teacher_features()

    def _run_stages(self, listed):
        return stages.run_stages(listed, self.folder, seed=self.config.seed)

    def _teacher_stages(self):
        if not self.teacher_epochs:
            return []
        return [
            self._label_stage(
                "teacher",
                self.teacher,
                self.config.teacher_rate,
                self.teacher_epochs,
                self.config.teacher_batch_size,
            )
        ]

    def _student_stages(self, models):
        config, student = self.config, models["student"]
        teacher, train = self.teacher, self.train
        kept = self._kept_features()
        if self.features and config.teacher_features != "live":
            teacher, train = kept, kept.attach(train, self.features)
        listed = []
        if config.intermediate_epochs:
            listed.append(self._intermediate_stage(student, teacher, train))
        if config.prediction_epochs:
            listed.append(self._prediction_stage(student, kept))
        if "baseline" in models:
            listed.append(
                self._label_stage(
                    "baseline",
                    models["baseline"],
                    config.baseline_rate,
                    self._baseline_epochs(),
                    config.batch_size,
                )
            )
        return listed

    def _kept_features(self):
        """What is computed once of the teacher, or `None` for nothing."""
        config = self.config
        is_live = config.teacher_features == "live"
        features = [] if is_live else list(self.features)
        if config.prediction_epochs:
            features.append("logits")
        if not features:
            return None
        self.folder.say(f"Computing the teacher's {', '.join(features)}")
        return teachers.TeacherCache.write(
            self.folder.path / "teacher_features",
            self.teacher,
            self.train,
            features,
            "float32" if is_live else config.teacher_features,
            # Features look like noise: zlib takes long and saves little.
            compression=None,
            quiet=self.folder.quiet,
            replace=not self.folder.has_trained(),
        )

    def _intermediate_stage(self, student, teacher, train):
        """Step 1: embeddings, hidden states and attention."""
        config = self.config
        official = config.normalization == "official"
        mapping = getattr(layer_map, config.layer_map)
        is_constant = config.intermediate_schedule == "constant"
        return stages.Stage(
            "intermediate",
            student,
            train,
            teacher=teacher,
            distillation_losses=[
                losses.HiddenStatesDistillation(
                    mapping,
                    include_embeddings=True,
                    projection="shared",
                    normalization="official" if official else "valid_tokens",
                ),
                losses.AttentionDistillation(
                    mapping,
                    normalization="official" if official else "valid_pairs",
                ),
            ],
            student_loss_weight=0,
            optimizer=lambda steps: make_optimizer(
                config, config.intermediate_rate, None if is_constant else steps
            ),
            epochs=config.intermediate_epochs,
            batch_size=config.batch_size,
            **self._device_options(fixed_length=official),
        )

    def _prediction_stage(self, student, soft_targets):
        """Step 2: soft targets."""
        config = self.config
        official = config.normalization == "official"
        use_labels = config.prediction_target == "labels"
        return stages.Stage(
            "prediction",
            student,
            soft_targets.attach(self.train, "logits"),
            teacher=soft_targets,
            distillation_losses=self.task.output_distillation(
                config.temperature,
                soft_loss="cross_entropy",
                normalization="official" if official else "sum_over_classes",
            ),
            student_loss_weight=1 if use_labels else 0,
            loss=label_loss(self.task) if use_labels else None,
            optimizer=lambda steps: make_optimizer(
                config, config.prediction_rate, steps
            ),
            epochs=config.prediction_epochs,
            batch_size=config.batch_size,
            **self._device_options(),
            keep=keep_best(student, self.task, self.dev),
        )

    def _label_stage(self, name, model, rate, epochs, batch_size):
        """Training on the labels alone, of the teacher or the baseline."""
        return stages.Stage(
            name,
            model,
            self.train,
            loss=label_loss(self.task),
            optimizer=lambda steps: make_optimizer(self.config, rate, steps),
            epochs=epochs,
            batch_size=batch_size,
            keep=keep_best(model, self.task, self.dev),
            **self._device_options(),
        )

    def _device_options(self, fixed_length=False):
        return stage_options(
            self.config.strategy, self.train.sequence_length, fixed_length
        )

    def _check_teacher(self):
        metric = self.task.selection_metric
        score = measure(self.teacher, self.task, self.dev)[metric]
        self.folder.say(
            f"The teacher's {metric} on the dev split is {score:.4f}"
        )
        teachers.check_trained(
            score,
            tasks.chance_level(self.task, self.examples.labels),
            metric,
            self.config.allow_untrained_teacher,
        )

    def _baseline_epochs(self):
        if self.config.baseline_epochs is not None:
            return self.config.baseline_epochs
        return self.config.intermediate_epochs + self.config.prediction_epochs

    def finish(self, models):
        """Measures, exports and reports."""
        folder, task = self.folder.path, self.task
        if self.config.strategy != "none":
            models = {k: on_one_device(v) for k, v in models.items()}
        teacher_folder = folder / "teacher"
        if not teacher_folder.exists():
            export.to_preset(
                models["teacher"], teacher_folder, task.label_names
            )
        student = models["student"]
        self.folder.say("Measuring quality, size and speed")
        comparison = evaluation.compare(
            models,
            task,
            self.examples,
            further_splits=self.further,
            quiet=self.folder.quiet,
        )
        self.folder.say("Writing the student, the SavedModel and the report")
        export.to_preset(student, folder / "student", task.label_names)
        export.to_saved_model(
            student,
            folder / "serving" / "1",
            task=task,
            sequence_length=student.preprocessor.sequence_length,
            overwrite=True,
        )
        report = self._write_report(comparison)
        console = io.make_console(soft_wrap=True, highlight=False)
        console.print(comparison.table())
        console.print(f"Report: {report}")
        return comparison

    def _write_report(self, comparison):
        config, results = self.config, self.results
        return evaluation.write_report(
            self.folder.path,
            comparison,
            title=f"TinyBERT: {config.teacher} to {config.student} "
            f"on {config.task}",
            histories={
                stage: result.history for stage, result in results.items()
            },
            seeds=[config.seed],
            command="python -m recipes.tinybert " + shlex.join(sys.argv[1:]),
            config=dataclasses.asdict(config),
            timings={
                stage: result.seconds for stage, result in results.items()
            },
            notes=self._notes(),
            baseline="baseline" if "baseline" in results else None,
        )

    def _notes(self):
        notes = [
            f"Quality is measured on the {self.dev_name} split, on which the "
            "best epochs were chosen as well.",
            stages.shipped_weights(
                {
                    name: self.results[name]
                    for name in ("intermediate", "prediction")
                    if name in self.results
                }
            ),
        ]
        notes += [
            f"Nothing was chosen on the {name} split, which is measured too."
            for name in self.further
        ]
        if self._baseline_epochs():
            notes.append(
                "The baseline is the student's architecture with random "
                "embeddings, trained on the labels alone for "
                f"{self._baseline_epochs()} epochs."
            )
        return notes
