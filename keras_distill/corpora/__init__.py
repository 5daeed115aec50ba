"""Unlabelled text."""

from keras_distill.corpora import augmentation
from keras_distill.corpora import retrieval
from keras_distill.corpora.documents import read_documents
from keras_distill.corpora.masked_rows import MaskedRows
from keras_distill.corpora.masked_sentence_pairs import MaskedSentencePairs
from keras_distill.corpora.masking import mask_pieces
from keras_distill.corpora.sentence_pairs import SentencePairs
from keras_distill.corpora.tokenized_corpus import TokenizedCorpus
from keras_distill.corpora.tokenized_corpus import tokenize_corpus

__all__ = [
    "MaskedRows",
    "MaskedSentencePairs",
    "SentencePairs",
    "TokenizedCorpus",
    "augmentation",
    "mask_pieces",
    "read_documents",
    "retrieval",
    "tokenize_corpus",
]
