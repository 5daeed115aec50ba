"""What happens around the steps of training."""

from keras_distill.callbacks.gradual_unfreezing import GradualUnfreezing
from keras_distill.callbacks.keep_best import KeepBest
from keras_distill.callbacks.progress import Progress
from keras_distill.callbacks.progressive_knowledge_transfer import (
    ProgressiveKnowledgeTransfer,
)
from keras_distill.callbacks.stop_on_nan import StopOnNaN
from keras_distill.callbacks.throughput import Throughput

__all__ = [
    "GradualUnfreezing",
    "KeepBest",
    "Progress",
    "ProgressiveKnowledgeTransfer",
    "StopOnNaN",
    "Throughput",
]
