"""A model of words as the TensorFlow functions that a server calls."""

import tensorflow as tf

from keras_distill.packing.graph_packing import pack
from keras_distill.packing.single_words import space_before_word
from keras_distill.packing.single_words import unknown_id
from keras_distill.serving.served_model import ServedModel

# What stands at words that were cut off and beyond the last word.
NO_TAG = ""
NO_TAG_ID = -1
NO_PLACE = -1
_FILLERS = {tf.string: NO_TAG, tf.int32: NO_TAG_ID}


class ServedWords(ServedModel):
    """Words or token ids in, an answer for each word out.

    Arguments are those of `ServedModel`, with one text column. At words that
    were cut off, and beyond the last word of a text, stand `""`, `-1` and
    zeros, by the type of the answer. Pieces of words, as `token_ids` are, get
    the numbers of the answer alone.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._encode = tf.function(
            lambda texts: self._pack(_split(texts))[0],
            input_signature=self.text_specs,
            autograph=False,
        )

    def encode(self, texts):
        return self._encode(texts)

    def _answer_texts(self, texts):
        words = _split(texts)
        features, places = self._pack(words)
        outputs = self._outputs(features)
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

    def _pack(self, words):
        """The model's inputs, and the place of each word's first piece."""
        layout, length = self.layout, self.sequence_length
        pieces = self._pieces(words)
        tokens = tf.RaggedTensor.from_row_splits(pieces, words.row_splits)
        tokens = tokens.merge_dims(1, 2)
        first = pieces.row_starts() - tf.gather(
            tokens.row_starts(), words.value_rowids()
        )
        room = length - layout.num_special_tokens(num_texts=1)
        places = tf.where(first < room, first + len(layout.start), NO_PLACE)
        return self._features(pack([tokens], layout, length)), places

    def _pieces(self, words):
        """The token ids of each word, at least the unknown one."""
        tokenizer = self.classifier.preprocessor.tokenizer
        texts = words.flat_values
        space = space_before_word(tokenizer)
        if space:
            row = words.value_rowids()
            is_first = tf.concat([[True], row[1:] != row[:-1]], axis=0)
            is_first = is_first[: tf.size(row)]
            spaced = tf.strings.join([space, texts])
            texts = tf.where(is_first, texts, spaced)
        pieces = self.tokenize(texts).with_row_splits_dtype(tf.int64)
        unknown = unknown_id(tokenizer)
        if unknown is None:
            # Bytes leave nothing of an empty word only, and there is none.
            return pieces
        is_empty = tf.cast(pieces.row_lengths() == 0, tf.int64)
        filler = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.reduce_sum(is_empty)], tf.cast(unknown, pieces.dtype)),
            is_empty,
        )
        return tf.concat([pieces, filler], axis=1)


def _split(texts):
    """The words of each text, between its spaces."""
    return tf.strings.split(texts)
