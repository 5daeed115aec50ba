"""XtremeDistil of 2020: a teacher's task in one BiLSTM.

`python -m recipes.xtremedistil.bilstm --source wikiann:en,de ...`

A recurrent student whose words start from the teacher's learns one task, over
texts or tags of words: hidden states of one layer of the teacher, its logits,
the labels; in each of these stages one part after the other is set free, from
the head down to the embeddings.
"""

import dataclasses
import sys

import keras

from keras_distill import export
from keras_distill import io
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import schedules
from keras_distill import students
from recipes.common.command_line import recipe_parser
from recipes.common.command_line import run_recipe
from recipes.common.experiment import Experiment
from recipes.common.models import load_teacher
from recipes.common.option_groups import ChoiceOptions
from recipes.common.option_groups import DeviceOptions
from recipes.common.option_groups import FineTuningOptions
from recipes.common.option_groups import TeacherOptions
from recipes.common.option_groups import TextOptions
from recipes.common.option_groups import TrainingOptions
from recipes.common.option_groups import like
from recipes.common.options import option
from recipes.common.reading import check_folders
from recipes.common.reading import read_task
from recipes.common.tables import percent
from recipes.common.texts import check_texts
from recipes.common.texts import transfer_texts
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.config import HeadOptions
from recipes.xtremedistil.config import SourceOptions
from recipes.xtremedistil.recipe import fine_tuned_teacher
from recipes.xtremedistil.recipe import report
from recipes.xtremedistil.stage_list import Source
from recipes.xtremedistil.stage_list import distilling
from recipes.xtremedistil.stage_list import kept_source


