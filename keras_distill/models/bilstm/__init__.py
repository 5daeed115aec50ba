"""The recurrent student of XtremeDistil (2020)."""

from keras_distill.models.bilstm import features
from keras_distill.models.bilstm.backbone import BiLstmBackbone
from keras_distill.models.bilstm.encoder import BiLstmEncoder
from keras_distill.models.bilstm.text_classifier import BiLstmTextClassifier

# Importing the module registers the adapter of the encoder.
del features

__all__ = ["BiLstmBackbone", "BiLstmEncoder", "BiLstmTextClassifier"]
