"""Every number of the recipe, what it does, and the paper's value."""

import dataclasses

from recipes.common.layer_maps import parse_layer_map
from recipes.common.option_groups import BertHeadOptions
from recipes.common.option_groups import DataOptions
from recipes.common.option_groups import DeviceOptions
from recipes.common.option_groups import FineTuningOptions
from recipes.common.option_groups import GlueOptions
from recipes.common.option_groups import SelectionOptions
from recipes.common.option_groups import SoftLabelOptions
from recipes.common.option_groups import StudentOptions
from recipes.common.option_groups import TrainingOptions
from recipes.common.option_groups import like
from recipes.common.options import option
from recipes.common.reading import check_folders
from recipes.tinybert import profiles


@dataclasses.dataclass(frozen=True)
class Config(
    DeviceOptions,
    TrainingOptions,
    BertHeadOptions,
    StudentOptions,
    FineTuningOptions,
    GlueOptions,
    SelectionOptions,
):
    """The settings of a run: TinyBERT's task distillation.

    The paper's values are of Jiao et al. 2020,
    https://arxiv.org/abs/1909.10351, for a student that went
    through general distillation first. The defaults are for one that did
    not: it starts from the teacher's embeddings and random layers, and
    learns at higher rates.
    """

    follows_inside = ("intermediate_epochs",)

    profile: str = option(
        profiles.QUICK,
        "where the numbers come from that are not given: quick, the defaults "
        "here, for two cores; paper, or script, the paper's or its released "
        "script's for the task, as profiles.py lists them",
        "paper",
        profiles.PROFILES,
        later=True,
    )
    task: str = option(
        "film_reviews",
        "the task: one of keras_distill.tasks, or a file such as mails.json "
        "that describes yours, several with the same labels joined by +, or "
        "tags of words, such as 'wikiann:en,de'; or glue, all of GLUE one "
        "after the other, where {task} and {folder} in paths stand for a "
        "task's name and its folder in GLUE",
        "GLUE's nine",
    )
    data_dir: str | None = like(DataOptions, "data_dir", later=True)
    max_train_examples: int | None = like(
        DataOptions, "max_train_examples", paper="all, augmented 20 times"
    )
    augmented: str | None = option(
        None,
        "file of augmented rows that the student learns from in place of the "
        "training split: train_aug.tsv of recipes.tinybert.augment, or of the "
        "released script",
        "20 variants of a text",
        later=True,
    )
    teacher: str = like(
        FineTuningOptions, "teacher", paper="bert_base_en_uncased"
    )
    student: str = like(StudentOptions, "student", paper="tinybert_4l_312d")
    embeddings: str = like(
        StudentOptions, "embeddings", paper="general distillation"
    )
    layer_map: str = option(
        "uniform",
        "which teacher layers the student learns from, and starts from with "
        "--student-start layers: uniform, last, first, or one for each of the "
        "student's, such as 2,3,5,6",
        "uniform",
        no_effect_with=[
            {"intermediate_epochs": 0, "student_start": start}
            for start in (None, "embeddings", "random")
        ],
    )
    batch_size: int = like(
        TrainingOptions,
        "batch_size",
        default=16,
        paper="32; 16 or 32 in step 2",
    )
    optimizer: str = option(
        "adamw",
        "AdamW, or BertAdam, which does not correct its moments",
        "bert_adam",
        ("adamw", "bert_adam"),
        later=True,
    )
    weight_decay: float = like(TrainingOptions, "weight_decay", paper="0.01")
    short_batches: str = option(
        "kept",
        "whether the rows of an epoch that fill no batch are trained on",
        "dropped",
        ("kept", "dropped"),
        no_effect_with={"strategy": "tpu"},
        later=True,
    )
    evaluate_every: int = option(
        0,
        "choose among the weights after every so many steps as well, where a "
        "metric chooses; with 0 among those after each epoch",
        "100",
        minimum=0,
        later=True,
    )
    intermediate_epochs: int = option(
        5,
        "epochs of step 1: embeddings, hidden states and attention",
        "20 (50 for CoLA, 10 for MNLI, QQP and QNLI)",
        minimum=0,
    )
    intermediate_rate: float = option(
        2e-3,
        "peak learning rate of step 1",
        "5e-5",
        above=0,
        no_effect_with={"intermediate_epochs": 0},
    )
    intermediate_schedule: str = option(
        "linear",
        "how the rate of step 1 runs: up over a tenth of the steps and down "
        "to 0, or constant",
        "constant",
        ("linear", "constant"),
        no_effect_with={"intermediate_epochs": 0},
    )
    prediction_epochs: int = option(
        2, "epochs of step 2: soft targets", "3", minimum=0
    )
    prediction_rate: float = option(
        3e-4,
        "peak learning rate of step 2",
        "1e-5, 2e-5 or 3e-5",
        above=0,
        no_effect_with={"prediction_epochs": 0},
    )
    prediction_target: str = option(
        "teacher",
        "what step 2 follows: the teacher's logits, or the labels, as the "
        "released script does on STS-B",
        "teacher",
        ("teacher", "labels"),
        no_effect_with={"prediction_epochs": 0},
    )
    temperature: float = option(
        1.0,
        "softens the soft targets of classes",
        "1",
        above=0,
        no_effect_with=(
            {"prediction_epochs": 0},
            {"prediction_target": "labels"},
            # The outputs of a regression are compared as they are.
            {"task": "stsb"},
        ),
    )
    soft_labels: str | None = like(
        SoftLabelOptions,
        "soft_labels",
        no_effect_with=(
            {"prediction_epochs": 0},
            {"prediction_target": "labels"},
        ),
    )
    soft_labels_missing: str = option(
        "refused",
        "the rows that the file of soft labels does not have: refused, or "
        "learned from their labels",
        choices=("refused", "labels"),
        no_effect_with={"soft_labels": None},
        later=True,
    )
    teacher_features: str = option(
        "live",
        "whether the teacher runs beside the student in each epoch of step 1, "
        "or once, its hidden states and attention kept on disk as numbers of "
        "this type: 1.2 GB in float16 for 8,568 sentences and a student of 3 "
        "layers",
        "live",
        ("live", "float16", "float32"),
        no_effect_with={"intermediate_epochs": 0},
    )
    teacher_dropout: str = option(
        "off",
        "the dropout of the teacher that is followed, which the released "
        "script leaves on",
        "on in the script",
        ("off", "on"),
        later=True,
    )
    normalization: str = option(
        "masked",
        "padding left out of the losses, or averaged in as in the released "
        "script: in step 1 all batches are then as long as --sequence-length; "
        "and soft targets averaged over the classes in place of summed",
        "official",
        ("masked", "official"),
        no_effect_with=(
            {"intermediate_epochs": 0, "prediction_target": "labels"},
            {"intermediate_epochs": 0, "task": "stsb"},
        ),
    )
    baseline_epochs: int | None = option(
        None,
        "epochs of the same student without a teacher; by default those of "
        "both steps together, 0 for no baseline",
        minimum=0,
    )
    baseline_rate: float = option(
        3e-4,
        "peak learning rate of the student without a teacher",
        above=0,
        no_effect_with={"baseline_epochs": 0},
    )

    @property
    def epochs_without_teacher(self):
        """The epochs of the baseline."""
        if self.baseline_epochs is not None:
            return self.baseline_epochs
        return self.intermediate_epochs + self.prediction_epochs

    @classmethod
    def profile_settings(cls, options):
        """The numbers of the profile for the task."""
        return profiles.profile_settings(
            options["profile"], options["data"] or options["task"]
        )

    def check(self):
        """Raises on what does not go together."""
        super().check()
        parse_layer_map(self.layer_map)
        check_folders([] if self.data else [self.task], self)
        if self.teacher_features != "live" and self.normalization == "official":
            raise ValueError(
                "--normalization official averages over padding as well, which "
                "is not kept on disk. Use --teacher-features live. Received: "
                f"--teacher-features {self.teacher_features}"
            )
        if self.teacher_features != "live" and self.teacher_dropout == "on":
            raise ValueError(
                "--teacher-dropout on draws anew in each step, which is not "
                "kept on disk. Use --teacher-features live. Received: "
                f"--teacher-features {self.teacher_features}"
            )
        is_noisy = self.teacher_dropout == "on"
        if is_noisy and len(self.teachers) > 1:
            raise ValueError(
                "--teacher-dropout on is for one teacher that runs beside the "
                "student: several are asked once. Received: --teacher "
                f"{self.teacher}"
            )
        if is_noisy and self.soft_labels and not self.intermediate_epochs:
            raise ValueError(
                "--teacher-dropout on has no effect where no teacher is "
                f"asked. Received: --soft-labels {self.soft_labels}, "
                "--intermediate-epochs 0"
            )
        if not self.intermediate_epochs and not self.prediction_epochs:
            raise ValueError(
                "One of the two steps must have epochs. Received: "
                "--intermediate-epochs 0, --prediction-epochs 0"
            )
