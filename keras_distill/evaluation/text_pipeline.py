"""A classifier as two compiled steps: raw texts to ids, ids to outputs."""

import numpy as np
import tensorflow as tf


class TextPipeline:
    """Runs a KerasHub classifier on raw texts, tokeniser and model apart.

    Each step is one `tf.function` that accepts any batch size and any length,
    so no text makes it trace again. The tokeniser runs on the CPU with the
    model's own preprocessor; its output is cut down to the longest text of
    the batch, so models whose sequence lengths differ meet the same padding
    as in serving.

    Args:
        model: a KerasHub text classifier with a preprocessor.
        num_texts: int. Texts per example: 1, or 2 for sentence pairs.

    Example:

    ```python
    pipeline = TextPipeline(classifier, num_texts=1)
    logits = pipeline.forward(pipeline.tokenize((tf.constant(["Good."]),)))
    ```
    """

    def __init__(self, model, num_texts):
        # The functions below live on the object, not on the class: each
        # model has its own trace.
        strings = tf.TensorSpec([None], tf.string)
        inputs = {
            name: tf.TensorSpec(tensor.shape, tensor.dtype)
            for name, tensor in model.input.items()
        }

        def tokenize(texts):
            with tf.device("cpu"):
                # By name: two texts without one read as (x, y).
                features = model.preprocessor(x=texts)
                lengths = tf.reduce_sum(
                    tf.cast(features["padding_mask"], "int32"), axis=1
                )
                # An empty batch has no longest text.
                longest = tf.reduce_max(tf.concat([lengths, [1]], axis=0))
                return {
                    name: tf.cast(features[name][:, :longest], spec.dtype)
                    for name, spec in inputs.items()
                }

        def forward(features):
            return model(features, training=False)

        self.tokenize = tf.function(
            tokenize, input_signature=[(strings,) * num_texts]
        )
        self.forward = tf.function(forward, input_signature=[inputs])


def predict(pipeline, texts, batch_size, advance):
    """Outputs for every example, in the examples' order.

    Texts of similar length share a batch, which saves padding.

    Args:
        pipeline: `TextPipeline`.
        texts: tuple of lists of str, one list per text of an example.
        batch_size: int.
        advance: callable without arguments, called after every batch.

    Returns:
        `np.ndarray` of shape `(examples, outputs)`.
    """
    columns = [np.array(column, dtype=object) for column in texts]
    order = np.argsort(
        [sum(map(len, example)) for example in zip(*texts, strict=True)],
        kind="stable",
    )
    outputs = []
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        batch = tuple(tf.constant(column[rows]) for column in columns)
        outputs.append(pipeline.forward(pipeline.tokenize(batch)).numpy())
        advance()
    sorted_outputs = np.concatenate(outputs)
    result = np.empty_like(sorted_outputs)
    result[order] = sorted_outputs
    return result
