"""Runs a teacher over examples, for features as NumPy arrays."""

import keras
import numpy as np

from keras_distill.features import FeatureExtractor
from keras_distill.features import select_inputs


class TeacherRun:
    """Runs a teacher over examples, no deeper than the features asked for.

    Args:
        teacher: `keras.Model`.
        features: Sequence of feature names.
        batch_size: int.
    """

    def __init__(self, teacher, features, batch_size):
        self._teacher = teacher
        self._batch_size = batch_size
        self._run = _compiled(FeatureExtractor(teacher, features))
        self._fixed_length = _fixed_length(teacher)

    def __call__(self, examples):
        """Yields the features of one batch after the other, in order.

        Args:
            examples: `keras_distill.tasks.TokenizedExamples`.

        Yields:
            dict of feature name to NumPy array.
        """
        examples.check_model(self._teacher, with_labels=False)
        batches = examples.iterate(
            self._batch_size,
            fixed_length=self._fixed_length,
        )
        for x, *_ in batches:
            inputs = select_inputs(self._teacher, x, "teacher")
            found = self._run(inputs)
            yield {name: np.asarray(value) for name, value in found.items()}


def _compiled(extractor):
    """Runs a model on a batch: outside of any strategy, and without XLA.

    In `tf.distribute`, `predict_on_batch` runs the batch on every device and
    returns it as often; and XLA would compile anew for each length.
    """
    if keras.backend.backend() != "tensorflow":
        return extractor.predict_on_batch
    import tensorflow as tf

    return tf.function(
        lambda inputs: extractor(inputs, training=False),
        autograph=False,
        reduce_retracing=True,
    )


def _fixed_length(model):
    """The only length that a model takes, or `None`."""
    for tensor in keras.tree.flatten(model.input):
        if len(tensor.shape) == 2 and tensor.shape[1] is not None:
            return tensor.shape[1]
    return None
