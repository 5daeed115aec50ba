"""The tokenised examples of several tasks, which are trained on together."""

import functools
from collections.abc import Mapping

import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.data.multi_task.mixing import ProportionalMixing
from keras_distill.data.multi_task.multi_task_batches import MultiTaskBatches
from keras_distill.data.tokenized.batching import check_first_batch
from keras_distill.io import content_hash

# Tells the random numbers of the order of tasks from those of their rows.
_ORDER = 1


class MultiTaskExamples:
    """The tokenised examples of several tasks, which are trained on together.

    Each batch is one task's. In an epoch all batches of all tasks have their
    turn, unless another `mixing` is asked for, in an order that follows from
    seed and epoch; which rows stand together, by length, is drawn anew in
    each epoch, as if the task were alone.

    Args:
        examples: dict of the name of a task to its `TokenizedExamples` or
            `TokenizedTags`, those of a teacher's cache among them.
        mixing: How many batches of each task an epoch has:
            `keras_distill.data.ProportionalMixing`, `AnnealedMixing`,
            `MainTaskMixing`, or an object of one's own with their `counts`.
            Defaults to `None`, which is `ProportionalMixing()`.

    Attributes:
        examples: dict of the name of a task to its rows.
        mixing: How the tasks are mixed.

    Raises:
        ValueError: If there is no task, a name is no text, or the examples
            of a task are not tokenised or have no row.

    Example:

    >>> import keras_distill
    >>> import keras_hub
    >>> tokenizer = keras_hub.models.BertTokenizer(
    ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
    ... )
    >>> def rows(texts, labels):
    ...     return keras_distill.tasks.TokenizedExamples(
    ...         keras_distill.tasks.Examples((texts,), labels), tokenizer, 8
    ...     )
    >>> examples = keras_distill.data.MultiTaskExamples({
    ...     "sst2": rows(["good", "bad", "bad bad"], [1, 0, 0]),
    ...     "stsb": rows(["good good"], [5.0]),
    ... })
    >>> examples.num_batches(batch_size=2)
    3
    >>> batches = examples.batches(batch_size=2, shuffle=True, seed=3)
    >>> [list(batch) for batch in batches]
    [['stsb'], ['sst2'], ['sst2']]
    """

    def __init__(self, examples, mixing=None):
        self.examples = _checked(examples)
        self.mixing = ProportionalMixing() if mixing is None else mixing
        if not callable(getattr(self.mixing, "counts", None)):
            raise ValueError(
                "`mixing` must be a mixing of `keras_distill.data`, or have "
                f"their `counts`. Received: mixing={mixing!r}"
            )
        # That there is such a task, and the like, is said now.
        self._counts(1, 0, 0)

    def __len__(self):
        return sum(map(len, self.examples.values()))

    @property
    def sequence_length(self):
        """The most tokens that a row of any task may have."""
        return max(rows.sequence_length for rows in self.examples.values())

    def batches(
        self,
        batch_size,
        shuffle=False,
        seed=0,
        initial_epoch=0,
        first_batch=None,
        **batch_options,
    ):
        """Returns the batches as `MultiTaskDistiller.fit` takes them.

        Args:
            batch_size: int. Rows per batch.
            shuffle: bool. Whether the tasks are mixed, and the rows of each
                shuffled and batched by length. Defaults to `False`: all rows
                of one task after the other, each once, in their order.
            seed: int. Seed of the order. Defaults to `0`.
            initial_epoch: int. The number of the first epoch, for a run that
                is taken up again. Defaults to `0`.
            first_batch: int. Gives the epoch `initial_epoch` alone, from
                this batch on, the same at every pass. Defaults to `None`:
                whole epochs, one after the other.
            **batch_options: `fixed_length`, `length_multiple` and
                `drop_remainder`, as `TokenizedExamples.batches` takes them.

        Returns:
            `MultiTaskBatches`, which have a length. A pass over them gives an
            epoch of NumPy batches, each as `{task: (x, y)}`.
        """
        check_int("initial_epoch", initial_epoch, minimum=0)
        makers = {
            task: _of_task(
                task,
                rows.batch_maker,
                batch_size,
                shuffle,
                seed,
                **batch_options,
            )
            for task, rows in self.examples.items()
        }
        batches = {task: maker.count for task, maker in makers.items()}
        _check_whole_batches(batches)
        if shuffle:
            plan = _Plan(
                functools.partial(self._counts_of, batches, seed), makers, seed
            )
            count = sum(plan.counts(0).values())
        else:
            count = sum(batches.values())

            def plan(epoch):
                return [
                    (task, rows)
                    for task, maker in makers.items()
                    for rows in maker.plan(epoch)
                ]

        check_first_batch(first_batch or 0, count)
        return MultiTaskBatches(
            self.examples, makers, plan, count, initial_epoch, first_batch
        )

    def num_batches(self, batch_size, drop_remainder=False):
        """Returns the number of batches in an epoch of training.

        Args:
            batch_size: int. Rows per batch.
            drop_remainder: bool. Whether the rows of a task that do not fill
                a batch are left out. Defaults to `False`.
        """
        return sum(self._counts(batch_size, 0, 0, drop_remainder).values())

    def counts(self, batch_size, epoch=0, seed=0, drop_remainder=False):
        """Returns how many batches of each task an epoch of training has.

        Args:
            batch_size: int. Rows per batch.
            epoch: int. Number of the epoch, from 0. Defaults to `0`.
            seed: int. Seed of the order. Defaults to `0`.
            drop_remainder: bool. As for `num_batches`.

        Returns:
            dict of the name of a task to int.
        """
        check_int("epoch", epoch, minimum=0)
        return self._counts(batch_size, epoch, seed, drop_remainder)

    def check_model(self, model, with_labels=True):
        """Raises unless a multi-task model can take these rows.

        Args:
            model: `keras_distill.models.MultiTaskModel`.
            with_labels: bool. Whether the model is to learn the labels.
                Defaults to `True`.

        Raises:
            ValueError: If it has no head for a task, or what
                `TokenizedExamples.check_model` finds, with the task's name.
        """
        unknown = [t for t in self.examples if t not in model.task_models]
        if unknown:
            raise ValueError(
                f"The model '{model.name}' has heads for "
                f"{', '.join(model.task_models)}. Received: examples of "
                f"{', '.join(unknown)}."
            )
        for task, rows in self.examples.items():
            _of_task(
                task, rows.check_model, model.task_models[task], with_labels
            )

    def fingerprints(self):
        """Tells these rows, and how they are mixed, from any others.

        Returns:
            dict of str to str or `None`.
        """
        found = {
            f"{task}/{part}": value
            for task, rows in self.examples.items()
            for part, value in rows.fingerprints().items()
        }
        # The tasks in their order, which the order of batches follows from.
        mixing = content_hash(
            list(self.examples), type(self.mixing).__name__, self.mixing
        )
        return {**found, "mixing": mixing.hexdigest()}

    def _counts(self, batch_size, epoch, seed, drop_remainder=False):
        batches = {
            task: rows.num_batches(batch_size, drop_remainder)
            for task, rows in self.examples.items()
        }
        return self._counts_of(batches, seed, epoch)

    def _counts_of(self, batches, seed, epoch):
        rows = {task: len(part) for task, part in self.examples.items()}
        return self.mixing.counts(rows, batches, epoch, seed)


