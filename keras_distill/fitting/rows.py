"""Parts and orders of tokenised rows, as Keras's arguments ask for them."""

import math

import numpy as np

from keras_distill.checks.arguments import check_float
from keras_distill.checks.values import num_outputs
from keras_distill.data import TokenizedTags


def split(rows, share):
    """The rows to train on, and the last ones, as Keras splits arrays."""
    share = check_float("validation_split", share, above=0, below=1)
    count = math.floor(len(rows) * (1.0 - share))
    if count in (0, len(rows)):
        raise ValueError(
            "`validation_split` must leave rows on both sides. Received: "
            f"validation_split={share} of {len(rows)} rows."
        )
    places = np.arange(len(rows))
    return rows.select(places[:count]), rows.select(places[count:])


def weighed_by_class(rows, class_weight, student):
    """The rows with the weight of each one's class."""
    if isinstance(rows.labels, (dict, tuple)):
        raise ValueError(
            "`class_weight` is for labels of one output. Received: labels of "
            f"{len(rows.labels)} outputs. Use `sample_weight`."
        )
    return rows.with_class_weight(class_weight, num_outputs(student))


def by_length(rows, steps):
    """The rows in an order with little padding, where none is asked for.

    The weights of words are means over a batch, which have to stay together.
    """
    if steps is not None or isinstance(rows, TokenizedTags):
        return rows
    return rows.select(longest_first(rows))


def longest_first(rows):
    """So that memory runs out at once or not at all."""
    return np.argsort(-rows.lengths, kind="stable")
