"""Hands a distilled student to the systems that serve it."""

from keras_distill.export.saved_model import to_saved_model as to_saved_model
