"""Runs a teacher over examples, for features as NumPy arrays."""

from keras_distill.data.tokenized.predict import predict_batches
from keras_distill.features import FeatureExtractor


class TeacherRun:
    """Runs a teacher over examples, no deeper than the features asked for."""

    def __init__(self, teacher, features, batch_size):
        self._teacher = teacher
        self._extractor = FeatureExtractor(teacher, features)
        self._batch_size = batch_size

    def __call__(self, examples):
        """Yields the features of one batch after the other, in order."""
        examples.check_model(self._teacher, with_labels=False)
        yield from predict_batches(
            self._extractor, examples, self._batch_size, role="teacher"
        )
