"""KerasHub's BERT with the activation and epsilon of a checkpoint."""

from keras_distill.models.bert.backbone import BertBackbone
from keras_distill.models.bert.preprocessing import BertBackboneTokenizer
from keras_distill.models.bert.preprocessing import (
    BertTextClassifierPreprocessor,
)
from keras_distill.models.bert.preprocessing import MultilingualBertPreprocessor
from keras_distill.models.bert.text_classifier import BertTextClassifier

__all__ = [
    "BertBackbone",
    "BertBackboneTokenizer",
    "BertTextClassifier",
    "BertTextClassifierPreprocessor",
    "MultilingualBertPreprocessor",
]
