"""What source and targets have in common: reading, training, distilling."""

import dataclasses

import keras
import numpy as np

from keras_distill import io
from keras_distill import stages
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.io.saving import local_path
from recipes.common.reading import select_by
from recipes.xtremedistil import models
from recipes.xtremedistil import stage_list
from recipes.xtremedistil.labelled_task import TaggingTask
from recipes.xtremedistil.labelled_task import read_task

# Never the run's: all seeds train on the same examples.
_SEED = 0


@dataclasses.dataclass(frozen=True)
class TaskData:
    """A task's data, tokenised.

    Attributes:
        labelled: `LabelledTask`.
        train: The examples to train on.
        dev: Those of the dev split that epochs are chosen by.
        whole_dev: All of the dev split.
        further: dict of split name to examples that are measured as well.
    """

    labelled: object
    train: tasks.TokenizedExamples
    dev: tasks.TokenizedExamples
    whole_dev: tasks.TokenizedExamples
    further: dict = dataclasses.field(default_factory=dict)

    def measure(self, model):
        """The metrics of a model by which epochs are chosen."""
        return self.labelled.measure(model, self.dev)

    def score(self, model):
        """The metrics of a model for a report.

        Args:
            model: KerasHub task.

        Returns:
            dict, of the whole dev split; and those of each further split,
            their names followed by its own, as `"accuracy_dev_mismatched"`.
        """
        found = self.labelled.score(model, self.whole_dev)
        for split, examples in self.further.items():
            values = self.labelled.measure(model, examples)
            found |= {f"{name}_{split}": v for name, v in values.items()}
        return found


