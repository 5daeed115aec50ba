"""Pairs of sentences with masked pieces, as BERT is pre-trained on."""

import numpy as np

from keras_distill.checks.arguments import check_bool
from keras_distill.checks.arguments import check_int
from keras_distill.corpora.masking import Masking
from keras_distill.corpora.masking import share_of
from keras_distill.corpora.sentence_pairs import SentencePairs
from keras_distill.corpora.token_rows import INPUTS
from keras_distill.packing.word_starts import begins_word

# Counts up when the same pairs get other masks.
_FORMAT = 1
# Keeps the random numbers of masks apart from those of pairs.
_MASKS = 1


class MaskedSentencePairs(SentencePairs):
    """Pairs of sentences with masked pieces, as BERT is pre-trained on.

    The rows are those of `SentencePairs`, masked anew in each epoch. A batch
    is `(x, y, sample_weight)`, and a model of two outputs, named as here,
    trains on it:

    - `x`: the inputs, with masks, and `"mask_positions"` `(rows, N)`, where
      the pieces stand that are to be predicted, from left to right, and then
      zeros.
    - `y["masked_lm"]` `(rows, N)`: the pieces that were there;
      `sample_weight["masked_lm"]` is 1 for each of them and 0 for the rest.
    - `y["next_sentence"]` `(rows,)`: 0 where the second text follows the
      first, 1 where it is a random one, in BERT's order;
      `sample_weight["next_sentence"]` is 1.

    `N` is `max_predictions_per_row` for every batch. Of a row of `n` tokens,
    special ones counted in, `round(rate * n)` are chosen, one at least and
    `N` at most: 80% of these become the mask, 10% any token of the vocabulary
    and 10% stay. Special tokens are never chosen, nor, other than in BERT's
    script, is the one for unknown words.

    What is masked follows from the seed, the epoch and the number of the row
    alone: a stage of `keras_distill.stages` is resumed at any batch.

    Args:
        corpus: `TokenizedCorpus`, of a tokenizer with a mask.
        sequence_length: int. The most tokens of a row, special ones included.
        rate: float. The share of tokens that are chosen. Defaults to `0.15`.
        max_predictions_per_row: Optional int. The most tokens that are chosen
            of a row. Defaults to `None`: the share of `sequence_length`.
        whole_words: bool. Whether all pieces of a word are chosen together, or
            none. Words that would exceed the number of a row are passed over;
            if all would, the shortest is chosen, or what fits of it. Whether
            each piece becomes the mask is drawn for itself, as in BERT's
            script. Defaults to `False`.
        random_next: float from 0 to 1. As of `SentencePairs`. Defaults to
            `0.5`.
        short: float from 0 to 1. As of `SentencePairs`. Defaults to `0.1`.
        seed: int. Seed of pairs and masks. Defaults to `0`.
        inputs: sequence of str, of `"token_ids"`, `"segment_ids"` and
            `"padding_mask"`, which of them the model takes beside
            `"mask_positions"`. Defaults to all.
        documents: Optional int array. As of `SentencePairs`.

    Attributes:
        corpus: The corpus.
        sequence_length: int.
        max_predictions_per_row: int.

    Raises:
        ValueError: If a row has no room for a token of either text, the
            tokenizer has no mask, or, with `whole_words`, does not tell where
            words begin.

    Example:

    ```python
    import pathlib

    import keras_hub
    from keras_distill import corpora

    pathlib.Path("wiki.txt").write_text("Art it is. It is.\\n\\nTea\\n")
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "is", "tea", "."],
        lowercase=True,
    )
    corpus = corpora.tokenize_corpus("wiki.txt", tokenizer, "cache")
    rows = corpora.MaskedSentencePairs(corpus, sequence_length=16)
    for x, y, sample_weight in rows.batches(batch_size=2, shuffle=True):
        print(x["mask_positions"], y["masked_lm"], y["next_sentence"])
    ```

    Reference:
        - BERT, https://arxiv.org/abs/1810.04805.
    """

    def __init__(
        self,
        corpus,
        sequence_length,
        rate=0.15,
        max_predictions_per_row=None,
        whole_words=False,
        random_next=0.5,
        short=0.1,
        seed=0,
        inputs=INPUTS,
        documents=None,
    ):
        super().__init__(
            corpus, sequence_length, random_next, short, seed, inputs, documents
        )
        check_int(
            "max_predictions_per_row",
            max_predictions_per_row,
            minimum=1,
            optional=True,
        )
        if max_predictions_per_row is None:
            max_predictions_per_row = share_of(sequence_length, rate)
        self.max_predictions_per_row = max_predictions_per_row
        self._rate = rate
        self._masking = Masking(
            corpus.tokenizer, rate, max_predictions_per_row, counts_special=True
        )
        check_bool("whole_words", whole_words)
        # By id, or `None`: pieces are chosen one by one.
        self._begins_word = None
        if whole_words:
            self._begins_word = begins_word(corpus.tokenizer)

    def fingerprints(self):
        """Tells these rows from any others.

        Returns:
            dict of str to str.
        """
        words = "pieces" if self._begins_word is None else "whole words"
        return {
            **super().fingerprints(),
            "masks": f"{_FORMAT}, {self._rate}, "
            f"{self.max_predictions_per_row}, {words}",
        }

    def _batch(self, spans, epoch, rows, width, multiple):
        x = self._packed(spans, self._pieces, width, multiple)
        word_starts = None
        if self._begins_word is not None:
            flags = self._packed(
                spans,
                self._word_starts,
                width,
                multiple,
                self.corpus.layout.marked(0),
            )
            word_starts = flags["token_ids"] == 1
        masked, pieces, weights = self._masking(
            x["token_ids"],
            x["padding_mask"],
            (self._seed, epoch, _MASKS),
            rows,
            word_starts,
        )
        x |= masked
        x = {name: x[name] for name in (*self._inputs, "mask_positions")}
        y = {
            "masked_lm": pieces,
            "next_sentence": spans["is_random"].astype("int32"),
        }
        sample_weight = {
            "masked_lm": weights,
            "next_sentence": np.ones(len(spans), "float32"),
        }
        return x, y, sample_weight

    def _word_starts(self, places):
        """1 where a word begins: a sentence's first one needs no mark."""
        starts = self.corpus.sentences
        is_first = starts[np.searchsorted(starts, places)] == places
        is_marked = self._begins_word[self.corpus.pieces[places]]
        return (is_first | is_marked).astype("int32")

    def _signature(self, fixed_length):
        import tensorflow as tf

        (x,) = super()._signature(fixed_length)
        predictions = None, self.max_predictions_per_row
        x["mask_positions"] = tf.TensorSpec(predictions, "int32")
        shapes = {"masked_lm": predictions, "next_sentence": (None,)}
        return (
            x,
            {name: tf.TensorSpec(s, "int32") for name, s in shapes.items()},
            {name: tf.TensorSpec(s, "float32") for name, s in shapes.items()},
        )
