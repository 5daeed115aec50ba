"""Encoders, tokenizers and heads out of folders that `transformers` wrote."""

from keras_distill.models.hugging_face.checkpoint import Checkpoint
from keras_distill.models.hugging_face.checkpoint import is_hugging_face_folder
from keras_distill.models.hugging_face.encoder import load_encoder
from keras_distill.models.hugging_face.head import num_labels
from keras_distill.models.hugging_face.masked_lm_head import has_masked_lm_head
from keras_distill.models.hugging_face.masked_lm_head import (
    has_next_sentence_head,
)
from keras_distill.models.hugging_face.masked_lm_head import load_masked_lm_head
from keras_distill.models.hugging_face.masked_lm_head import (
    load_next_sentence_head,
)
from keras_distill.models.hugging_face.settings import label_names
from keras_distill.models.hugging_face.task import has_head
from keras_distill.models.hugging_face.task import load_preprocessor
from keras_distill.models.hugging_face.task import load_task

__all__ = [
    "Checkpoint",
    "has_head",
    "has_masked_lm_head",
    "has_next_sentence_head",
    "is_hugging_face_folder",
    "label_names",
    "load_encoder",
    "load_masked_lm_head",
    "load_next_sentence_head",
    "load_preprocessor",
    "load_task",
    "num_labels",
]
