"""Batches whose values are looked at when they are made.

That is outside of the step, in the input pipeline, and costs a step nothing.
"""

import contextlib
import re
import sys

import keras

from keras_distill.checks.values import LengthLimit

# By which an error of the input pipeline is known.
_MARK = "keras_distill found"


def is_data_set(x):
    """Whether `x` is a `tf.data.Dataset`; without TensorFlow none is."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def is_loader(x):
    """Whether batches come from PyTorch or from a strategy of TensorFlow."""
    modules = {kind.__module__.split(".")[0] for kind in type(x).__mro__}
    return not hasattr(x, "dtype") and bool(modules & {"torch", "tensorflow"})


def as_batch(batch):
    """A batch as a tuple of inputs and, as far as there are any, the rest."""
    return tuple(batch) if isinstance(batch, (list, tuple)) else (batch,)


class CheckedBatches(keras.utils.PyDataset):
    """The batches of a `PyDataset`, given to `check` with their number."""

    def __init__(self, batches, check):
        super().__init__(
            workers=batches.workers,
            use_multiprocessing=batches.use_multiprocessing,
            max_queue_size=batches.max_queue_size,
        )
        self._batches = batches
        self._check = check

    @property
    def num_batches(self):
        return self._batches.num_batches

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        batch = self._batches[index]
        self._check(batch, index)
        return batch

    def on_epoch_begin(self):
        self._batches.on_epoch_begin()

    def on_epoch_end(self):
        self._batches.on_epoch_end()


def checked_generator(batches, check):
    """The batches of a generator, given to `check` with their number."""
    for number, batch in enumerate(batches):
        check(batch, number)
        yield batch


def checked_data_set(data_set, limits):
    """A `tf.data.Dataset` that fails at the first value outside of a limit.

    Args:
        data_set: `tf.data.Dataset`.
        limits: list of `(place, limit)`.

    Returns:
        `tf.data.Dataset` of the same batches. `explained` makes a sentence of
        its failure.
    """
    import tensorflow as tf

    spec = as_batch(data_set.element_spec)
    limits = [
        (number, place, limit)
        for number, (place, limit) in enumerate(limits)
        if isinstance(place.find(spec), tf.TensorSpec)
    ]
    if not limits:
        return data_set

    def check(batch_number, batch):
        found = [
            (number, limit, place.find(as_batch(batch)))
            for number, place, limit in limits
        ]
        is_good = tf.reduce_all(
            [_is_inside(limit, values) for _, limit, values in found]
        )

        def look_closer():
            for number, limit, values in found:
                _assert_inside(limit, values, [number, batch_number])
            return tf.constant(False)

        tf.cond(is_good, lambda: tf.constant(True), look_closer)
        return batch

    # Made of TensorFlow's own control flow.
    check = tf.autograph.experimental.do_not_convert(check)
    return data_set.enumerate().map(check)


@contextlib.contextmanager
def explained(limits):
    """Has what `checked_data_set` finds raised as a sentence."""
    try:
        yield
    except Exception as error:
        found = re.search(
            rf"{_MARK}\] \[(\d+)\] \[(\d+)\] \[(\d+)\] \[([^\]]+)\]",
            str(error),
        )
        if found is None:
            raise
        number, batch, row, value = found.groups()
        place, limit = limits[int(number)]
        where = f"row {row} of batch {batch}"
        raise limit.error(place.name, value, where) from None


def _is_inside(limit, values):
    import tensorflow as tf

    if isinstance(limit, LengthLimit):
        return len(values.shape) < 2 or tf.shape(values)[1] <= limit.high
    return tf.logical_not(tf.reduce_any(_outside(limit, values)))


def _assert_inside(limit, values, place):
    """Has the input pipeline fail at the first value outside of a limit.

    Args:
        limit: `Limit` or `LengthLimit`.
        values: `tf.Tensor`.
        place: list of tensors or ints that stand first in the message.
    """
    import tensorflow as tf

    def fail():
        if isinstance(limit, LengthLimit):
            row, value = 0, tf.shape(values)[1]
        else:
            first = tf.where(_outside(limit, values))[0]
            row, value = first[0], tf.gather_nd(values, first)
        failed = tf.debugging.Assert(False, [_MARK, *place, row, value])
        with tf.control_dependencies([failed]):
            return tf.constant(False)

    tf.cond(_is_inside(limit, values), lambda: tf.constant(True), fail)


def _outside(limit, values):
    import tensorflow as tf

    if values.dtype == tf.bool:
        return tf.zeros_like(values)
    low, high = (
        tf.cast(
            max(min(bound, values.dtype.max), values.dtype.min), values.dtype
        )
        for bound in (limit.low, limit.high)
    )
    outside = tf.logical_not((values >= low) & (values <= high))
    if limit.is_whole and values.dtype.is_floating:
        outside |= values != tf.floor(values)
    if limit.ignored is not None:
        outside &= values != tf.cast(limit.ignored, values.dtype)
    return outside
