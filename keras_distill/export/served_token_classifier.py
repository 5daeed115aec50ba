"""A token classifier as the TensorFlow functions that a server calls."""

import tensorflow as tf

from keras_distill.export.interface import packer_of
from keras_distill.export.packing import pack
from keras_distill.export.packing import special_token_count
from keras_distill.export.served_model import ServedModel

# What stands at words that were cut off and beyond the last word.
NO_TAG = ""
NO_TAG_ID = -1
NO_PLACE = -1


class ServedTokenClassifier(ServedModel):
    """Words or token ids in, tags and probabilities out.

    Args:
        classifier: a `keras_distill.models.TokenClassifier`.
        interface: the `Interface` to serve it by, with one text column.
    """

    def __init__(self, classifier, interface):
        super().__init__(classifier, interface)
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
        logits = self._logits(features)
        is_kept = places != NO_PLACE
        at = tf.stack([words.value_rowids(), tf.maximum(places, 0)], axis=1)
        of_words = tf.gather_nd(logits, at)
        tag_ids = tf.argmax(of_words, axis=-1, output_type=tf.int32)
        tags = tf.gather(tf.constant(self.interface.label_names), tag_ids)
        shares = tf.nn.softmax(of_words) * tf.cast(is_kept, "float32")[:, None]

        def by_row(values, filler=None):
            return words.with_flat_values(values).to_tensor(filler)

        return {
            "words": words.to_tensor(NO_TAG),
            "tags": by_row(tf.where(is_kept, tags, NO_TAG), NO_TAG),
            "tag_ids": by_row(tf.where(is_kept, tag_ids, NO_TAG_ID), NO_TAG_ID),
            "probabilities": by_row(shares),
        }

    def _answer_logits(self, logits):
        return {
            "tag_ids": tf.argmax(logits, axis=-1, output_type=tf.int32),
            "probabilities": tf.nn.softmax(logits),
        }

    def _pack(self, words):
        """The model's inputs, and the place of each word's first piece."""
        preprocessor = self.classifier.preprocessor
        packer = packer_of(preprocessor)
        pieces = _pieces(words.flat_values, preprocessor.tokenizer)
        tokens = tf.RaggedTensor.from_row_splits(pieces, words.row_splits)
        tokens = tokens.merge_dims(1, 2)
        first = pieces.row_starts() - tf.gather(
            tokens.row_starts(), words.value_rowids()
        )
        room = self.interface.sequence_length - special_token_count(packer, 1)
        token_ids, segment_ids = pack(
            [tokens], packer, self.interface.sequence_length
        )
        places = tf.where(
            first < room, first + len(packer.start_value), NO_PLACE
        )
        return self._features(token_ids, segment_ids), places


def _split(texts):
    """The words of each text, between its spaces."""
    return tf.strings.split(texts)


def _pieces(words, tokenizer):
    """The token ids of each word, at least the unknown one."""
    pieces = tokenizer(words).with_row_splits_dtype(tf.int64)
    is_empty = tf.cast(pieces.row_lengths() == 0, tf.int64)
    unknown = tokenizer.token_to_id(tokenizer.oov_token)
    filler = tf.RaggedTensor.from_row_lengths(
        tf.fill([tf.reduce_sum(is_empty)], tf.cast(unknown, pieces.dtype)),
        is_empty,
    )
    return tf.concat([pieces, filler], axis=1)
