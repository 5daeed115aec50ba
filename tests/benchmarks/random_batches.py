"""Random token ids without padding."""

import numpy as np

_SEED = 0


def make_arrays(options):
    """Returns the rows of a run.

    Args:
        options: Namespace of `options.make_parser`.

    Returns:
        `(x, y)`: the inputs of KerasHub's BERT and labels of two classes.
    """
    random = np.random.default_rng(_SEED)
    shape = (options.steps * options.batch_size, options.length)
    token_ids = random.integers(1, options.vocabulary_size, shape, "int32")
    x = {
        "token_ids": token_ids,
        "segment_ids": np.zeros_like(token_ids),
        "padding_mask": np.ones_like(token_ids),
    }
    return x, random.integers(0, 2, len(token_ids), "int32")


def make_batches(options, labelled=True):
    """Returns the batches of a run, the same in each run.

    Args:
        options: Namespace of `options.make_parser`.
        labelled: bool. Whether batches are `(x, y)` or `(x,)`. Defaults to
            `True`.

    Returns:
        `tf.data.Dataset`.
    """
    import tensorflow as tf

    x, y = make_arrays(options)
    rows = (x, y) if labelled else (x,)
    batches = tf.data.Dataset.from_tensor_slices(rows)
    return batches.batch(options.batch_size).cache().prefetch(2)
