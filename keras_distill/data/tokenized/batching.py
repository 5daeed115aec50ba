"""Rows in batches of similar length, and batches for Keras's `fit`."""

import keras
import numpy as np

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


def _pool_batches(batches):
    """How many batches to sort together."""
    return max(1, min(_POOL, batches // _LEAST_POOLS))


def _cut(rows, size):
    """Consecutive pieces of `size` rows; the last may be shorter."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


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
