"""Packs tokenised texts into one row each, in the graph of a served model.

`keras_hub.layers.MultiSegmentPacker` does the same for training. It trims with
the op `TFText>RoundRobinTrim`, which TF Serving's released servers lack
(https://github.com/tensorflow/serving/issues/2267), and it pads every request
to the longest length that the model was trained for. What stands here uses
TensorFlow's own ops and pads to the longest row of the request.
"""

import tensorflow as tf


def kept_lengths(lengths, budget, truncate):
    """How many tokens of each text stay when a row has room for `budget`.

    Args:
        lengths: list of one or two integer tensors, shape `(batch,)`.
        budget: int. Tokens that fit into a row, special tokens not counted.
        truncate: string. `"round_robin"` or `"waterfall"`, as a
            `keras_distill.packing.Layout` says.

    Returns:
        A list of integer tensors like `lengths`.

    Example:

    >>> first, second = tf.constant([9, 2, 9]), tf.constant([9, 9, 1])
    >>> kept = kept_lengths([first, second], 7, "round_robin")
    >>> [x.numpy().tolist() for x in kept]
    [[4, 2, 6], [3, 5, 1]]
    """
    first = lengths[0]
    if len(lengths) == 1:
        return [tf.minimum(first, budget)]
    second = lengths[1]
    share = budget
    if truncate == "round_robin":
        share = tf.maximum(budget - second, (budget + 1) // 2)
    kept_first = tf.minimum(first, share)
    return [kept_first, tf.minimum(second, budget - kept_first)]


def pack(segments, layout, sequence_length):
    """One row per example: start, first text, separator, second text, end.

    The rows are those of the model's own preprocessor, but padded to the
    longest of them.

    Args:
        segments: list of one or two integer `tf.RaggedTensor`s of token ids,
            shape `(batch, None)`.
        layout: `keras_distill.packing.Layout`. What stands at the start,
            between the texts, at the end and in the padding, and how texts
            that are too long are truncated.
        sequence_length: int. Longest row, special tokens included.

    Returns:
        A dict of int32 tensors `token_ids`, `segment_ids` and `padding_mask`,
        shape `(batch, longest row)`.
    """
    special = layout.num_special_tokens(len(segments))
    budget = sequence_length - special
    segments = [tf.cast(segment, tf.int32) for segment in segments]
    lengths = [segment.row_lengths() for segment in segments]
    kept = kept_lengths(lengths, budget, layout.truncate)
    rows = segments[0].nrows()

    def column(tokens):
        tokens = tf.constant(tokens, tf.int32, shape=[1, len(tokens)])
        return tf.tile(tokens, [rows, 1])

    pieces = [column(layout.start)]
    owners = [0]
    closings = layout.closings(len(segments))
    for index, (segment, length, closing) in enumerate(
        zip(segments, kept, closings, strict=True)
    ):
        trimmed = tf.RaggedTensor.from_tensor(segment.to_tensor(), length)
        pieces += [trimmed, column(closing)]
        owners += [index, index]
    segment_ids = [
        tf.fill(tf.shape(piece), owner)
        if isinstance(piece, tf.Tensor)
        else piece.with_flat_values(tf.fill(tf.shape(piece.flat_values), owner))
        for piece, owner in zip(pieces, owners, strict=True)
    ]
    token_ids = tf.concat(pieces, axis=1)
    segment_ids = tf.concat(segment_ids, axis=1)
    # An empty batch has no longest row, and the model takes no empty ones.
    width = tf.maximum(token_ids.bounding_shape(axis=1), special)
    shape = tf.stack([rows, width])
    return {
        "token_ids": token_ids.to_tensor(layout.pad, shape=shape),
        "segment_ids": segment_ids.to_tensor(0, shape=shape),
        # Not the ids that differ from padding's, which a text can hold.
        "padding_mask": tf.sequence_mask(
            token_ids.row_lengths(), width, dtype=tf.int32
        ),
    }
