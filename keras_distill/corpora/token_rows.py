"""What rows of a corpus have in common, whatever stands in them."""

import numpy as np

from keras_distill.checks.values import check_length
from keras_distill.checks.values import check_token_ids
from keras_distill.checks.values import num_positions
from keras_distill.packing.packer import pack_tokens

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


def packed(texts, layout, sequence_length, width=None, multiple=1):
    """Rows of one or two texts as the inputs of a model, by name.

    They are as wide as the longest, rounded up to a multiple, unless `width`
    says otherwise.
    """
    rows, first_lengths = pack_tokens(texts, layout, sequence_length)
    if width is None:
        width = -(-int(rows.lengths.max()) // multiple) * multiple
        width = min(width, sequence_length)
    places = np.arange(width)
    is_token = places < rows.lengths[:, np.newaxis]
    is_second = is_token & (places >= first_lengths[:, np.newaxis])
    token_ids = np.full(is_token.shape, layout.pad, "int32")
    token_ids[is_token] = rows.values
    return {
        "token_ids": token_ids,
        "segment_ids": is_second.astype("int32"),
        "padding_mask": is_token.astype("int32"),
    }
