"""XtremeDistil of 2020: a teacher's task in one BiLSTM.

`python -m recipes.xtremedistil.bilstm --source wikiann:en,de ...`

A recurrent student whose words start from the teacher's learns one task, over
texts or tags of words: hidden states of one layer of the teacher, its logits,
the labels; in each of these stages one part after the other is set free, from
the head down to the embeddings.
"""

import dataclasses
import functools
import sys

import keras

from keras_distill import export
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import optimizers
from keras_distill import schedules
from keras_distill import students
from recipes.common import reading
from recipes.common import tables
from recipes.common.command_line import recipe_command
from recipes.common.ensembles import first_of
from recipes.common.experiment import Experiment
from recipes.common.models import load_teacher
from recipes.common.options import inherited
from recipes.common.options import like
from recipes.common.options import option
from recipes.common.texts import check_texts
from recipes.xtremedistil import recipe
from recipes.xtremedistil import stage_list
from recipes.xtremedistil.config import EncoderOptions
from recipes.xtremedistil.config import StagedOptions


@dataclasses.dataclass(frozen=True)
class Settings(StagedOptions):
    """The settings of a run with the recurrent student.

    "Paper" means XtremeDistil, https://arxiv.org/abs/2004.05686; what it does
    not say is from its code, https://github.com/MSR-LIT/XtremeDistil. The
    defaults are for a few CPU cores.
    """

    source = inherited(
        default="sst2",
        paper="wikiann in 41 languages, and topics and reviews of films",
    )
    teacher = inherited(paper="multilingual bert for tags; bert base or large")
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
    weight_decay = inherited(
        help="decoupled weight decay of the teacher's fine-tuning",
        no_effect_with={"teacher_epochs": 0},
    )
    embeddings: str = like(
        EncoderOptions, "embeddings", paper="teacher", no_effect_with=()
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
    sequence_length = inherited(paper="32")
    batch_size = inherited(paper="512")
    representation_epochs: int = option(
        4, "most epochs of each stage of hidden states", "400", minimum=0
    )
    logits_epochs = inherited(default=4, paper="400")
    labels_epochs = inherited(default=4, paper="400")
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
    strategy = inherited(later=True)

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

    The folder is that of `recipe.run`, but `student/` has its head, and
    `steps.md` what each step came to.

    Args:
        config: `Settings`.
        run_dir, quiet, resume: As `Experiment.begin` takes them.

    Returns:
        As `recipe.run`, without targets.
    """
    with Experiment.begin(
        config,
        run_dir,
        quiet,
        resume,
        ("result.json", "steps.md", "soft_labels"),
        check=lambda: check_inputs(config, quiet),
    ) as experiment:
        with experiment.scope:
            lesson, names = recipe.distil(
                experiment, create_student, distillation_stages
            )
        if not experiment.folder.writes:
            return None
        task = lesson.data.task
        tables.show_table(
            experiment.folder.path / "steps.md",
            tables.stages_table(experiment.results, task.selection_metric),
        )
        return recipe.finish(
            experiment,
            f"XtremeDistil 2020: {config.teacher} to a BiLSTM on "
            f"{config.main_task}",
            lesson,
            names,
            functools.partial(export.to_preset, label_names=task.label_names),
        )


def check_inputs(config, quiet=False):
    """Raises on task, texts and teacher that a run would fail on later."""
    reading.check_folders(config.named_tasks, config)
    task, _ = reading.read_task(config.main_task, config, quiet)
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
    teacher = first_of(teacher)
    student = students.create_bilstm_student(
        teacher,
        embedding_dim=config.embedding_dim,
        lstm_dim=config.lstm_dim,
        dropout=config.dropout,
        recurrent_dropout=config.recurrent_dropout,
    )
    if config.embeddings != "random":
        center = config.embeddings == "centred"
        kept = students.factorize_embeddings(
            teacher, student, center=center, quiet=True
        )
        experiment.folder.say(f"The student starts from the teacher's {kept}")
    return student


def teacher_layer(config, backbone):
    """The layer of a teacher, from 1, that the student follows."""
    return config.teacher_layer or (backbone.num_layers + 1) // 2


def distillation_stages(experiment, lesson):
    """How a recurrent student learns a task from a teacher.

    The stages are those of `stage_list`, but that of hidden states is one for
    each part that is set free as well.
    """
    config, student, listed = experiment.config, lesson.student, []
    rates = functools.partial(_rates, config)
    if config.representation_epochs:
        epochs = config.representation_epochs
        layer = teacher_layer(config, lesson.teacher.backbone)
        loss = losses.HiddenStatesDistillation(
            layer_map.explicit([(1, layer)]),
            loss="kl",
            # The projection is the student's own, and has the GELU.
            projection=None,
        )
        # The head stands above all that this loss reaches.
        steps = students.unfreezing(student, include_head=False)
        followed = lesson
        if config.teacher_features != "live":
            followed = stage_list.kept_lesson(
                experiment,
                lesson,
                experiment.folder.path / f"teacher_layer_{layer}",
                f"hidden_states.{layer}",
                dtype=config.teacher_features,
            )
        listed = [
            stage_list.distilling(
                experiment,
                f"representation-{name}",
                followed,
                loss,
                epochs,
                trainable=trained,
                **rates(trained, epochs),
            )
            for name, trained in steps
        ]
    return listed + stage_list.head_stages(
        experiment,
        lesson,
        students.unfreezing(student),
        losses.LogitsDistillation(loss="half_sum_of_squares"),
        rates,
        # Known of the task while another value is gone by.
        task=lesson.data.task,
    )


def _rates(config, trained, epochs):
    """Adam, whose rate falls along a cosine and starts again."""

    def make_optimizer(steps):
        return optimizers.Adam(
            schedules.CosineRestarts(
                config.peak_rate,
                config.floor_rate,
                config.period_epochs * (steps // epochs),
                config.period_growth,
                config.peak_decay,
            )
        )

    return {"rate": config.peak_rate, "optimizer": make_optimizer}


build_parser, main = recipe_command(
    "recipes.xtremedistil.bilstm",
    "Distils a BERT into a recurrent student on one task, over texts or tags "
    "of words, by stages: hidden states, logits, labels, each from the top of "
    "the student down.",
    "runs/xtremedistil-bilstm",
    Settings,
    run,
)

if __name__ == "__main__":
    sys.exit(main())
