"""Rows of running text that a masked language model is trained on."""

import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.corpora.masking import Masking
from keras_distill.corpora.masking import share_of
from keras_distill.corpora.token_rows import INPUTS
from keras_distill.corpora.token_rows import check_model_reads
from keras_distill.corpora.token_rows import packed
from keras_distill.data.tokenized.batching import check_first_batch
from keras_distill.data.tokenized.batching import fit_batches
from keras_distill.io import content_hash
from keras_distill.packing import tokenizer_fingerprint
from keras_distill.packing.tokenization import Ragged
from keras_distill.packing.tokenization import ranges

# Counts up when the same corpus gives other rows.
_FORMAT = 1
# A row at the end of a document with fewer pieces says too little.
_SHORTEST = 8


class MaskedRows:
    """Rows of a corpus whose pieces are masked, anew in each pass over them.

    What a stage of `keras_distill.stages` trains a masked language model on.
    A row holds as many pieces as there is room for, whatever sentence they
    are of, and never pieces of two documents. A batch is `(x, y,
    sample_weight)`: the inputs with `mask_positions`, the pieces that were
    there, and 1 for each of them, as `mask_pieces` gives them.

    Masks follow from the seed, the pass and the number of the row, the order
    of a pass from the seed that `batches` is given: a stage is resumed at any
    batch. Rows that do not fill a batch are left out of a pass.

    Args:
        corpus: `TokenizedCorpus`.
        sequence_length: int. The most pieces of a row, special ones included.
        documents: Optional int array, the numbers of the documents to take.
            Defaults to all.
        batches_per_epoch: Optional int. What counts as an epoch, after which
            a stage measures. Defaults to a pass.
        rate: float. As of `mask_pieces`. Defaults to `0.15`.
        seed: int. Of the masks. Defaults to `0`.
        inputs: sequence of str, of `"token_ids"`, `"segment_ids"` and
            `"padding_mask"`, which of them the model takes. Defaults to all.

    Example:

    ```python
    import pathlib

    import keras_hub
    from keras_distill import corpora

    pathlib.Path("wiki.txt").write_text("it is tea . " * 20)
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "is", "tea", "."]
    )
    corpus = corpora.tokenize_corpus("wiki.txt", tokenizer, "cache")
    rows = corpora.MaskedRows(corpus, sequence_length=16)
    for x, y, sample_weight in rows.batches(batch_size=2):
        print(x["mask_positions"], y, sample_weight)
    ```
    """

    def __init__(
        self,
        corpus,
        sequence_length,
        documents=None,
        batches_per_epoch=None,
        rate=0.15,
        seed=0,
        inputs=INPUTS,
    ):
        check_int("sequence_length", sequence_length, minimum=1)
        check_int(
            "batches_per_epoch", batches_per_epoch, minimum=1, optional=True
        )
        check_int("seed", seed, minimum=0)
        corpus.layout.check_room(sequence_length, num_texts=1)
        self.corpus = corpus
        self.sequence_length = sequence_length
        self._batches_per_epoch = batches_per_epoch
        self._rate = rate
        self._masking = Masking(
            corpus.tokenizer, rate, share_of(sequence_length, rate)
        )
        self._seed = seed
        self._inputs = tuple(name for name in INPUTS if name in inputs)
        self._starts, self._lengths = self._cut(documents)

    def __len__(self):
        return len(self._starts)

    def num_batches(self, batch_size):
        """Returns the number of batches of what counts as an epoch.

        Args:
            batch_size: int. Rows per batch.
        """
        check_int("batch_size", batch_size, minimum=1)
        if len(self) < batch_size:
            raise ValueError(
                f"There are {len(self):,} rows, fewer than a batch has "
                f"({batch_size:,}). Give more text, or a smaller batch."
            )
        return self._batches_per_epoch or len(self) // batch_size

    def batches(
        self,
        batch_size,
        shuffle=False,
        seed=0,
        initial_epoch=0,
        first_batch=None,
    ):
        """Returns batches as Keras's `fit` takes them.

        Args:
            batch_size, shuffle, seed, initial_epoch, first_batch: As
                `TokenizedExamples.batches` takes them. Without `shuffle` all
                epochs are the same.

        Returns:
            Batches `(x, y, sample_weight)`.
        """
        count = self.num_batches(batch_size)
        check_first_batch(first_batch or 0, count)
        in_pass = len(self) // batch_size

        def plan(epoch):
            start = epoch * count if shuffle else 0
            places = [divmod(start + batch, in_pass) for batch in range(count)]
            orders = {}
            if shuffle:
                for number in {number for number, _ in places}:
                    random = np.random.default_rng((seed, number))
                    orders[number] = random.permutation(len(self))
            found = []
            for number, place in places:
                rows = np.arange(place * batch_size, (place + 1) * batch_size)
                rows = orders[number][rows] if shuffle else rows
                found.append((rows, number))
            return found

        return fit_batches(
            plan,
            lambda batch: self._batch(*batch),
            self._signature,
            count,
            initial_epoch,
            first_batch,
        )

    def check_model(self, model, with_labels=True):
        """Raises unless a model can take these rows.

        Args:
            model: `keras.Model`.
            with_labels: bool. They are pieces. Defaults to `True`.

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
        return {
            "corpus": self.corpus.fingerprint,
            "tokenizer": tokenizer_fingerprint(self.corpus.tokenizer),
            "rows": content_hash(self._starts, self._lengths).hexdigest(),
            "masks": f"{_FORMAT}, {self._rate}, {self._seed}",
        }

    def _cut(self, documents):
        """Where among the pieces each row begins, and of how many it is."""
        ends = self.corpus.sentences[self.corpus.documents[:]]
        firsts, lasts = ends[:-1], ends[1:]
        if documents is not None:
            firsts, lasts = firsts[documents], lasts[documents]
        room = self.sequence_length - self.corpus.layout.num_special_tokens(1)
        counts = -(-(lasts - firsts) // room)
        starts = np.repeat(firsts, counts)
        starts = starts + ranges(np.zeros_like(counts), counts) * room
        lengths = np.minimum(np.repeat(lasts, counts) - starts, room)
        is_kept = lengths >= min(_SHORTEST, room)
        return starts[is_kept], lengths[is_kept]

    def _batch(self, rows, number):
        lengths = self._lengths[rows]
        pieces = self.corpus.pieces[ranges(self._starts[rows], lengths)]
        x = packed(
            [Ragged(pieces.astype("int32"), lengths)],
            self.corpus.layout,
            self.sequence_length,
            self.sequence_length,
        )
        masked, pieces, weights = self._masking(
            x["token_ids"], x["padding_mask"], (self._seed, number), rows
        )
        x |= masked
        x = {name: x[name] for name in (*self._inputs, "mask_positions")}
        return x, pieces, weights

    def _signature(self):
        """The `tf.TensorSpec` of each array of a batch."""
        import tensorflow as tf

        tokens = tf.TensorSpec((None, self.sequence_length), "int32")
        x = {name: tokens for name in self._inputs}
        places = None, self._masking.most
        x["mask_positions"] = tf.TensorSpec(places, "int32")
        return (
            x,
            tf.TensorSpec(places, "int32"),
            tf.TensorSpec(places, "float32"),
        )
