"""What happens around the steps of training."""

from keras_distill.callbacks.stop_on_nan import StopOnNaN

__all__ = ["StopOnNaN"]
