"""The same rows of token ids in the graph of a served model.

`keras_hub.layers.MultiSegmentPacker` does it for KerasHub's own training. It
trims with the op `TFText>RoundRobinTrim`, which TF Serving's released servers
lack (https://github.com/tensorflow/serving/issues/2267), and it pads every
request to the longest length that the model was trained for. What stands here
uses TensorFlow's own ops and pads to the longest row of the request.
"""

import tensorflow as tf

from keras_distill.packing.graph_tokenizer import graph_tokenizer
from keras_distill.packing.packer import Packer
from keras_distill.packing.tokenization import space_before_word
from keras_distill.packing.tokenization import unknown_id

# Where a word was cut off.
NO_PLACE = -1


class GraphPacker(Packer):
    """Texts to the rows of token ids that a model reads, in a graph.

    Args:
        source: as of `Packer`.
        sequence_length: as of `Packer`.

    Attributes:
        tokenize: function of a string tensor `(batch,)` that gives an integer
            `tf.RaggedTensor` `(batch, None)`.
    """

    def __init__(self, source, sequence_length=None):
        super().__init__(source, sequence_length)
        self.tokenize = graph_tokenizer(self.tokenizer)

    @property
    def resources(self):
        """The tokenizer's tables, which a SavedModel must hold."""
        return self.tokenize.resources

    def pack(self, texts):
        """Tokenises and packs rows of one or two texts.

        Args:
            texts: sequence of one or two string tensors `(batch,)`.

        Returns:
            As of `pack_tokens`.
        """
        tokens = [self.tokenize(text) for text in texts]
        return pack_tokens(tokens, self.layout, self.sequence_length)

    def pack_words(self, words):
        """Tokenises sentences word by word and packs them.

        Args:
            words: string `tf.RaggedTensor` `(batch, None)`.

        Returns:
            As of `pack_tokens`; and, for each word, the place of its first
            piece in its row, `NO_PLACE` where it was cut off.
        """
        pieces = self._pieces(words)
        tokens = tf.RaggedTensor.from_row_splits(pieces, words.row_splits)
        tokens = tokens.merge_dims(1, 2)
        before = pieces.row_starts() - tf.gather(
            tokens.row_starts(), words.value_rowids()
        )
        (kept,) = self.layout.kept_lengths(
            [tokens.row_lengths()], self.sequence_length, tf
        )
        is_kept = before < tf.gather(kept, words.value_rowids())
        places = tf.where(is_kept, before + len(self.layout.start), NO_PLACE)
        packed = pack_tokens([tokens], self.layout, self.sequence_length)
        return packed, places

    def _pieces(self, words):
        """The token ids of each word, at least the unknown one."""
        texts = words.flat_values
        space = space_before_word(self.tokenizer)
        if space:
            row = words.value_rowids()
            is_first = tf.concat([[True], row[1:] != row[:-1]], axis=0)
            is_first = is_first[: tf.size(row)]
            spaced = tf.strings.join([space, texts])
            texts = tf.where(is_first, texts, spaced)
        pieces = self.tokenize(texts).with_row_splits_dtype(tf.int64)
        unknown = unknown_id(self.tokenizer)
        if unknown is None:
            # Bytes leave nothing of an empty word only, and there is none.
            return pieces
        is_empty = tf.cast(pieces.row_lengths() == 0, tf.int64)
        filler = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.reduce_sum(is_empty)], tf.cast(unknown, pieces.dtype)),
            is_empty,
        )
        return tf.concat([pieces, filler], axis=1)


def pack_tokens(texts, layout, sequence_length):
    """Joins the tokens of each row between the special tokens.

    Args:
        texts: list of one or two integer `tf.RaggedTensor`s of token ids,
            shape `(batch, None)`.
        layout: `Layout`.
        sequence_length: int. Longest row, special tokens included.

    Returns:
        A dict of int32 tensors `token_ids`, `segment_ids` and `padding_mask`,
        shape `(batch, longest row)`.
    """
    texts = [tf.cast(text, tf.int32) for text in texts]
    kept = layout.kept_lengths(
        [text.row_lengths() for text in texts], sequence_length, tf
    )
    texts = [
        tf.RaggedTensor.from_tensor(text.to_tensor(), length)
        for text, length in zip(texts, kept, strict=True)
    ]
    rows = texts[0].nrows()
    token_ids, segment_ids = [], []
    for segment, part in layout.parts(texts):
        if not isinstance(part, tf.RaggedTensor):
            part = tf.constant(part, tf.int32, shape=[1, len(part)])
            part = tf.RaggedTensor.from_tensor(tf.tile(part, [rows, 1]))
        token_ids.append(part)
        segment_ids.append(tf.zeros_like(part) + segment)
    token_ids = tf.concat(token_ids, axis=1)
    segment_ids = tf.concat(segment_ids, axis=1)
    # An empty batch has no longest row, and the model takes no empty ones.
    width = tf.maximum(
        token_ids.bounding_shape(axis=1), layout.num_special_tokens(len(texts))
    )
    shape = tf.stack([rows, width])
    return {
        "token_ids": token_ids.to_tensor(layout.pad, shape=shape),
        "segment_ids": segment_ids.to_tensor(0, shape=shape),
        # Not the ids that differ from padding's, which a text can hold.
        "padding_mask": tf.sequence_mask(
            token_ids.row_lengths(), width, dtype=tf.int32
        ),
    }
