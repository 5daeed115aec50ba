"""BERT whose table of words is kept as a product of two."""

from keras_distill.models.factorized_bert.backbone import FactorizedBertBackbone
from keras_distill.models.factorized_bert.preprocessing import (
    FactorizedBertBackboneTokenizer,
)
from keras_distill.models.factorized_bert.preprocessing import (
    FactorizedBertTextClassifierPreprocessor,
)
from keras_distill.models.factorized_bert.text_classifier import (
    FactorizedBertTextClassifier,
)

__all__ = [
    "FactorizedBertBackbone",
    "FactorizedBertBackboneTokenizer",
    "FactorizedBertTextClassifier",
    "FactorizedBertTextClassifierPreprocessor",
]
