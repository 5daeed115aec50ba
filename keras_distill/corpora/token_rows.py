"""What rows of a corpus have in common, whatever stands in them."""

import numpy as np

from keras_distill.checks.values import check_length
from keras_distill.checks.values import check_token_ids
from keras_distill.checks.values import num_positions

# What the rows of a corpus may be to a model.
INPUTS = ("token_ids", "segment_ids", "padding_mask")


def check_model_reads(model, corpus, sequence_length):
    """Raises unless a model has the tokens and the positions of a corpus."""
    positions = num_positions(model)
    if positions is not None:
        check_length(sequence_length, positions)
    backbone = getattr(model, "backbone", model)
    size = getattr(backbone, "vocabulary_size", None)
    if size is not None:
        check_token_ids(np.array([[corpus.largest]]), size)


def padded(rows, width, layout):
    """Ragged rows as an array of ids, and where it has tokens."""
    is_token = np.arange(width) < rows.lengths[:, np.newaxis]
    token_ids = np.full(is_token.shape, layout.pad, "int32")
    token_ids[is_token] = rows.values
    return token_ids, is_token
