"""Unlabelled text."""

from keras_distill.corpora import retrieval
from keras_distill.corpora.documents import read_documents

__all__ = ["read_documents", "retrieval"]
