"""Models that KerasHub lacks, in the shape of its own."""

from keras_distill.models.token_classifier import TokenClassifier

__all__ = [
    "TokenClassifier",
]
