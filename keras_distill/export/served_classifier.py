"""A text classifier as the TensorFlow functions that a server calls."""

import tensorflow as tf

from keras_distill.export.interface import packer_of
from keras_distill.export.packing import pack


class ServedClassifier:
    """Raw texts or token ids in, labels and probabilities out.

    Its functions hold the classifier's weights and its tokenizer's table, and
    nothing of Keras once they are traced.

    Args:
        classifier: a `keras_hub.models.TextClassifier`.
        interface: the `Interface` to serve it by.
    """

    def __init__(self, classifier, interface):
        self.classifier = classifier
        self.interface = interface
        self._encode = tf.function(
            self._encode_texts,
            input_signature=[
                tf.TensorSpec([None], tf.string, name=column)
                for column in interface.text_columns
            ],
            autograph=False,
        )

    def signatures(self):
        """The functions to serve.

        Returns:
            A dict of concrete functions: `"serving_default"` takes one string
            tensor `(batch,)` for each text column, `"token_ids"` the model's
            own inputs, int32 `(batch, length)`.
        """
        serving_default = tf.function(
            self._answer_texts,
            input_signature=self._encode.input_signature,
            autograph=False,
        )
        token_ids = tf.function(
            self._answer_token_ids,
            input_signature=[
                tf.TensorSpec([None, None], tf.int32, name=name)
                for name in self.classifier.input
            ],
            autograph=False,
        )
        return {
            "serving_default": serving_default.get_concrete_function(),
            "token_ids": token_ids.get_concrete_function(),
        }

    def encode(self, *texts):
        """The model's inputs for a batch, padded to its longest row.

        Args:
            *texts: one string tensor `(batch,)` for each text column.

        Returns:
            A dict of int32 tensors `(batch, longest row)` by input name.
        """
        return self._encode(*texts)

    def _encode_texts(self, *texts):
        preprocessor = self.classifier.preprocessor
        token_ids, segment_ids = pack(
            [preprocessor.tokenizer(text) for text in texts],
            packer_of(preprocessor),
            self.interface.sequence_length,
        )
        is_text = token_ids != preprocessor.tokenizer.pad_token_id
        features = {
            "token_ids": token_ids,
            "segment_ids": segment_ids,
            "padding_mask": tf.cast(is_text, tf.int32),
        }
        return {name: features[name] for name in self.classifier.input}

    def _answer_texts(self, *texts):
        return self._answer(self._logits(self.encode(*texts)))

    def _answer_token_ids(self, *tensors):
        features = dict(zip(self.classifier.input, tensors, strict=True))
        longest = self.classifier.backbone.max_sequence_length
        tf.debugging.assert_less_equal(
            tf.shape(features["token_ids"])[1],
            longest,
            message=f"`token_ids` may have at most {longest} columns, the "
            "model's maximum length. Truncate the texts.",
        )
        logits = self._logits(features)
        return {**self._answer(logits), "logits": logits}

    def _logits(self, features):
        # A student in half precision answers in float32 too.
        return tf.cast(self.classifier(features, training=False), tf.float32)

    def _answer(self, logits):
        if self.interface.label_names is None:
            return {"score": tf.squeeze(logits, axis=-1)}
        label_id = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return {
            "label": tf.gather(
                tf.constant(self.interface.label_names), label_id
            ),
            "label_id": label_id,
            "probabilities": tf.nn.softmax(logits),
        }