class Trainer:
    """Reads, trains and distils in one run folder.

    Args:
        config: `Config`.
        folder: `keras_distill.stages.RunFolder`.
        cache_dir: Optional path of a folder for token ids and embeddings of
            texts, which any runs may share. Defaults to the run's folder.
        logits_dir: Optional path of a folder for the teacher's logits, which
            runs may share that have source, transfer texts and teacher in
            common. Defaults to the run's folder.

    Attributes:
        results: dict of stage name to `keras_distill.stages.StageResult`.
    """

    def __init__(self, config, folder, cache_dir=None, logits_dir=None):
        self.config = config
        self.folder = folder
        self.results = {}
        self._listed = []
        self._cache_dir = local_path(cache_dir or folder.path)
        self._logits_dir = local_path(logits_dir or folder.path)

    def read(self, name):
        """Opens a task of the configuration, with the rows that it uses.

        Args:
            name: str.

        Returns:
            `LabelledTask`.
        """
        self.folder.say(f"Reading {name}")
        config = self.config
        labelled = read_task(
            name,
            config.data_dir,
            config.glue_dir,
            self.folder.quiet,
            self._cache_dir / "tokens",
            skip_bad_rows=config.skip_bad_rows,
            encoding=config.encoding,
        )
        if isinstance(labelled, TaggingTask):
            # A tag that is mistyped shows here.
            self.folder.say(f"Tags: {', '.join(labelled.task.label_names)}")
        if name == config.source:
            labelled.task = select_by(labelled.task, config.metric)
        labelled.train = _drawn(labelled.train, config.max_train_examples)
        most = config.max_scored_examples
        labelled.dev = _drawn(labelled.dev, most)
        labelled.further = {
            split: _drawn(examples, most)
            for split, examples in labelled.further.items()
        }
        return labelled

    def tokenize(self, labelled, preprocessor):
        """Tokenises a task's training and dev splits.

        Args:
            labelled: `LabelledTask`.
            preprocessor: The KerasHub preprocessor of the model that reads
                them.

        Returns:
            `TaskData`.
        """
        train, whole_dev, *further = (
            labelled.tokenize(examples, preprocessor, self.length(labelled))
            for examples in (
                labelled.train,
                labelled.dev,
                *labelled.further.values(),
            )
        )
        dev = _drawn(whole_dev, self.config.max_dev_examples)
        further = dict(zip(labelled.further, further, strict=True))
        return TaskData(labelled, train, dev, whole_dev, further)

    def length(self, labelled):
        """The most tokens of an example of a task.

        Args:
            labelled: `LabelledTask`.
        """
        return self.config.sequence_length or labelled.task.sequence_length

    def run(self, listed):
        """Runs stages, or takes what they left.

        They are shown first, and added to the folder's `stages.md`.

        Args:
            listed: list of `keras_distill.stages.Stage`.
        """
        table = stages.stage_table(listed)
        self.folder.say(table)
        # Without the header but for the first.
        self._listed += table.splitlines(True)[2 if self._listed else 0 :]
        if self.folder.writes:
            io.write_text(self.folder.path / "stages.md", "".join(self._listed))
        self.results |= stages.run_stages(
            listed, self.folder, seed=self.config.seed
        )

    def teacher(self, labelled, name):
        """A teacher of a task, fine-tuned unless it has a trained head.

        Args:
            labelled: `LabelledTask`.
            name: str. The name of the stage of its fine-tuning.

        Returns:
            The teacher, and the task's data as `TaskData`.
        """
        config = self.config
        loaded = models.load_teacher(config, labelled)
        teacher = loaded.classifier
        data = self.tokenize(labelled, teacher.preprocessor)
        if not loaded.has_head and config.teacher_epochs:
            self.run(
                [
                    stage_list.label_stage(
                        name,
                        config,
                        data,
                        teacher,
                        config.teacher_rate,
                        config.teacher_epochs,
                        config.teacher_batch_size,
                    )
                ]
            )
        self._check_teacher(teacher, data)
        return teacher, data

    def create_student(self, teacher):
        """The student of the configuration, as it is before any stage.

        Args:
            teacher: KerasHub task.

        Returns:
            KerasHub task.
        """
        student, start = models.create_student(self.config, teacher)
        self.folder.say(start)
        return student

    def transfer_data(self, texts, data, teacher, prefix=""):
        """Texts with the teacher's logits, which are computed once.

        Args:
            texts: What is learnt from without labels, tokenised.
            data: `TaskData`.
            teacher: KerasHub task.
            prefix: str. What the name of the logits' folder begins with.

        Returns:
            `stage_list.TransferData`, without logits if no stage needs them.
        """
        if not self.config.logits_epochs:
            return stage_list.TransferData(texts)
        self.folder.say("Computing the teacher's logits")
        of_texts, of_dev = (
            teachers.TeacherCache.write(
                self._logits_dir / f"{prefix}teacher_logits" / name,
                teacher,
                examples,
                quiet=self.folder.quiet,
                replace=not self.folder.has_trained(),
            )
            for name, examples in (("transfer", texts), ("dev", data.dev))
        )
        return stage_list.TransferData(
            texts,
            of_texts,
            of_texts.attach(texts),
            of_dev.attach(data.dev),
        )

    def distil(self, data, transfer, teacher, student, prefix=""):
        """Runs all stages by which a student learns from a teacher.

        Args:
            data: `TaskData`.
            transfer: `stage_list.TransferData`.
            teacher: KerasHub task.
            student: KerasHub task.
            prefix: str. What the names of stages begin with.
        """
        self.run(
            stage_list.distillation_stages(
                self.config, data, transfer, teacher, student, prefix
            )
        )

    def transfer_texts(self, labelled, data, preprocessor):
        """The texts of the stages without labels.

        Args:
            labelled: `LabelledTask`.
            data: `TaskData`, whose training texts are the default.
            preprocessor: The KerasHub preprocessor of the model that reads
                them.

        Returns:
            `keras_distill.tasks.TokenizedExamples`.
        """
        config = self.config
        if config.transfer is None:
            return data.train
        self.folder.say(f"Reading the texts of {config.transfer}")
        files = text_files(config)
        if config.retrieve is None:
            found = files.load(config.max_transfer_texts)
        else:
            train, dev = labelled.queries(files.num_columns)
            found = tasks.retrieval.retrieve(
                train,
                files,
                config.retrieve,
                label_balance=labelled.label_balance(
                    config.retrieve_balance, files.num_columns
                ),
                exclude=[dev],
                cache_dir=self._cache_dir / "embeddings",
                quiet=self.folder.quiet,
            ).examples
        self.folder.say(f"{len(found)} unlabelled texts")
        return labelled.tokenize(
            labelled.unlabelled(found), preprocessor, self.length(labelled)
        )

    def seed(self):
        """Begins the random numbers of a new model."""
        keras.utils.set_random_seed(self.config.seed)

    def _check_teacher(self, teacher, data):
        task = data.labelled.task
        metric = task.selection_metric
        score = data.measure(teacher)[metric]
        self.folder.say(
            f"The teacher's {metric} on {len(data.dev)} examples of the dev "
            f"split of {task.name} is {score:.4f}"
        )
        teachers.check_trained(
            score,
            data.labelled.chance(),
            metric,
            self.config.allow_untrained_teacher,
        )


def text_files(config):
    """The unlabelled texts of a configuration.

    Args:
        config: `Config` with `transfer`.

    Returns:
        `keras_distill.tasks.TextFiles`.

    Raises:
        ValueError: If there is no such file.
    """
    return tasks.TextFiles(
        config.transfer,
        columns=_columns(config.transfer_columns),
        split_sentences=config.transfer_sentences,
        min_words=config.transfer_min_words,
        encoding=config.encoding,
        skip_bad_rows=config.skip_bad_rows,
    )


def _drawn(examples, most):
    """So many of some examples at most, in their order."""
    if most is None or most >= len(examples):
        return examples
    drawn = np.random.default_rng(_SEED).permutation(len(examples))[:most]
    return examples.select(np.sort(drawn))


def _columns(text):
    """Names of columns, or places if all are numbers."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if all(name.isdigit() for name in names):
        return tuple(map(int, names))
    return tuple(names)
