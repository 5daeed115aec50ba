"""The steps of a run, and what is left of them."""

from keras_distill.stages.run_folder import RunFolder

__all__ = ["RunFolder"]
