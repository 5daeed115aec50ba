"""Every number of the recipes, what it does, and the official value."""

import dataclasses

from recipes.common import option_groups as groups
from recipes.common.options import flag
from recipes.common.options import inherited
from recipes.common.options import option
from recipes.common.options import split_names
from recipes.common.reading import check_task

# Settings of the targets alone.
OF_TARGETS = ("targets", "target_epochs", "target_rate", "task_distillation")
# Where no stage of a head would run.
_NO_HEAD = {"logits_epochs": 0, "labels_epochs": 0}


@dataclasses.dataclass(frozen=True)
class SourceOptions(groups.DataOptions):
    """The task that is distilled."""

    names_task = "source"
    draws_rows = True

    source: str = option(
        "mnli",
        "the task that the student is distilled on: a task of "
        "keras_distill.tasks, or a file such as mails.json that describes "
        "yours, several with the same labels joined by +, or "
        "tags of words, such as 'wikiann:en,de'",
        "mnli, wikiann",
    )
    sequence_length = inherited(paper="128; 32 for tags")
    max_train_examples = inherited(
        help="train on so many examples of a task, drawn once and for all",
        paper=None,
    )


@dataclasses.dataclass(frozen=True)
class StagedOptions(
    groups.DeviceOptions,
    groups.TrainingOptions,
    groups.FineTuningOptions,
    groups.TextOptions,
    SourceOptions,
    groups.ChoiceOptions,
):
    """What students of all kinds have: a teacher, texts, a head's stages."""

    # What only some recipes have.
    targets = ""
    follows_inside = ("representation_epochs",)

    metric = inherited(
        help="the metric by which epochs on the source are chosen, such as "
        "macro_f1; by default the task's first"
    )
    transfer = inherited(
        no_effect_with={"representation_epochs": 0, "logits_epochs": 0}
    )
    teacher_epochs = inherited(default=3)
    soft_labels: str | None = groups.like(
        groups.SoftLabelOptions,
        "soft_labels",
        no_effect_with={"logits_epochs": 0},
    )
    logits_epochs: int = option(
        2, "most epochs of each stage of the teacher's logits", "500", minimum=0
    )
    labels_epochs: int = option(
        2, "most epochs of each stage of the labels", "100", minimum=0
    )

    def check(self):
        super().check()
        names = ("representation_epochs", "logits_epochs", "labels_epochs")
        if not any(getattr(self, name) for name in names) and not self.targets:
            raise ValueError(
                "One of the stages must have epochs. Received: "
                + ", ".join(f"{flag(name)} 0" for name in names)
            )


@dataclasses.dataclass(frozen=True)
class EncoderOptions(groups.StudentOptions):
    """A transformer student, and what it learns of the teacher's encoder."""

    student = inherited(
        default="bert_3l_192d",
        paper="xtremedistil_l6_h256, xtremedistil_l6_h384 or "
        "xtremedistil_l12_h384",
    )
    embeddings = inherited(
        help="how the student's words start: by truncated SVD of the "
        "teacher's, by the same after the mean word is subtracted, or at "
        "random",
        paper="centred",
        choices=("teacher", "centred", "random"),
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

    def check(self):
        super().check()
        if self.embeddings == "random" and self.with_positions:
            raise ValueError(
                "--embedding-positions is about words that start from the "
                f"teacher's. Received: {self.embedding_positions!r} with "
                "--embeddings random"
            )


@dataclasses.dataclass(frozen=True)
class Config(EncoderOptions, StagedOptions):
    """The settings of a run: a student distilled on one task, for many.

    "Paper" means the official code of XtremeDistilTransformers,
    https://github.com/microsoft/xtreme-distil-transformers. The defaults are
    for a student that starts from the teacher's embeddings and random layers
    and learns on a few CPU cores, at higher rates and in fewer epochs.
    """

    targets: str = option(
        "",
        "tasks that the distilled student is fine-tuned on, by commas, such "
        "as rte,mrpc,stsb",
    )
    teacher = inherited(paper="electra base; multilingual bert for tags")
    teacher_batch_size = inherited(paper="128")
    teacher_epochs = inherited(paper="100")
    teacher_rate = inherited(paper="3e-5")
    batch_size = inherited(paper="128 unlabelled, 32 labelled")
    weight_decay = inherited(paper="0")
    unfreezing: str = option(
        "encoder",
        "what is set free from stage to stage: head, projection (the pooler), "
        "then the encoder at once, or layer by layer; or everything at once",
        "encoder; by layer in XtremeDistil",
        ("encoder", "layer", "none"),
        no_effect_with=_NO_HEAD,
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
    task_distillation: str = option(
        "none",
        "distil on each target as well, from a teacher fine-tuned on it: the "
        "student from its start ('scratch'), the distilled student further, "
        "or both",
        "further",
        ("none", "scratch", "further", "both"),
        no_effect_with={"targets": ""},
    )

    def check(self):
        """Raises on what does not go together."""
        super().check()
        for name in self.target_names:
            check_task(name)

    @property
    def target_names(self):
        """The targets as a tuple."""
        return split_names(self.targets, "targets")

    @property
    def named_tasks(self):
        return [*super().named_tasks, *self.target_names]

    def source_settings(self):
        """All settings but those of the targets.

        A run's folder belongs to these: further targets may join a run that
        is finished. The stages of a target know their own settings.
        """
        settings = self.settings()
        return {k: v for k, v in settings.items() if k not in OF_TARGETS}