@dataclasses.dataclass(frozen=True)
class Settings(
    DeviceOptions,
    TrainingOptions,
    HeadOptions,
    FineTuningOptions,
    TextOptions,
    ChoiceOptions,
    SourceOptions,
):
    """The settings of a run with the recurrent student.

    "Paper" means XtremeDistil, https://arxiv.org/abs/2004.05686; what it does
    not say is from its code, https://github.com/MSR-LIT/XtremeDistil. The
    defaults are for a few CPU cores.
    """

    source: str = like(
        SourceOptions,
        "source",
        default="sst2",
        help="the task that is distilled: a task of keras_distill.tasks, "
        "several with the same labels joined by +, or tags of words, such as "
        "'wikiann:en,de'",
        paper="wikiann in 41 languages, and topics and reviews of films",
    )
    teacher: str = like(
        TeacherOptions,
        "teacher",
        paper="multilingual bert for tags; bert base or large",
    )
    metric: str | None = like(Config, "metric")
    transfer: str | None = like(Config, "transfer")
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
    teacher_epochs: int = like(FineTuningOptions, "teacher_epochs", default=3)
    weight_decay: float = like(
        TrainingOptions,
        "weight_decay",
        help="decoupled weight decay of the teacher's fine-tuning",
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
    sequence_length: int | None = like(
        SourceOptions, "sequence_length", paper="32"
    )
    batch_size: int = like(
        TrainingOptions,
        "batch_size",
        help="examples in a step of the student",
        paper="512",
    )
    representation_epochs: int = option(
        4,
        "most epochs of each step of the stage of hidden states; 0 leaves "
        "the stage out",
        "400",
        minimum=0,
    )
    logits_epochs: int = like(
        HeadOptions,
        "logits_epochs",
        default=4,
        help="the same of the stage of the teacher's logits",
        paper="400",
    )
    labels_epochs: int = like(
        HeadOptions,
        "labels_epochs",
        default=4,
        help="the same of the stage of the labels",
        paper="400",
    )
    patience: int = like(
        ChoiceOptions,
        "patience",
        help="end a step after so many epochs that were no better on the dev "
        "split; the best epoch's weights are kept",
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
    # Runs of before there was one were on one device.
    strategy: str = like(DeviceOptions, "strategy", later=True)

    def check(self):
        """Raises on what does not go together, before anything is trained."""
        super().check()
        if self.floor_rate > self.peak_rate:
            raise ValueError(
                f"--floor-rate must be at most the --peak-rate, "
                f"{self.peak_rate}. Received: {self.floor_rate}"
            )


def run(config, run_dir, quiet=False, resume=True):
    """Runs the recipe, or the rest of it, and writes its folder.

    The folder holds `student/` and `teacher/` (KerasHub presets with head and
    tokenizer), the report, `steps.md` (what each step came to) and what
    `keras_distill.stages.RunFolder` keeps. A run that was stopped goes on
    from its last checkpoint.

    Args:
        config: `Settings`.
        run_dir, quiet, resume: As `Experiment.begin` takes them.

    Returns:
        dict that JSON can hold, or `None` on a machine that trained for
        another one: `"source"`, and the scores of `"teacher"` and `"student"`
        on it.
    """
    check_folders([] if config.data else [config.source], config)
    with Experiment.begin(
        config,
        run_dir,
        quiet,
        resume,
        ("result.json", "steps.md"),
        check=lambda: check_inputs(config, quiet),
    ) as experiment:
        with experiment.scope:
            examples = experiment.read(config.main_task)
            teacher, data = fine_tuned_teacher(experiment, examples)
            student = create_student(experiment, teacher)
            texts = transfer_texts(
                experiment, examples, data, teacher.preprocessor
            )
            listed = distillation_stages(
                experiment, data, texts, teacher, student
            )
            experiment.run(listed)
        if not experiment.folder.writes:
            return None
        path = experiment.folder.path
        models = experiment.portable({"teacher": teacher, "student": student})
        experiment.export_teacher(models["teacher"], examples.task)
        export.to_preset(
            models["student"], path / "student", examples.task.label_names
        )
        experiment.folder.say(f"The student is in {path / 'student'}")
        steps = steps_table(experiment.results, data.task.selection_metric)
        io.write_text(path / "steps.md", steps)
        io.make_console(soft_wrap=True, highlight=False).print(steps)
        return report(
            experiment,
            f"XtremeDistil 2020: {config.teacher} to a BiLSTM on "
            f"{config.main_task}",
            models,
            examples,
            data,
            listed,
        )


def check_inputs(config, quiet=False):
    """Raises on task, texts and teacher that a run would fail on later."""
    task, _ = read_task(config.main_task, config, quiet)
    check_texts(config, task)
    backbone = load_teacher(config, task).classifier.backbone
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


def create_student(experiment, teacher):
    """The student of the configuration, as it is before any stage."""
    config = experiment.config
    keras.utils.set_random_seed(config.seed)
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
        experiment.folder.say(f"The student starts from the teacher's {kept}")
    return student


def teacher_layer(config, backbone):
    """The layer of a teacher, from 1, that the student follows."""
    return config.teacher_layer or (backbone.num_layers + 1) // 2


def distillation_stages(experiment, data, texts, teacher, student):
    """How a recurrent student learns a task from a teacher.

    The stages are those of `stage_list`, but that of hidden states is one for
    each part that is set free as well.
    """
    config, listed = experiment.config, []
    if config.representation_epochs:
        source = hidden_states(experiment, data, texts, teacher)
        layer = teacher_layer(config, teacher.backbone)
        loss = losses.HiddenStatesDistillation(
            layer_map.explicit([(1, layer)]),
            loss="kl",
            # The projection is the student's own, and has the GELU.
            projection=None,
        )
        listed += [
            distilling(
                experiment,
                f"representation-{name}",
                student,
                source,
                loss,
                config.representation_epochs,
                trainable=trained,
                **_rates(config, config.representation_epochs),
            )
            # The head stands above all that this loss reaches.
            for name, trained in students.unfreezing(
                student, include_head=False
            )
        ]
    if config.logits_epochs:
        source = kept_source(
            experiment,
            experiment.folder.path / "teacher_logits",
            teacher,
            texts,
            data.validation,
        )
        listed += [
            distilling(
                experiment,
                f"logits-{name}",
                student,
                source,
                losses.LogitsDistillation(loss="half_sum_of_squares"),
                config.logits_epochs,
                trainable=trained,
                # Known of the task while another value is gone by.
                task=data.task,
                **_rates(config, config.logits_epochs),
            )
            for name, trained in students.unfreezing(student)
        ]
    if config.labels_epochs:
        listed += [
            experiment.label_stage(
                f"labels-{name}",
                student,
                data,
                epochs=config.labels_epochs,
                trainable=trained,
                **_rates(config, config.labels_epochs),
            )
            for name, trained in students.unfreezing(student)
        ]
    return listed


def hidden_states(experiment, data, texts, teacher):
    """A `Source` with the hidden states of one layer, or with the teacher."""
    config = experiment.config
    if config.teacher_features == "live":
        return Source(teacher, texts, data.validation)
    layer = teacher_layer(config, teacher.backbone)
    return kept_source(
        experiment,
        experiment.folder.path / f"teacher_layer_{layer}",
        teacher,
        texts,
        data.validation,
        f"hidden_states.{layer}",
        dtype=config.teacher_features,
        # Features look like noise: zlib takes long and saves little.
        compression=None,
    )


def _rates(config, epochs):
    """Adam, whose rate falls along a cosine and starts again."""

    def make_optimizer(steps):
        return keras.optimizers.Adam(
            schedules.CosineRestarts(
                config.peak_rate,
                config.floor_rate,
                config.period_epochs * (steps // epochs),
                config.period_growth,
                config.peak_decay,
            )
        )

    return {"rate": config.peak_rate, "optimizer": make_optimizer}


def steps_table(results, metric):
    """What each step came to, on the dev split.

    Steps whose head has not learned yet know nothing of the task's `metric`.
    """
    return io.markdown_table(
        [
            "step",
            *("epochs", "best epoch", "loss on the dev split"),
            f"{metric.replace('_', ' ')} × 100 on the dev split",
        ],
        [
            [
                name,
                str(len(done.history["loss"])),
                # Epoch 0 is what the step started from.
                str(done.best["epoch"]),
                f"{done.best['loss']:.4g}" if "loss" in done.best else "–",
                percent(done.best.get(metric)),
            ]
            for name, done in results.items()
        ],
    )


def build_parser():
    """A parser with one option for each setting."""
    return recipe_parser(
        "recipes.xtremedistil.bilstm",
        "Distils a BERT into a recurrent student on one task, "
        "over texts or tags of words, by stages: hidden states, logits, "
        "labels, each from the top of the student down.",
        "runs/xtremedistil-bilstm",
        Settings,
    )


def main(arguments=None):
    """Runs the command line; returns its exit status, as the recipe's does."""
    return run_recipe(build_parser(), Settings, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
