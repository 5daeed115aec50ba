"""A classifier as the TensorFlow functions that a server calls."""

import tensorflow as tf


class ServedModel:
    """Texts or token ids in, answers out.

    Its functions hold the classifier's weights and its tokenizer's table, and
    nothing of Keras once they are traced. A subclass says how texts become
    the model's inputs, and what is answered: `encode`, `_answer_texts` and
    `_answer_logits`.

    Args:
        classifier: a classifier over a backbone, with a preprocessor.
        interface: the `Interface` to serve it by.
    """

    def __init__(self, classifier, interface):
        self.classifier = classifier
        self.interface = interface
        self.text_specs = [
            tf.TensorSpec([None], tf.string, name=column)
            for column in interface.text_columns
        ]

    def encode(self, *texts):
        """The model's inputs for a batch, padded to its longest row.

        Args:
            *texts: one string tensor `(batch,)` for each text column.

        Returns:
            A dict of int32 tensors `(batch, longest row)` by input name.
        """
        raise NotImplementedError

    def signatures(self):
        """The functions to serve.

        Returns:
            A dict of concrete functions: `"serving_default"` takes one string
            tensor `(batch,)` for each text column, `"token_ids"` the model's
            own inputs, int32 `(batch, length)`.
        """
        token_id_specs = [
            tf.TensorSpec([None, None], tf.int32, name=name)
            for name in self.classifier.input
        ]
        return {
            "serving_default": _traced(self._answer_texts, self.text_specs),
            "token_ids": _traced(self._answer_token_ids, token_id_specs),
        }

    def _answer_texts(self, *texts):
        raise NotImplementedError

    def _answer_logits(self, logits):
        raise NotImplementedError

    def _answer_token_ids(self, *tensors):
        features = dict(zip(self.classifier.input, tensors, strict=True))
        longest = self.classifier.backbone.max_sequence_length
        is_short = tf.debugging.assert_less_equal(
            tf.shape(features["token_ids"])[1],
            longest,
            message=f"`token_ids` may have at most {longest} columns, the "
            "model's maximum length. Truncate the texts.",
        )
        # Or the model's own error may come first.
        with tf.control_dependencies([is_short]):
            features = {name: tf.identity(x) for name, x in features.items()}
        logits = self._logits(features)
        return {**self._answer_logits(logits), "logits": logits}

    def _features(self, token_ids, segment_ids):
        """The model's inputs of packed rows."""
        pad = self.classifier.preprocessor.tokenizer.pad_token_id
        features = {
            "token_ids": token_ids,
            "segment_ids": segment_ids,
            "padding_mask": tf.cast(token_ids != pad, tf.int32),
        }
        return {name: features[name] for name in self.classifier.input}

    def _logits(self, features):
        # A student in half precision answers in float32 too.
        return tf.cast(self.classifier(features, training=False), tf.float32)


def _traced(function, specs):
    function = tf.function(function, input_signature=specs, autograph=False)
    return function.get_concrete_function()
