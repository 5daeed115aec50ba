"""Reports whose times say nothing, where a test looks at something else."""

import contextlib

import numpy as np


@contextlib.contextmanager
def untimed_models(models, task, saved_models):
    """Stands in for `keras_distill.evaluation.measures.timed_models`."""
    yield dict.fromkeys(models, _Instant())


class _Instant:
    """Is timed in place of a model."""

    compiles_each_length = False

    def prepare(self, texts, x):
        return texts, x

    def answer(self, texts):
        return np.zeros(1)

    forward = answer
