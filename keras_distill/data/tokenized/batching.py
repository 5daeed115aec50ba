"""Rows in batches of similar length, and batches for Keras's `fit`."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from keras_distill.checks.arguments import check_int

# Batches that are made while the model computes.
_AHEAD = 2
# Batches that are sorted by length together. On SST-2 in batches of 32, 50
# leave 5% of padding, where unsorted batches are two thirds padding.
_POOL = 50
# A small set is sorted in at least this many parts, so that its batches
# differ from epoch to epoch.
_LEAST_POOLS = 4


def make_batches(
    lengths,
    batch_size,
    shuffle=False,
    seed=0,
    epoch=0,
    drop_remainder=False,
):
    """Divides rows into batches.

    Without `shuffle` the rows stay in order. With it they are shuffled,
    sorted by length within pools of many batches and cut into batches, whose
    order is shuffled again: batches are random, and a batch's rows are of
    about the same length.

    Args:
        lengths: integer array. The length of each row.
        batch_size: int. Rows per batch.
        shuffle: bool. Whether to shuffle and group. Defaults to `False`.
        seed: int. Seed of the shuffle. Defaults to `0`.
        epoch: int. Each epoch has its own order. Defaults to `0`.
        drop_remainder: bool. Whether to leave out the rows that do not fill
            a batch. Defaults to `False`.

    Returns:
        List of integer arrays of row numbers.
    """
    kept = len(lengths)
    if drop_remainder:
        kept -= kept % batch_size
    if not shuffle:
        return _cut(np.arange(kept), batch_size)
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(len(lengths))[:kept]
    pool = batch_size * _pool_batches(kept // batch_size)
    batches = []
    for rows in _cut(order, pool):
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches.extend(_cut(rows, batch_size))
    return [batches[place] for place in generator.permutation(len(batches))]


def make_group_batches(
    lengths, groups, batch_size, shuffle=False, seed=0, epoch=0
):
    """Divides groups of rows into batches of about as many rows.

    As `make_batches`, but that the rows of a group are not parted: a batch may
    have so many more or fewer rows as its last group has. There are as many
    batches in each epoch (`num_group_batches`).

    Args:
        lengths: integer array. The length of each row.
        groups: list of integer arrays of row numbers.
        batch_size: int. Rows per batch, about.
        shuffle: bool. Defaults to `False`.
        seed: int. Defaults to `0`.
        epoch: int. Defaults to `0`.

    Returns:
        List of integer arrays of row numbers.
    """
    count = num_group_batches(groups, batch_size)
    order = np.arange(len(groups))
    if shuffle:
        generator = np.random.default_rng((seed, epoch))
        longest = np.array([lengths[rows].max() for rows in groups])
        pool = -(-len(groups) // count) * _pool_batches(count)
        order = np.concatenate(
            [
                part[np.argsort(longest[part], kind="stable")]
                for part in _cut(generator.permutation(len(groups)), pool)
            ]
        )
    sizes = np.array([len(groups[number]) for number in order])
    # A batch has the groups that begin in its share of all rows.
    starts = np.cumsum(sizes) - sizes
    borders = np.searchsorted(
        starts * count, np.arange(1, count) * sizes.sum(), side="left"
    )
    batches = [
        np.concatenate([groups[number] for number in part])
        for part in np.split(order, borders)
    ]
    if shuffle:
        batches = [batches[i] for i in generator.permutation(count)]
    return batches


def num_group_batches(groups, batch_size):
    """How many batches `make_group_batches` makes: each has a group."""
    sizes = [len(rows) for rows in groups]
    total = sum(sizes)
    return min(-(-total // batch_size), total // max(sizes))


def _pool_batches(batches):
    """How many batches to sort together."""
    return max(1, min(_POOL, batches // _LEAST_POOLS))


def _cut(rows, size):
    """Consecutive pieces of `size` rows; the last may be shorter."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@dataclasses.dataclass(frozen=True)
class BatchMaker:
    """What makes the batches of some rows, one epoch after the other."""

    # Of the number of an epoch: its batches, as arrays of row numbers.
    plan: Callable
    # Of an array of row numbers: the batch.
    read: Callable
    # Of nothing: the `tf.TensorSpec` of a batch.
    signature: Callable
    # The batches of an epoch.
    count: int


