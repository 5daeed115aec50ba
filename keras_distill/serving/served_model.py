"""A model as the TensorFlow functions that a server calls."""

import keras
import tensorflow as tf

from keras_distill.packing.graph_packer import NO_PLACE
from keras_distill.packing.graph_packer import GraphPacker

# What stands at words that were cut off and beyond the last word.
NO_TAG = ""
NO_TAG_ID = -1
_FILLERS = {tf.string: NO_TAG, tf.int32: NO_TAG_ID}


class ServedModel:
    """Texts or token ids in, answers out.

    Its functions hold the classifier's weights and its tokenizer's tables,
    and nothing of Keras once they are traced. A subclass says how texts
    become the model's inputs: `_encode_texts` and `_answer_texts`. What is
    answered is the task's matter.

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
        self._answer = answer
        self._activation = keras.activations.get(activation)
        self.packer = GraphPacker(classifier.preprocessor, sequence_length)
        self.text_specs = [
            tf.TensorSpec([None], tf.string, name=column)
            for column in text_columns
        ]
        self._encode = tf.function(
            self._encode_texts,
            input_signature=self.text_specs,
            autograph=False,
        )
        self._token_id_specs = [
            tf.TensorSpec([None, None], tf.int32, name=name)
            for name in classifier.input
        ]
        # A function, so that the model is there once for both signatures.
        self._run = tf.function(
            self._run_model,
            input_signature=self._token_id_specs,
            autograph=False,
        )

    def encode(self, *texts):
        """The model's inputs for a batch, padded to its longest row.

        Args:
            *texts: one string tensor `(batch,)` for each text column.

        Returns:
            A dict of int32 tensors `(batch, longest row)` by input name.
        """
        return self._encode(*texts)

    def signatures(self):
        """The functions to serve.

        Returns:
            A dict of concrete functions: `"serving_default"` takes one string
            tensor `(batch,)` for each text column, `"token_ids"` the model's
            own inputs, int32 `(batch, length)`.
        """
        return {
            "serving_default": _traced(self._answer_texts, self.text_specs),
            "token_ids": _traced(self._answer_token_ids, self._token_id_specs),
        }

    def _encode_texts(self, *texts):
        raise NotImplementedError

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
        return self._run(*[features[name] for name in self.classifier.input])

    def _run_model(self, *tensors):
        features = dict(zip(self.classifier.input, tensors, strict=True))
        # A student in half precision answers in float32 too.
        return tf.cast(self.classifier(features, training=False), tf.float32)


class ServedTexts(ServedModel):
    """Raw texts or token ids in, one answer for each text out.

    Arguments are those of `ServedModel`.
    """

    def _encode_texts(self, *texts):
        return self._features(self.packer.pack(texts))

    def _answer_texts(self, *texts):
        return self._answer_outputs(self._outputs(self.encode(*texts)))


class ServedWords(ServedModel):
    """Words or token ids in, an answer for each word out.

    Arguments are those of `ServedModel`, with one text column. At words that
    were cut off, and beyond the last word of a text, stand `""`, `-1` and
    zeros, by the type of the answer. Pieces of words, as `token_ids` are, get
    the numbers of the answer alone.
    """

    def _encode_texts(self, texts):
        packed, _ = self.packer.pack_words(_split(texts))
        return self._features(packed)

    def _answer_texts(self, texts):
        words = _split(texts)
        packed, places = self.packer.pack_words(words)
        outputs = self._outputs(self._features(packed))
        is_kept = places != NO_PLACE
        at = tf.stack([words.value_rowids(), tf.maximum(places, 0)], axis=1)
        of_words = tf.gather_nd(outputs, at)
        answer = super()._answer_outputs(of_words)

        def by_row(values):
            filler = tf.cast(_FILLERS.get(values.dtype, 0), values.dtype)
            shape = [-1] + [1] * (len(values.shape) - 1)
            values = tf.where(tf.reshape(is_kept, shape), values, filler)
            return words.with_flat_values(values).to_tensor(filler)

        return {
            "words": words.to_tensor(NO_TAG),
            **{name: by_row(values) for name, values in answer.items()},
        }

    def _answer_outputs(self, outputs):
        answer = super()._answer_outputs(outputs)
        return {
            name: values
            for name, values in answer.items()
            if values.dtype != tf.string
        }


def _split(texts):
    """The words of each text, between its spaces."""
    return tf.strings.split(texts)


def _traced(function, specs):
    function = tf.function(function, input_signature=specs, autograph=False)
    return function.get_concrete_function()
