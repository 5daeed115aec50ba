"""A text classifier as the TensorFlow functions that a server calls."""

import tensorflow as tf

from keras_distill.export.served_model import ServedModel
from keras_distill.packing.graph_packing import pack

# A label of several is given from this probability on.
THRESHOLD = 0.5
NO_LABEL = ""


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
        packed = pack(
            [self.tokenize(text) for text in texts],
            self.layout,
            self.interface.sequence_length,
        )
        return self._features(packed)

    def _answer_texts(self, *texts):
        return self._answer_outputs(self._outputs(self.encode(*texts)))

    def _answer_outputs(self, outputs):
        if self.interface.label_names is None:
            return {"score": tf.squeeze(outputs, axis=-1)}
        names = tf.constant(self.interface.label_names)
        probabilities = self._probabilities(outputs)
        if self.interface.multi_label:
            is_given = probabilities >= THRESHOLD
            return {
                "labels": tf.where(is_given, names, NO_LABEL),
                "probabilities": probabilities,
            }
        label_id = tf.argmax(outputs, axis=-1, output_type=tf.int32)
        return {
            "label": tf.gather(names, label_id),
            "label_id": label_id,
            "probabilities": probabilities,
        }
