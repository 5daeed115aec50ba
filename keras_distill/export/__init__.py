"""Ways out of the library for a distilled student."""

from keras_distill.export.preset import to_preset
from keras_distill.export.saved_model import to_saved_model

__all__ = ["to_preset", "to_saved_model"]
