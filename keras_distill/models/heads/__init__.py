"""Heads that KerasHub lacks, with the tasks that stand on them."""

from keras_distill.models.heads.stochastic_answer_classifier import (
    StochasticAnswerClassifier,
)
from keras_distill.models.heads.stochastic_answer_head import (
    StochasticAnswerHead,
)

__all__ = ["StochasticAnswerClassifier", "StochasticAnswerHead"]
