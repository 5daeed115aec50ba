"""Tagged sentences tokenised once, in batches with a label at each word."""

import warnings

import numpy as np

from keras_distill.checks.values import check_class_labels
from keras_distill.data.examples import row_numbers
from keras_distill.data.kinds_of_examples import as_tagged_examples
from keras_distill.data.tokenized.tokenized_examples import TokenizedExamples
from keras_distill.packing.packer import NO_WORD


class TokenizedTags(TokenizedExamples):
    """The token ids of tagged sentences, tokenised once.

    Words are cut into the tokenizer's pieces and packed as the model reads
    one text, for BERT `[CLS] pieces [SEP]`. The pieces are those of the
    sentence with a space between its words. The first piece of a word carries
    its label; the other pieces, the special tokens and padding carry none. A
    word of which the tokenizer leaves nothing becomes the unknown token and
    keeps its label. Of a sentence that is too long the last pieces are cut
    off, and with them the words whose first piece goes; `num_lost_words` says
    how many, and they are predicted as `-1`, which `evaluate_tags` counts as
    no phrase.

    It is batched as `TokenizedExamples`, and a `TeacherCache` takes it. A
    batch is `(x, y, sample_weight)`, or `(x,)` when there are no labels:

    - `x` as that of `TokenizedExamples`;
    - `y`, int32 `(rows, length)`: the class at first pieces, 0 elsewhere;
    - `sample_weight`, float32 `(rows, length)`: 0 everywhere but at first
      pieces. There it is the number of all places of the batch divided by
      that of its words, so that Keras's mean of a loss over all places is the
      mean over words, whatever the padding. Keras's own masks do the same.

    Metrics honour it as `weighted_metrics`. A `Distiller` leaves out by it
    what is no first piece in losses on logits; losses on hidden states and
    attention are over all real tokens, special ones included.

    Args:
        examples: `TaggedExamples`. The sentences.
        tokenizer: the model's preprocessor, or a KerasHub tokenizer, as in
            `TokenizedExamples`.
        sequence_length: int. The most tokens per row, special ones included.
            Defaults to the preprocessor's.
        progress: function of two ints, the different words done and their
            number. Called after each chunk. Defaults to `None`.

    Attributes:
        languages: array of the language of each row.
        num_words: int. The words of all sentences.
        num_lost_words: int. Those that were cut off.

    Example:

    >>> import keras_distill
    >>> import keras_hub
    >>> tokenizer = keras_hub.models.BertTokenizer(
    ...     "[PAD] [UNK] [CLS] [SEP] [MASK] an ##na sings".split(),
    ...     lowercase=True,
    ... )
    >>> examples = keras_distill.tasks.TaggedExamples(
    ...     [["Anna", "sings"]], labels=[[1, 0]]
    ... )
    >>> tokenized = keras_distill.tasks.TokenizedTags(examples, tokenizer, 8)
    >>> x, y, sample_weight = next(tokenized.iterate(batch_size=1))
    >>> x["token_ids"]
    array([[2, 5, 6, 7, 3]], dtype=int32)
    >>> y
    array([[0, 1, 0, 0, 0]], dtype=int32)
    >>> sample_weight
    array([[0. , 2.5, 0. , 2.5, 0. ]], dtype=float32)
    """

    _as_examples = staticmethod(as_tagged_examples)

    def __init__(
        self, examples, tokenizer, sequence_length=None, progress=None
    ):
        super().__init__(examples, tokenizer, sequence_length, progress)
        lost_words = self._word_counts - self._kept_words()
        if lost_words.any():
            warnings.warn(
                f"`sequence_length={self.sequence_length}` cuts off "
                f"{lost_words.sum()} of {self.num_words} words, in "
                f"{np.count_nonzero(lost_words)} of {len(self)} sentences. "
                "They are not learnt, and are predicted as no phrase.",
                stacklevel=2,
            )

    def select(self, rows):
        rows = row_numbers(rows, len(self))
        selected = super().select(rows)
        for name in ("languages", "_word_starts", "_word_counts"):
            setattr(selected, name, getattr(self, name)[rows])
        return selected

    @property
    def num_words(self):
        return int(self._word_counts.sum())

    @property
    def num_lost_words(self):
        return self.num_words - int(self._kept_words().sum())

    def to_words(self, rows, classes):
        """Takes what stands at the first pieces of words.

        Args:
            rows: integer array of row numbers.
            classes: integer array `(len(rows), length)`: a class for each
                token of these rows, as they are in a batch; or a float array
                `(len(rows), length, classes)`: the logits of each.

        Returns:
            List of int32 arrays, one per row: the class of each word, `-1`
            for words that were cut off; or of float32 arrays `(words,
            classes)`, NaN for such words.
        """
        words = self._padded(self._words, rows, classes.shape[1], NO_WORD)
        dtype, cut_off = "int32", NO_WORD
        if classes.dtype.kind == "f":
            dtype, cut_off = "float32", np.nan
        starts, counts = self._word_starts[rows], self._word_counts[rows]
        result = []
        for row in range(len(rows)):
            shape = (counts[row], *classes.shape[2:])
            of_words = np.full(shape, cut_off, dtype)
            places = np.flatnonzero(words[row] != NO_WORD)
            of_words[words[row, places] - starts[row]] = classes[row, places]
            result.append(of_words)
        return result

    def _pack(self, examples, progress, cache_dir):
        rows, words = self._packer.pack_words(examples.words, progress)
        # The number of a word at its first piece, beside the token ids.
        self._words = words.values
        self._word_counts = np.array(
            [len(row) for row in examples.words], dtype="int64"
        )
        self._word_starts = np.cumsum(self._word_counts) - self._word_counts
        self.languages = examples.languages
        self._word_labels = None
        if examples.labels is not None:
            self._word_labels = np.concatenate(
                [np.zeros(0, "int32"), *examples.labels]
            )
        return rows, rows.lengths

    def _check_labels(self, width):
        for row, labels in enumerate(self.labels):
            check_class_labels(
                np.reshape(labels, (1, -1)), width, first_row=row
            )

    def _labels_to_hash(self):
        words = [
            self._joined(self._words, slice(None)),
            self._word_starts,
            self._word_counts,
        ]
        return [self.labels, words, self.languages]

    def _kept_words(self):
        """How many words of each row have their first piece in it."""
        totals = np.concatenate([[0], np.cumsum(self._words != NO_WORD)])
        return totals[self._starts + self.lengths] - totals[self._starts]

    def _answers(self, rows, width):
        words = self._padded(self._words, rows, width, NO_WORD)
        is_first = words != NO_WORD
        labels = np.zeros(words.shape, "int32")
        labels[is_first] = self._word_labels[words[is_first]]
        # A batch without one word has no weight at all.
        weight = words.size / max(1, np.count_nonzero(is_first))
        weights = is_first.astype("float32") * np.float32(weight)
        if self.class_weight is not None:
            weights *= self.class_weight[labels]
        return labels, weights

    def _answer_signature(self, width):
        import tensorflow as tf

        shape = (None, width)
        return tf.TensorSpec(shape, "int32"), tf.TensorSpec(shape, "float32")
