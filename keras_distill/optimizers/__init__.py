"""What Keras's own optimizers lack, and what goes around them."""

from keras_distill.optimizers.adam import Adam
from keras_distill.optimizers.adam import Adamax
from keras_distill.optimizers.adam import AdamW
from keras_distill.optimizers.bert_adam import BertAdam
from keras_distill.optimizers.bert_lamb import BertLamb
from keras_distill.optimizers.rate_scale_optimizer import RateScaleOptimizer

__all__ = [
    "Adam",
    "AdamW",
    "Adamax",
    "BertAdam",
    "BertLamb",
    "RateScaleOptimizer",
]
