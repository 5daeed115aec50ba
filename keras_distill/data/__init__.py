"""Rows, and how they become batches."""

from keras_distill.data.concatenate import concatenate
from keras_distill.data.examples import Examples
from keras_distill.data.multi_task.mixing import AnnealedMixing
from keras_distill.data.multi_task.mixing import MainTaskMixing
from keras_distill.data.multi_task.mixing import ProportionalMixing
from keras_distill.data.multi_task.multi_task_batches import MultiTaskBatches
from keras_distill.data.multi_task.multi_task_examples import MultiTaskExamples
from keras_distill.data.readers.text_files import TextFiles
from keras_distill.data.splits import Splits
from keras_distill.data.tagged_examples import TaggedExamples
from keras_distill.data.text_hashes import text_hashes
from keras_distill.data.tokenized.predict import predict_logits
from keras_distill.data.tokenized.predict import predict_tags
from keras_distill.data.tokenized.tokenized_examples import TokenizedExamples
from keras_distill.data.tokenized.tokenized_tags import TokenizedTags

__all__ = [
    "AnnealedMixing",
    "Examples",
    "MainTaskMixing",
    "MultiTaskBatches",
    "MultiTaskExamples",
    "ProportionalMixing",
    "Splits",
    "TaggedExamples",
    "TextFiles",
    "TokenizedExamples",
    "TokenizedTags",
    "concatenate",
    "predict_logits",
    "predict_tags",
    "text_hashes",
]
