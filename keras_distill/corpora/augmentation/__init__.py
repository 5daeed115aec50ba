"""More texts like a task's own, with words replaced by likely ones."""

from keras_distill.corpora.augmentation.augmenter import Augmenter
from keras_distill.corpora.augmentation.chunks import augmented_chunks
from keras_distill.corpora.augmentation.glove import WordNeighbors
from keras_distill.corpora.augmentation.glove import load_glove
from keras_distill.corpora.augmentation.masked_lm_words import MaskedLMWords
from keras_distill.corpora.augmentation.stop_words import STOP_WORDS

__all__ = [
    "Augmenter",
    "MaskedLMWords",
    "STOP_WORDS",
    "WordNeighbors",
    "augmented_chunks",
    "load_glove",
]
