"""Batches for Keras's `fit` on JAX and PyTorch."""

import keras


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

    >>> from keras_distill.data.tokenized.batch_sequence import BatchSequence
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
