"""Backbones and heads that KerasHub lacks."""

from keras_distill.models.bilstm import BiLstmBackbone
from keras_distill.models.bilstm import BiLstmEncoder
from keras_distill.models.bilstm import BiLstmTextClassifier
from keras_distill.models.factorized_bert import FactorizedBertBackbone
from keras_distill.models.factorized_bert import FactorizedBertTextClassifier

__all__ = [
    "BiLstmBackbone",
    "BiLstmEncoder",
    "BiLstmTextClassifier",
    "FactorizedBertBackbone",
    "FactorizedBertTextClassifier",
]
