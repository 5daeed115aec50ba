"""TinyBERT's task distillation: teacher, two steps, baseline, report."""

import dataclasses
import shlex
import sys

import keras
from rich.console import Console

from keras_distill import Distiller
from keras_distill import evaluation
from keras_distill import export
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import stages
from keras_distill import students
from keras_distill import tasks
from keras_distill import teachers
from recipes.tinybert.training import Trainer
from recipes.tinybert.training import label_loss
from recipes.tinybert.training import make_optimizer


def run(config, run_dir, quiet=False):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder holds `report.html` (`.json`, `.md`), `teacher/` and `student/`
    (KerasHub presets), `serving/1/` (a SavedModel) and what the finished
    steps left. A second run with the same settings reuses that.

    Args:
        config: `Config`.
        run_dir: str. The folder.
        quiet: bool. Whether to show nothing but the result.

    Returns:
        `keras_distill.evaluation.Comparison`.
    """
    return _Recipe(config, run_dir, quiet).run()


class _Recipe:
    def __init__(self, config, run_dir, quiet):
        self.config = config
        self.quiet = quiet
        self.console = Console(soft_wrap=True, highlight=False)
        self.student_size = parse_size(config.student)
        self.folder = stages.RunFolder(run_dir, dataclasses.asdict(config))

    def run(self):
        self._say("Reading and tokenising the data")
        self.task, splits = tasks.load(
            self.config.task, data_dir=self.config.glue_dir
        )
        self.dev_name = next(
            (name for name in splits if name.startswith("dev")), "dev"
        )
        self.examples = splits[self.dev_name]
        self._load_teacher(splits["train"])
        self._step("teacher", self._train_teacher, self.teacher)
        self._check_teacher()
        student = self._create_student(self.config.embeddings)
        self._step("intermediate", self._distil_layers, student)
        self._step("prediction", self._distil_predictions, student)
        models = {"teacher": self.teacher, "student": student}
        if self._baseline_epochs():
            # Its embeddings are random: the teacher's are the teacher's help.
            baseline = self._create_student("random")
            self._step("baseline", self._train_baseline, baseline)
            models = {
                "teacher": self.teacher,
                "baseline": baseline,
                "student": student,
            }
        return self._finish(models)

    def _load_teacher(self, train):
        config, task = self.config, self.task
        length = config.sequence_length or task.sequence_length
        keras.utils.set_random_seed(config.seed)
        loaded = teachers.load_teacher(config.teacher, task.num_outputs, length)
        teachers.check_label_names(
            loaded.label_names, task.label_names, repr(config.teacher)
        )
        self.teacher = loaded.classifier
        self.teacher_epochs = 0 if loaded.has_head else config.teacher_epochs
        if config.max_train_examples is not None:
            train = train.take(config.max_train_examples)
        tokenizer = self.teacher.preprocessor.tokenizer
        self.trainer = Trainer(
            config,
            task,
            tasks.TokenizedExamples(train, tokenizer, length),
            tasks.TokenizedExamples(self.examples, tokenizer, length),
            self.quiet,
        )

    def _create_student(self, embeddings):
        keras.utils.set_random_seed(self.config.seed)
        return students.create_student(
            self.teacher, embeddings=embeddings, **self.student_size
        )

    def _step(self, name, train, model):
        """Trains a model in a step, or takes what the step left."""
        if self.folder.is_done(name):
            self._say(f"Step '{name}' is done, its weights are reused")
            self.folder.load_weights(name, model)
            return
        keras.utils.set_random_seed(self.config.seed)
        self.folder.finish(name, train(model), model)

    def _train_teacher(self, teacher):
        results = {"history": {}, "seconds": 0.0}
        epochs = self.teacher_epochs
        if epochs:
            self._say(f"Fine-tuning the teacher, {epochs} epochs")
            steps = self.trainer.total_steps(epochs)
            teacher.compile(
                make_optimizer(self.config, self.config.teacher_rate, steps),
                loss=label_loss(self.task),
                metrics=None,
            )
            results = self.trainer.fit("Teacher", teacher, epochs, teacher)
        export.to_preset(
            teacher, self.folder.path / "teacher", self.task.label_names
        )
        return results

    def _check_teacher(self):
        metric = self.task.selection_metric
        score = self.trainer.measure(self.teacher)[metric]
        self._say(f"The teacher's {metric} on the dev split is {score:.4f}")
        teachers.check_trained(
            score,
            tasks.chance_level(self.task, self.examples.labels),
            metric,
            self.config.allow_untrained_teacher,
        )

    def _distil_layers(self, student):
        """Step 1: embeddings, hidden states and attention."""
        config = self.config
        official = config.normalization == "official"
        mapping = getattr(layer_map, config.layer_map)
        distiller = Distiller(
            self.teacher,
            student,
            [
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
        )
        epochs = config.intermediate_epochs
        steps = self.trainer.total_steps(epochs)
        if config.intermediate_schedule == "constant":
            steps = None
        distiller.compile(
            make_optimizer(config, config.intermediate_rate, steps)
        )
        self._say(
            f"Step 1 of 2: hidden states and attention, {epochs} epochs",
            *distiller.plan(),
        )
        return self.trainer.fit("Step 1 of 2", distiller, epochs)

    def _distil_predictions(self, student):
        """Step 2: soft targets."""
        config = self.config
        use_labels = config.prediction_target == "labels"
        loss = losses.LogitsDistillation(
            loss="mse" if self.task.is_regression else "cross_entropy",
            temperature=config.temperature,
            normalization="official"
            if config.normalization == "official"
            else "sum_over_classes",
        )
        distiller = Distiller(
            self.teacher,
            student,
            loss,
            student_loss_weight=1 if use_labels else 0,
        )
        epochs = config.prediction_epochs
        distiller.compile(
            make_optimizer(
                config,
                config.prediction_rate,
                self.trainer.total_steps(epochs),
            ),
            loss=label_loss(self.task) if use_labels else None,
        )
        self._say(
            f"Step 2 of 2: predictions, {epochs} epochs", *distiller.plan()
        )
        return self.trainer.fit("Step 2 of 2", distiller, epochs, student)

    def _train_baseline(self, baseline):
        epochs = self._baseline_epochs()
        self._say(f"The same student without a teacher, {epochs} epochs")
        steps = self.trainer.total_steps(epochs)
        baseline.compile(
            make_optimizer(self.config, self.config.baseline_rate, steps),
            loss=label_loss(self.task),
            metrics=None,
        )
        return self.trainer.fit("Baseline", baseline, epochs, baseline)

    def _baseline_epochs(self):
        if self.config.baseline_epochs is not None:
            return self.config.baseline_epochs
        return self.config.intermediate_epochs + self.config.prediction_epochs

    def _finish(self, models):
        folder, task = self.folder.path, self.task
        student = models["student"]
        self._say("Measuring quality, size and speed")
        comparison = evaluation.compare(
            models, task, self.examples, quiet=self.quiet
        )
        self._say("Writing the student, the SavedModel and the report")
        export.to_preset(student, folder / "student", task.label_names)
        export.to_saved_model(
            student,
            folder / "serving" / "1",
            task=task,
            sequence_length=student.preprocessor.sequence_length,
            overwrite=True,
        )
        report = self._write_report(comparison)
        self.console.print(comparison.table())
        self.console.print(f"Report: {report}")
        return comparison

    def _write_report(self, comparison):
        config = self.config
        steps = ("teacher", "intermediate", "prediction", "baseline")
        results = {
            step: self.folder.results(step)
            for step in steps
            if self.folder.is_done(step)
        }
        has_baseline = "baseline" in results
        return evaluation.write_report(
            self.folder.path,
            comparison,
            title=f"TinyBERT: {config.teacher} to {config.student} "
            f"on {config.task}",
            histories={
                step: result["history"]
                for step, result in results.items()
                if result["history"]
            },
            seeds=[config.seed],
            command="python -m recipes.tinybert " + shlex.join(sys.argv[1:]),
            config=dataclasses.asdict(config),
            timings={
                step: result["seconds"] for step, result in results.items()
            },
            notes=self._notes(),
            baseline="baseline" if has_baseline else None,
        )

    def _notes(self):
        notes = [
            f"Quality is measured on the {self.dev_name} split, on which the "
            "best epochs were chosen as well."
        ]
        if self._baseline_epochs():
            notes.append(
                "The baseline is the student's architecture with random "
                "embeddings, trained on the labels alone for "
                f"{self._baseline_epochs()} epochs."
            )
        return notes

    def _say(self, *lines):
        if not self.quiet:
            for line in lines:
                self.console.print(line)


def parse_size(text):
    """Reads a student's size: a preset, or such as `4x312x12x1200`.

    Args:
        text: str. A name of `keras_distill.students.PRESETS`; or layers,
            width, heads and, if not 4 times the width, intermediate width.

    Returns:
        dict of arguments of `keras_distill.students.create_student`.

    Raises:
        ValueError: If it is no such text.
    """
    if text in students.PRESETS:
        return {"preset": text}
    parts = text.split("x")
    if len(parts) not in (3, 4) or not all(part.isdigit() for part in parts):
        raise ValueError(
            "`student` must be a preset "
            f"({', '.join(students.PRESETS)}) or a size such as 4x312x12x1200 "
            f"(layers, width, heads, intermediate width). Received: {text!r}"
        )
    words = ("num_layers", "hidden_dim", "num_heads", "intermediate_dim")
    return dict(zip(words, map(int, parts), strict=False))
