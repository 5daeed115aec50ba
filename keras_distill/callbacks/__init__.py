"""What happens around the steps of training."""

from keras_distill.callbacks.keep_best import KeepBest
from keras_distill.callbacks.progress import Progress
from keras_distill.callbacks.stop_on_nan import StopOnNaN

__all__ = ["KeepBest", "Progress", "StopOnNaN"]
