"""A classifier as the TensorFlow functions that a server calls."""

import keras
import tensorflow as tf

from keras_distill.packing import layout_of
from keras_distill.packing.graph_tokenizer import graph_tokenizer
from keras_distill.packing.graph_tokenizer import resources_of


class ServedModel:
    """Texts or token ids in, answers out.

    Its functions hold the classifier's weights and its tokenizer's tables,
    and nothing of Keras once they are traced. A subclass says how texts
    become the model's inputs: `encode` and `_answer_texts`. What is answered
    is the task's matter.

    Args:
        classifier: a classifier over a backbone, with a preprocessor.
        text_columns: sequence of strings. Names of the text inputs.
        sequence_length: int. Longest packed row, special tokens included.
        answer: function of the model's outputs, `(..., outputs)`, and of
            their probabilities, that returns a dict of tensors by name.
        activation: string. What makes probabilities of logits, `"softmax"`
            or `"sigmoid"`, unless the classifier ends in it. `None`: there
            are none, and `answer` gets the outputs twice.
    """

    def __init__(
        self, classifier, text_columns, sequence_length, answer, activation
    ):
        self.classifier = classifier
        self.sequence_length = sequence_length
        self._answer = answer
        self._activation = keras.activations.get(activation)
        self.layout = layout_of(classifier.preprocessor)
        self.tokenize = graph_tokenizer(classifier.preprocessor.tokenizer)
        self.text_specs = [
            tf.TensorSpec([None], tf.string, name=column)
            for column in text_columns
        ]

    def encode(self, *texts):
        """The model's inputs for a batch, padded to its longest row.

        Args:
            *texts: one string tensor `(batch,)` for each text column.

        Returns:
            A dict of int32 tensors `(batch, longest row)` by input name.
        """
        raise NotImplementedError

    @property
    def resources(self):
        """The tokenizer's tables, which a SavedModel must hold."""
        return resources_of(self.tokenize)

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

    def _answer_outputs(self, outputs):
        """What is answered to outputs, of texts or of pieces."""
        probabilities = outputs
        if self.classifier.activation is not self._activation:
            probabilities = self._activation(outputs)
        return self._answer(outputs, probabilities)

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
        outputs = self._outputs(features)
        answer = self._answer_outputs(outputs)
        if self.classifier.activation is keras.activations.linear:
            answer["logits"] = outputs
        return answer

    def _features(self, packed):
        """Those of the packed tensors that the model reads."""
        return {name: packed[name] for name in self.classifier.input}

    def _outputs(self, features):
        """The model's outputs, logits unless it has an activation."""
        # A student in half precision answers in float32 too.
        return tf.cast(self.classifier(features, training=False), tf.float32)


def _traced(function, specs):
    function = tf.function(function, input_signature=specs, autograph=False)
    return function.get_concrete_function()
