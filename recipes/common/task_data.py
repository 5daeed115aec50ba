"""A task's examples: which train, which choose, which are reported on."""

import dataclasses
import functools

import numpy as np

from keras_distill.stages.identity import data_identity
from recipes.common.ensembles import is_ensemble

# The share of a training split that serves as dev split where there is none.
_NO_DEV = 0.1
# The share that epochs are chosen on with `select_on="train"`, and the fewest
# rows that tell one epoch from another.
_CHOOSING = 0.05
_FEWEST = 200
# Never the run's: all seeds train on and choose by the same examples.
_SEED = 0


@dataclasses.dataclass(frozen=True)
class TaskData:
    """A task's examples, as they are read or tokenised.

    Attributes:
        task: `keras_distill.tasks.Task`.
        train: Examples to train on.
        dev: Examples that results are measured on.
        dev_name: str. Where these are from.
        further: dict of split name to examples that results are measured on
            as well, as those of MNLI's second dev split; nothing is chosen by
            them.
        held_out: Optional examples of the training split that epochs are
            chosen by in place of `dev`.
        chosen_rows: Optional array: the rows of these that choose.
        augmented: Optional examples that a student learns from in place of
            `train`.
        raw: Optional `TaskData`: the same as it was read, where this one is
            tokenised.
    """

    task: object
    train: object
    dev: object
    dev_name: str = "dev"
    further: dict = dataclasses.field(default_factory=dict)
    held_out: object = None
    chosen_rows: np.ndarray | None = None
    augmented: object = None
    raw: object = None

    @property
    def student_train(self):
        """The examples that a student learns from."""
        return self.train if self.augmented is None else self.augmented

    @functools.cached_property
    def validation(self):
        """The examples that epochs are chosen by."""
        chosen = self.dev if self.held_out is None else self.held_out
        if self.chosen_rows is None:
            return chosen
        return chosen.select(self.chosen_rows)

    @property
    def validation_name(self):
        """Where these are from."""
        if self.held_out is None:
            return f"{self.dev_name} split"
        return "held-out part of the train split"

    def tokenize(self, preprocessor, sequence_length=None, cache_dir=None):
        """The same examples, tokenised."""

        def tokenized(examples):
            if examples is None:
                return None
            return self.task.tokenize(
                examples,
                preprocessor,
                sequence_length or self.task.sequence_length,
                cache_dir,
            )

        return dataclasses.replace(
            self,
            train=tokenized(self.train),
            dev=tokenized(self.dev),
            further={k: tokenized(v) for k, v in self.further.items()},
            held_out=tokenized(self.held_out),
            augmented=tokenized(self.augmented),
            raw=self,
        )

    def limited(self, options):
        """As many of the examples as options ask for."""
        most = options.max_scored_examples
        limited = dataclasses.replace(
            self,
            train=self._some(
                self.train, options.max_train_examples, options.draws_rows
            ),
            dev=self._some(self.dev, most),
            further={k: self._some(v, most) for k, v in self.further.items()},
        )
        return dataclasses.replace(
            limited,
            chosen_rows=_drawn_rows(
                len(limited.validation), options.max_dev_examples
            ),
        )

    def _some(self, examples, most, draws=True):
        """So many of some examples at most, in their order."""
        if most is None or most >= len(examples):
            return examples
        if not draws:
            return examples.take(most)
        # What belongs together stays together.
        return self.task.hold_out(examples, most / len(examples), _SEED)[1]

    def identity(self):
        """What tells these examples from others, as JSON can hold it."""
        splits = {"train": self.train, "dev": self.dev, **self.further}
        return {
            **{name: data_identity(rows) for name, rows in splits.items()},
            "label_names": self.task.label_names,
        }

    def measure(self, model):
        """The metrics of a model by which epochs are chosen."""
        found = self._scored(model, lambda data: data.validation)
        return {name: found[name] for name in self.task.metrics}

    def score(self, model):
        """The metrics of a model for a report."""
        found = self._scored(model, lambda data: data.dev)
        for split in self.further:
            values = self._scored(model, lambda data, k=split: data.further[k])
            found |= {f"{k}_{split}": values[k] for k in self.task.metrics}
        return found

    def _scored(self, model, rows_of):
        """What a model, or an ensemble of raw texts, is worth on some rows."""
        rows, task = rows_of(self), self.task
        if is_ensemble(model):
            outputs = task.predict_examples(model, rows_of(self.raw))
        else:
            outputs = task.predict(model, rows)
        return task.score(rows, outputs)

    def chance(self):
        """The selection metric of a model that knows nothing of the text."""
        return self.task.chance(self.validation.labels)

    def notes(self):
        """Sentences about where results are from, for a report."""
        where = f"Quality is measured on the {self.dev_name} split"
        if self.held_out is None:
            chosen = ", on which the best epochs were chosen as well."
        else:
            chosen = (
                f"; the best epochs were chosen on {len(self.validation):,} "
                "rows of the training split, which nothing was trained on."
            )
        augmented = []
        if self.augmented is not None:
            augmented = [
                f"The student learned from {len(self.augmented):,} augmented "
                f"rows; what learned from labels alone, from the "
                f"{len(self.train):,} of the training split."
            ]
        return [
            where + chosen,
            *augmented,
            *(
                f"Nothing was chosen on the {name} split, which is measured "
                "too."
                for name in self.further
            ),
        ]


def from_splits(task, splits, select_on="dev"):
    """The examples of a task.

    A task without a dev split gets a tenth of its training split for one,
    drawn with a fixed seed; the test split is left alone.

    Args:
        task: `keras_distill.tasks.Task`.
        splits: mapping of split name to examples. The test split is not read.
        select_on: str. `"dev"`, or `"train"` for a part of the training split
            that epochs are chosen by, drawn with a fixed seed.

    Returns:
        `TaskData`.
    """
    train, held_out = splits["train"], None
    names = dev_splits(splits)
    if names:
        dev, dev_name = splits[names[0]], names[0]
    else:
        train, dev = task.hold_out(train, _NO_DEV, _SEED)
        dev_name = "held-out part of the train"
    if select_on == "train":
        if len(train) < 2 * _FEWEST:
            raise ValueError(
                f"--select-on train takes {_FEWEST} rows of the training "
                f"split at least, and leaves as many. Received: {len(train)} "
                f"rows of {task.name}. Use --select-on dev."
            )
        train, held_out = task.hold_out(train, _CHOOSING, _SEED, _FEWEST)
    further = {name: splits[name] for name in names[1:]}
    return TaskData(task, train, dev, dev_name, further, held_out)


def dev_splits(splits):
    """The dev splits of a task, the one that models are chosen by first.

    MNLI is chosen by what is of the same sources as its training split, as in
    GLUE, and measured on what is of others as well.
    """
    names = [name for name in splits if name.startswith("dev")]
    return sorted(names, key=lambda name: name.endswith("mismatched"))


def _drawn_rows(count, most):
    if most is None or most >= count:
        return None
    return np.sort(np.random.default_rng(_SEED).permutation(count)[:most])
