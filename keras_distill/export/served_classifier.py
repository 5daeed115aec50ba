"""A text classifier as the TensorFlow functions that a server calls."""

import tensorflow as tf

from keras_distill.export.interface import packer_of
from keras_distill.export.packing import pack
from keras_distill.export.served_model import ServedModel


class ServedClassifier(ServedModel):
    """Raw texts or token ids in, labels and probabilities out.

    Args:
        classifier: a `keras_hub.models.TextClassifier`.
        interface: the `Interface` to serve it by.
    """

    def __init__(self, classifier, interface):
        super().__init__(classifier, interface)
        self._encode = tf.function(
            self._encode_texts,
            input_signature=self.text_specs,
            autograph=False,
        )

    def encode(self, *texts):
        return self._encode(*texts)

    def _encode_texts(self, *texts):
        preprocessor = self.classifier.preprocessor
        token_ids, segment_ids = pack(
            [preprocessor.tokenizer(text) for text in texts],
            packer_of(preprocessor),
            self.interface.sequence_length,
        )
        return self._features(token_ids, segment_ids)

    def _answer_texts(self, *texts):
        return self._answer_logits(self._logits(self.encode(*texts)))

    def _answer_logits(self, logits):
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
