"""Backbones and heads that KerasHub lacks, in the shape of its own."""

from keras_distill.models.bert import BertBackbone
from keras_distill.models.bert import BertTextClassifier
from keras_distill.models.bert_head import HEADS
from keras_distill.models.bert_head import LINEAR
from keras_distill.models.bert_head import POOLER
from keras_distill.models.bert_head import POOLINGS
from keras_distill.models.bert_head import TINYBERT
from keras_distill.models.bert_head import BertHead
from keras_distill.models.bilstm import BiLstmBackbone
from keras_distill.models.bilstm import BiLstmEncoder
from keras_distill.models.bilstm import BiLstmTextClassifier
from keras_distill.models.checkpoint_encoders import DistilBertBackbone
from keras_distill.models.checkpoint_encoders import DistilBertTextClassifier
from keras_distill.models.checkpoint_encoders import RobertaBackbone
from keras_distill.models.checkpoint_encoders import RobertaTextClassifier
from keras_distill.models.checkpoint_encoders import XLMRobertaBackbone
from keras_distill.models.checkpoint_encoders import XLMRobertaTextClassifier
from keras_distill.models.factorized_bert import FactorizedBertBackbone
from keras_distill.models.factorized_bert import FactorizedBertTextClassifier
from keras_distill.models.heads import StochasticAnswerClassifier
from keras_distill.models.heads import StochasticAnswerHead
from keras_distill.models.masked_lm import MaskedLanguageModel
from keras_distill.models.masked_lm import load_masked_lm
from keras_distill.models.mobilebert import MobileBertBackbone
from keras_distill.models.mobilebert import MobileBertBlock
from keras_distill.models.mobilebert import MobileBertTextClassifier
from keras_distill.models.mobilebert import NoNorm
from keras_distill.models.mobilebert_release import load_released_mobilebert
from keras_distill.models.multi_task import MultiTaskModel
from keras_distill.models.pooling import MeanPooling
from keras_distill.models.pretraining_model import PretrainingModel
from keras_distill.models.token_classifier import TokenClassifier

__all__ = [
    "BertBackbone",
    "BertHead",
    "BertTextClassifier",
    "BiLstmBackbone",
    "BiLstmEncoder",
    "BiLstmTextClassifier",
    "DistilBertBackbone",
    "DistilBertTextClassifier",
    "FactorizedBertBackbone",
    "FactorizedBertTextClassifier",
    "HEADS",
    "LINEAR",
    "MeanPooling",
    "POOLER",
    "POOLINGS",
    "MaskedLanguageModel",
    "MobileBertBackbone",
    "MobileBertBlock",
    "MobileBertTextClassifier",
    "MultiTaskModel",
    "NoNorm",
    "PretrainingModel",
    "RobertaBackbone",
    "RobertaTextClassifier",
    "StochasticAnswerClassifier",
    "StochasticAnswerHead",
    "TINYBERT",
    "TokenClassifier",
    "XLMRobertaBackbone",
    "XLMRobertaTextClassifier",
    "load_masked_lm",
    "load_released_mobilebert",
]
