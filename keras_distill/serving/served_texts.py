"""A model of whole texts as the TensorFlow functions that a server calls."""

import tensorflow as tf

from keras_distill.packing.graph_packing import pack
from keras_distill.serving.served_model import ServedModel


class ServedTexts(ServedModel):
    """Raw texts or token ids in, one answer for each text out.

    Arguments are those of `ServedModel`.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
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
            self.sequence_length,
        )
        return self._features(packed)

    def _answer_texts(self, *texts):
        return self._answer_outputs(self._outputs(self.encode(*texts)))