def fit_batches(
    plan, read, signature, count, initial_epoch=0, first_batch=None
):
    """Batches as Keras's `fit` takes them, one epoch after the other.

    An epoch counts when its last batch was handed out, so an iteration that
    is given up, as Keras does with its first one to see a batch, does not
    change what training reads.

    Args:
        plan: function of the number of an epoch that returns the batches of
            that epoch as a list of whatever `read` takes.
        read: function that turns an entry of the list into a batch.
        signature: function without arguments that gives the `tf.TensorSpec`
            of a batch; TensorFlow alone asks for it.
        count: int. The batches of an epoch.
        initial_epoch: int. The number of the first epoch. Defaults to `0`.
        first_batch: int. Gives the epoch `initial_epoch` alone, from this
            batch on, the same at every iteration. Defaults to `None`: whole
            epochs, one after the other.

    Returns:
        On TensorFlow a `tf.data.Dataset` of a known number of batches, on JAX
        and PyTorch a `keras.utils.PyDataset`. `fit` reads either in its own
        order, with `shuffle=True` too.
    """

    def planned(epoch):
        if first_batch is None:
            return plan(epoch)
        return plan(initial_epoch)[first_batch:]

    if keras.backend.backend() != "tensorflow":
        return BatchSequence(planned, read, initial_epoch)
    import tensorflow as tf

    epoch = initial_epoch
    count -= first_batch or 0

    def generate():
        nonlocal epoch
        for number, entry in enumerate(planned(epoch), start=1):
            batch = read(entry)
            if number == count and first_batch is None:
                epoch += 1
            yield batch

    dataset = tf.data.Dataset.from_generator(
        generate, output_signature=signature()
    ).apply(tf.data.experimental.assert_cardinality(count))
    # In a set of few batches, fetching ahead could reach the last batch,
    # and count the epoch, when only the first was asked for.
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    dataset = dataset.with_options(options)
    return dataset.prefetch(_AHEAD) if count > 4 * _AHEAD else dataset


def check_first_batch(first_batch, count):
    """Raises on a batch that an epoch of so many does not have."""
    check_int("first_batch", first_batch)
    if not 0 <= first_batch <= count:
        raise ValueError(
            f"`first_batch` must be from 0 to {count}, the number of batches. "
            f"Received: {first_batch}."
        )


def whole_length_multiple(value):
    """What lengths are rounded up to: where Keras compiles for each, 8."""
    if value is not None:
        return value
    return 8 if keras.backend.backend() == "jax" else 1


class BatchSequence(keras.utils.PyDataset):
    """The batches of one epoch after the other, without TensorFlow.

    An epoch counts when its last batch was handed out. A pass that is given
    up, as Keras does with its first one to see a batch, starts again.

    The batches come in the order of the plan: whatever place is asked for, as
    by Keras's `fit` with its default `shuffle=True`, it is the next batch that
    is handed out.

    Args:
        plan: function of the number of an epoch that returns the batches of
            that epoch as a list of whatever `read` takes.
        read: function that turns an entry of the list into a batch.
        initial_epoch: int. The number of the first epoch. Defaults to `0`.

    Example:

    >>> from keras_distill.data.tokenized.batching import BatchSequence
    >>> batches = BatchSequence(lambda epoch: [epoch, epoch + 1], str)
    >>> list(batches), list(batches)
    (['0', '1'], ['1', '2'])
    """

    def __init__(self, plan, read, initial_epoch=0):
        super().__init__()
        self._plan = plan
        self._read = read
        self._start(initial_epoch)

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        if self._handed_out >= len(self):
            self._settle()
        batch = self._batches[self._handed_out]
        self._handed_out += 1
        return self._read(batch)

    def __iter__(self):
        self._settle()
        for index in range(len(self)):
            yield self[index]
        self._settle()

    def on_epoch_begin(self):
        self._settle()

    def on_epoch_end(self):
        # Keras calls it for a pass that it gave up, too.
        self._settle()

    def _settle(self):
        """Goes on to the next epoch if this one was handed out."""
        if self._handed_out and self._handed_out >= len(self):
            self._start(self._epoch + 1)
        self._handed_out = 0

    def _start(self, epoch):
        self._epoch = epoch
        self._batches = self._plan(epoch)
        self._handed_out = 0
