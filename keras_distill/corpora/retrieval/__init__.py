"""Finding texts like a task's own in a large corpus."""

from keras_distill.corpora.retrieval.retrieve import Retrieved
from keras_distill.corpora.retrieval.retrieve import retrieve
from keras_distill.corpora.retrieval.sentence_encoder import SentenceEncoder
from keras_distill.corpora.retrieval.sentence_encoder import (
    load_sentence_encoder,
)

__all__ = ["Retrieved", "SentenceEncoder", "load_sentence_encoder", "retrieve"]
