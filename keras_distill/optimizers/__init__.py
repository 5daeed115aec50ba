"""Optimizers around Keras's own."""

from keras_distill.optimizers.rate_scale_optimizer import RateScaleOptimizer

__all__ = ["RateScaleOptimizer"]
