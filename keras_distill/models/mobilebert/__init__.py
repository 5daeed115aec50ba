"""MobileBERT, and its inverted-bottleneck teacher."""

from keras_distill.models.mobilebert import features
from keras_distill.models.mobilebert.backbone import MobileBertBackbone
from keras_distill.models.mobilebert.block import MobileBertBlock
from keras_distill.models.mobilebert.no_norm import NoNorm
from keras_distill.models.mobilebert.preprocessing import (
    MobileBertBackboneTokenizer,
)
from keras_distill.models.mobilebert.preprocessing import (
    MobileBertTextClassifierPreprocessor,
)
from keras_distill.models.mobilebert.text_classifier import (
    MobileBertTextClassifier,
)

# Importing the module registers the adapter of the block.
del features

__all__ = [
    "MobileBertBackbone",
    "MobileBertBackboneTokenizer",
    "MobileBertBlock",
    "MobileBertTextClassifier",
    "MobileBertTextClassifierPreprocessor",
    "NoNorm",
]
