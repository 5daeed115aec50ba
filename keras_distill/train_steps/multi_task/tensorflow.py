"""Turns on TensorFlow, under any `tf.distribute` strategy."""

import contextlib

import tensorflow as tf

# Batches that are made while the model computes.
_AHEAD = 2


class TensorFlowTurns:
    """Has the distillers of several tasks take turns."""

    def make_turns(self, kind):
        """A function that Keras's loop calls for each step."""

        def run(iterator):
            task, batches = next(iterator)
            with _quiet_about_tracing():
                logs = self.step_of(task, kind)(batches)
            return self.named_logs(task, logs)

        return run

    def _scope(self):
        return self.distribute_strategy.scope()


class MixedDataSet(tf.distribute.DistributedDataset):
    """A data set for each task, each split among the replicas as `fit` does.

    Its iterator says whose turn it is. The batches of different tasks differ
    in structure, which those of one data set cannot.
    """

    def __init__(self, batches, strategy):
        self._batches = batches
        self._rows = {}
        self._data_sets = {
            task: strategy.experimental_distribute_dataset(
                self._data_set(task, maker)
            )
            for task, maker in batches.makers.items()
        }

    @property
    def element_spec(self):
        return {
            task: data_set.element_spec
            for task, data_set in self._data_sets.items()
        }

    def __iter__(self):
        return _Turns(self._batches.turns(self._begin), self._data_sets)

    def _begin(self, turns):
        """Says which rows each data set gives from now on."""
        self._rows = {task: [] for task in self._data_sets}
        for task, rows in turns:
            self._rows[task].append(rows)

    def _data_set(self, task, maker):
        return tf.data.Dataset.from_generator(
            lambda: map(maker.read, self._rows[task]),
            output_signature=maker.signature(),
        ).prefetch(_AHEAD)


class _Turns:
    """One pass: whose turn it is, and where that task's batches come from."""

    def __init__(self, turns, data_sets):
        self._turns = turns
        self._data_sets = data_sets
        self._iterators = {}

    def __iter__(self):
        return self

    def __next__(self):
        """The task whose turn it is, and the iterator of its batches."""
        task, _ = next(self._turns)
        if task not in self._iterators:
            # Not before the pass has begun.
            self._iterators[task] = iter(self._data_sets[task])
        return task, self._iterators[task]


@contextlib.contextmanager
def _quiet_about_tracing():
    """Without TensorFlow's warning of a function that is traced often.

    It takes the steps of the tasks, each traced once, for one function.
    """
    logger = tf.get_logger()
    logger.addFilter(_is_no_tracing)
    try:
        yield
    finally:
        logger.removeFilter(_is_no_tracing)


def _is_no_tracing(record):
    return "triggered tf.function retracing" not in record.getMessage()
