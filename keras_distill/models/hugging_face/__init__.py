"""Encoders and heads out of folders that `transformers` wrote."""

from keras_distill.models.hugging_face.checkpoint import Checkpoint
from keras_distill.models.hugging_face.checkpoint import is_hugging_face_folder
from keras_distill.models.hugging_face.encoder import load_encoder

__all__ = ["Checkpoint", "is_hugging_face_folder", "load_encoder"]