class _Plan:
    """The turns of an epoch: a function of its number."""

    def __init__(self, counts, makers, seed):
        # Of epochs and of passes over a task, each needed again and again.
        self.counts = functools.cache(counts)
        self._rows = functools.lru_cache(maxsize=2 * len(makers))(
            lambda task, number: makers[task].plan(number)
        )
        self._makers = makers
        self._seed = seed

    def __call__(self, epoch):
        tasks, rows = [], {}
        for task, count in self.counts(epoch).items():
            # Where the task stopped in the epoch before.
            first = sum(self.counts(e)[task] for e in range(epoch))
            tasks += [task] * count
            rows[task] = iter(self._pieces(task, first, count))
        order = np.random.default_rng((self._seed, epoch, _ORDER))
        return [
            (tasks[place], next(rows[tasks[place]]))
            for place in order.permutation(len(tasks))
        ]

    def _pieces(self, task, first, count):
        """Some batches of a task, whose passes follow one another."""
        whole = self._makers[task].count
        for place in range(first, first + count):
            yield self._rows(task, place // whole)[place % whole]


def _checked(examples):
    if not isinstance(examples, Mapping) or not examples:
        raise ValueError(
            "`examples` must be a dict of the name of a task to its tokenised "
            f"examples. Received: {examples!r}"
        )
    for task, rows in examples.items():
        if not isinstance(task, str) or not task:
            raise ValueError(
                f"`examples` must have a name for each task. Received: {task!r}"
            )
        if not hasattr(rows, "batch_maker"):
            raise ValueError(
                f"The examples of task '{task}' must be tokenised: "
                "keras_distill.tasks.TokenizedExamples(examples, tokenizer, "
                f"sequence_length). Received: {type(rows).__name__}"
            )
        if not len(rows):
            raise ValueError(
                f"`examples` must hold rows of each task. Received: none of "
                f"task '{task}'. Leave the task out."
            )
    return dict(examples)


def _check_whole_batches(batches):
    for task, count in batches.items():
        if not count:
            raise ValueError(
                f"Task '{task}' has fewer rows than a batch, and "
                "`drop_remainder` leaves them out. Use a smaller "
                "`batch_size`, or leave the task out."
            )


def _of_task(task, function, *args, **kwargs):
    """What a function gives; its complaints name the task."""
    try:
        return function(*args, **kwargs)
    except ValueError as error:
        raise ValueError(f"Task '{task}': {error}") from error
