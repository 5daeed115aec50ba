"""Pairs of sentences of a corpus, in rows that `fit` and stages train on."""

import functools

import numpy as np

from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.corpora.pairing import pair_sentences
from keras_distill.corpora.token_rows import INPUTS
from keras_distill.corpora.token_rows import check_model_reads
from keras_distill.corpora.token_rows import packed
from keras_distill.data.tokenized.batching import check_first_batch
from keras_distill.data.tokenized.batching import fit_batches
from keras_distill.data.tokenized.batching import make_batches
from keras_distill.data.tokenized.batching import whole_length_multiple
from keras_distill.io import content_hash
from keras_distill.packing import tokenizer_fingerprint
from keras_distill.packing.tokenization import Ragged
from keras_distill.packing.tokenization import ranges

# Counts up when the same corpus gives other rows.
_FORMAT = 1


class SentencePairs:
    """Pairs of sentences of a corpus, as BERT is pre-trained on.

    A row holds two texts, each of some whole sentences, filled up to
    `sequence_length` as far as the document goes, and cut to it:
    `[CLS] first [SEP] second [SEP]` for BERT, as the model's own preprocessor
    packs them. The second text follows the first or is a random one of
    another document, as `create_pretraining_data.py` of Devlin et al. 2018
    has it. All documents are paired anew in each epoch.

    Rows are shuffled across the whole corpus. Those that are shorter, at a
    document's end or by intention, stand in batches of their like, so that
    little is padding. Pairs and order follow from seed and epoch alone, so
    that a stage of `keras_distill.stages` is resumed at any batch.

    An epoch has as many rows as the first one: of another one with more, some
    are left out, and of one with fewer, some stand there twice, at random.

    Args:
        corpus: `TokenizedCorpus`.
        sequence_length: int. The most tokens of a row, special ones included.
        random_next: float from 0 to 1. How likely the second text is a random
            one where the document goes on. Defaults to `0.5`.
        short: float from 0 to 1. How likely a row is to be shorter than it
            could be, by a random length. BERT's script draws once for a
            document, this for each row. Defaults to `0.1`.
        seed: int. Seed of the pairs. Defaults to `0`.
        inputs: sequence of str, of `"token_ids"`, `"segment_ids"` and
            `"padding_mask"`, which of them the model takes. Defaults to all.
        documents: Optional int array, the numbers of the documents to take,
            one at least. Defaults to all.

    Attributes:
        corpus: The corpus.
        sequence_length: int.

    Raises:
        ValueError: If a row has no room for a token of either text.

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
    rows = corpora.SentencePairs(corpus, sequence_length=16)
    for (x,) in rows.batches(batch_size=2, shuffle=True):
        print(x["token_ids"].shape)
    ```
    """

    def __init__(
        self,
        corpus,
        sequence_length,
        random_next=0.5,
        short=0.1,
        seed=0,
        inputs=INPUTS,
        documents=None,
    ):
        check_int("sequence_length", sequence_length, minimum=1)
        check_float("random_next", random_next, minimum=0, maximum=1)
        check_float("short", short, minimum=0, maximum=1)
        check_int("seed", seed, minimum=0)
        self.corpus = corpus
        self.sequence_length = sequence_length
        self._random_next = random_next
        self._short = short
        self._seed = seed
        self._documents = None if documents is None else np.asarray(documents)
        self._inputs = tuple(name for name in INPUTS if name in inputs)
        self._room = sequence_length - corpus.layout.num_special_tokens(2)
        if self._room < 2:
            raise ValueError(
                "`sequence_length` must leave room for a token of each text "
                f"between the {sequence_length - self._room} special ones. "
                f"Received: sequence_length={sequence_length}"
            )
        # The first epoch says how many rows there are.
        self._paired = functools.lru_cache(maxsize=2)(self._pair)

    def __len__(self):
        return self._num_rows

    def num_batches(self, batch_size, drop_remainder=False):
        """Returns the number of batches in an epoch.

        Args:
            batch_size: int. Rows per batch.
            drop_remainder: bool. Whether the rows that do not fill a batch
                are left out. Defaults to `False`.
        """
        check_int("batch_size", batch_size, minimum=1)
        if drop_remainder:
            return len(self) // batch_size
        return -(-len(self) // batch_size)

    def batches(
        self,
        batch_size,
        shuffle=False,
        seed=0,
        initial_epoch=0,
        fixed_length=None,
        length_multiple=None,
        drop_remainder=False,
        first_batch=None,
    ):
        """Returns batches as Keras's `fit` takes them.

        Args:
            batch_size, shuffle, seed, initial_epoch, fixed_length,
            length_multiple, drop_remainder, first_batch: As
                `TokenizedExamples.batches` takes them.

        Returns:
            Batches `(x,)`, where `x` is a dict of int32 arrays `(rows,
            length)`, as `TokenizedExamples` has them.
        """
        check_int("initial_epoch", initial_epoch, minimum=0)
        multiple = whole_length_multiple(length_multiple)
        check_int("length_multiple", multiple, minimum=1)
        check_int("seed", seed, minimum=0)
        check_int("fixed_length", fixed_length, minimum=1, optional=True)
        if fixed_length is not None and fixed_length < self.sequence_length:
            raise ValueError(
                "`fixed_length` must be at least the `sequence_length` of the "
                f"rows. Received: {fixed_length} of {self.sequence_length}"
            )
        count = self.num_batches(batch_size, drop_remainder)
        check_first_batch(first_batch or 0, count)

        def plan(epoch):
            spans = self._spans(epoch)
            return [
                (spans[rows], epoch, rows)
                for rows in make_batches(
                    self._lengths(spans),
                    batch_size,
                    shuffle,
                    seed,
                    epoch,
                    drop_remainder,
                )
            ]

        return fit_batches(
            plan,
            lambda batch: self._batch(*batch, fixed_length, multiple),
            lambda: self._signature(fixed_length),
            count,
            initial_epoch,
            first_batch,
        )

    def sizes(self, batch_size, seed=0, epoch=0, drop_remainder=False):
        """How large the shuffled batches of an epoch are.

        Args:
            batch_size: int. Rows per batch.
            seed: int. Seed of the shuffle. Defaults to `0`.
            epoch: int. Number of the epoch. Defaults to `0`.
            drop_remainder: bool. Whether the rows that do not fill a batch
                are left out. Defaults to `False`.

        Returns:
            Two int64 arrays with an entry for each batch: its tokens, special
            ones included, and its places, padding included.
        """
        lengths = self._lengths(self._spans(epoch))
        batches = make_batches(
            lengths, batch_size, True, seed, epoch, drop_remainder
        )
        tokens = [lengths[rows].sum() for rows in batches]
        places = [lengths[rows].max() * len(rows) for rows in batches]
        return np.array(tokens, "int64"), np.array(places, "int64")

    def check_model(self, model, with_labels=True):
        """Raises unless a model can take these rows.

        Args:
            model: `keras.Model`.
            with_labels: bool. There are none. Defaults to `True`.

        Raises:
            ValueError: a token that is not in the model's vocabulary, or rows
                that are longer than the model has positions.
        """
        del with_labels
        check_model_reads(model, self.corpus, self.sequence_length)

    def fingerprints(self):
        """Tells these rows from any others.

        Returns:
            dict of str to str.
        """
        found = {
            "corpus": self.corpus.fingerprint,
            "tokenizer": tokenizer_fingerprint(self.corpus.tokenizer),
            "sequence_length": str(self.sequence_length),
            "pairs": f"{_FORMAT}, {self._random_next}, {self._short}, "
            f"{self._seed}",
        }
        if self._documents is not None:
            found["documents"] = content_hash(self._documents).hexdigest()
        return found

    @functools.cached_property
    def _num_rows(self):
        return len(self._paired(0))

    def _pair(self, epoch):
        """The rows of an epoch as they come."""
        return pair_sentences(
            self.corpus.sentences,
            self.corpus.documents,
            self._room,
            self._random_next,
            self._short,
            (self._seed, epoch),
            self._documents,
        )

    def _spans(self, epoch):
        """The rows of an epoch, as many as in the first."""
        spans = self._paired(epoch)
        if len(spans) == len(self):
            return spans
        order = np.random.default_rng((self._seed, epoch))
        return spans[np.resize(order.permutation(len(spans)), len(self))]

    def _lengths(self, spans):
        """The tokens of rows, special ones included."""
        special = self.sequence_length - self._room
        return spans["first_length"] + spans["second_length"] + special

    def _batch(self, spans, epoch, rows, width, multiple):
        """The arrays of some rows of an epoch, which have these numbers."""
        x = self._packed(spans, self._pieces, width, multiple)
        return ({name: x[name] for name in self._inputs},)

    def _packed(self, spans, values_of, width, multiple, layout=None):
        """Rows of what a function says of places of the corpus."""
        texts = []
        for name in ("first", "second"):
            lengths = spans[f"{name}_length"].astype("int64")
            values = values_of(ranges(spans[name], lengths))
            texts.append(Ragged(values, lengths))
        return packed(
            texts,
            layout or self.corpus.layout,
            self.sequence_length,
            width,
            multiple,
        )

    def _pieces(self, places):
        return self.corpus.pieces[places].astype("int32")

    def _signature(self, fixed_length):
        """The `tf.TensorSpec` of each array of a batch."""
        import tensorflow as tf

        tokens = tf.TensorSpec((None, fixed_length), "int32")
        return ({name: tokens for name in self._inputs},)
