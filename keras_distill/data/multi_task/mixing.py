"""How many batches of each task an epoch has.

A mixing is any object with `counts(rows, batches, epoch, seed)`, which gets
two dicts of the name of a task to the rows that it has and to the batches that
they make, the number of the epoch, from 0, and the seed of the order, and
gives a dict of the batches that each task has in that epoch. All epochs have
the same number of batches in all.
"""

import dataclasses
import math

import numpy as np

from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int

# Tells the random numbers of a mixing from those of the order.
_EXTRAS = 2


@dataclasses.dataclass(frozen=True)
class ProportionalMixing:
    """All batches of all tasks: every example once an epoch.

    A task has its part of the steps in proportion to its rows, as in MT-DNN
    ([Liu et al., 2019](https://arxiv.org/abs/1901.11504)).

    Example:

    >>> from keras_distill import data
    >>> mixing = data.ProportionalMixing()
    >>> mixing.counts({"mnli": 96, "rte": 30}, {"mnli": 3, "rte": 1}, 0, 0)
    {'mnli': 3, 'rte': 1}
    """

    def counts(self, rows, batches, epoch, seed):
        """The batches of each task in an epoch."""
        return dict(batches)


@dataclasses.dataclass(frozen=True)
class AnnealedMixing:
    """In proportion at first, and ever more evenly.

    As many steps an epoch as `ProportionalMixing` has, of which a task of `n`
    rows gets a share in proportion to `n ** alpha`, with

    `alpha = 1 - 0.8 * (e - 1) / (E - 1)`

    in epoch `e`, from 1, of `E`: from 1 to 0.2, as
    [Stickland and Murray, 2019](https://arxiv.org/abs/1902.02671) draw tasks.
    Here the shares are exact, rounded so that they add up. A task that has
    more steps than batches begins anew, in other batches; one that has fewer
    goes on in the next epoch where it stopped: no row is seen again before
    all rows of its task were.

    Args:
        epochs: int. `E`. Later epochs are mixed as the last one.

    Raises:
        ValueError: If `epochs` is no whole number of 1 or more.

    Example:

    >>> from keras_distill import data
    >>> mixing = data.AnnealedMixing(epochs=2)
    >>> rows, batches = {"mnli": 3200, "rte": 100}, {"mnli": 100, "rte": 4}
    >>> mixing.counts(rows, batches, epoch=0, seed=0)
    {'mnli': 101, 'rte': 3}
    >>> mixing.counts(rows, batches, epoch=1, seed=0)
    {'mnli': 69, 'rte': 35}
    """

    epochs: int

    def __post_init__(self):
        check_int("epochs", self.epochs, minimum=1)

    def counts(self, rows, batches, epoch, seed):
        """The batches of each task in an epoch."""
        done = min(epoch / max(self.epochs - 1, 1), 1.0)
        shares = np.array(list(rows.values()), "float64") ** (1 - 0.8 * done)
        total = sum(batches.values())
        exact = total * shares / shares.sum()
        counts = np.floor(exact).astype(int)
        # The largest remainders, the first task of equal ones.
        order = np.argsort(counts - exact, kind="stable")
        counts[order[: total - counts.sum()]] += 1
        return dict(zip(rows, counts.tolist(), strict=True))


@dataclasses.dataclass(frozen=True)
class MainTaskMixing:
    """All batches of a main task, and some of the others.

    An epoch has the `m` batches of the main task and `min(ratio * m, o)`,
    rounded down, of the `o` batches of the others, chosen at random by the
    seed, anew in each epoch, as MT-DNN's script does with `--ratio`. A task
    goes on in the next epoch where it stopped.

    Args:
        main_task: str. The name of the main task.
        ratio: float above 0. Other batches for each one of the main task.

    Raises:
        ValueError: If `ratio` is not above 0; with the rows, if there is no
            such task among them.

    Example:

    >>> from keras_distill import data
    >>> mixing = data.MainTaskMixing("rte", ratio=0.5)
    >>> batches = {"mnli": 90, "rte": 10}
    >>> mixing.counts({"mnli": 2880, "rte": 320}, batches, 0, 0)
    {'mnli': 5, 'rte': 10}
    """

    main_task: str
    ratio: float

    def __post_init__(self):
        check_float("ratio", self.ratio, above=0)

    def counts(self, rows, batches, epoch, seed):
        """The batches of each task in an epoch."""
        if self.main_task not in batches:
            raise ValueError(
                "`main_task` must be one of the tasks "
                f"{', '.join(batches)}. Received: {self.main_task!r}"
            )
        others = [
            task
            for task, count in batches.items()
            if task != self.main_task
            for _ in range(count)
        ]
        wanted = self.ratio * batches[self.main_task]
        # A ratio such as 0.29 falls short of its hundredths in binary.
        count = min(math.floor(wanted + 1e-9), len(others))
        generator = np.random.default_rng((seed, epoch, _EXTRAS))
        chosen = generator.permutation(len(others))[:count]
        counts = dict.fromkeys(batches, 0)
        counts[self.main_task] = batches[self.main_task]
        for place in chosen:
            counts[others[place]] += 1
        return counts
