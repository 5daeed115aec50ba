"""Unlabelled text."""

from keras_distill.corpora import retrieval

__all__ = ["retrieval"]
