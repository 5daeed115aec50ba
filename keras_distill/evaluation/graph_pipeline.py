"""A classifier as two compiled steps of TensorFlow."""

import tensorflow as tf


class GraphPipeline:
    """A classifier as two compiled steps of TensorFlow.

    Each step is one `tf.function` that accepts any batch size and any length,
    so no text makes it trace again. The tokeniser runs on the CPU with the
    model's own preprocessor; its output is cut down to the longest text of
    the batch, so models whose sequence lengths differ meet the same padding
    as in serving.

    Args:
        model: a KerasHub text classifier with a preprocessor.
        num_texts: int. Texts per example: 1, or 2 for sentence pairs.
    """

    compiles_each_length = False

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
                mask = tf.cast(features["padding_mask"], "int32")
                # Up to the last real token: KerasHub masks a padding token
                # that a text holds.
                places = tf.range(1, tf.shape(mask)[1] + 1)
                lengths = tf.reduce_max(mask * places, axis=1)
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

    def texts(self, columns):
        """Texts as `tokenize` takes them.

        Args:
            columns: tuple of one or two sequences of str.
        """
        return tuple(tf.constant(column) for column in columns)
