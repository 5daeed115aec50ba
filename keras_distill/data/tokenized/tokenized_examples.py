"""Examples tokenised once, in batches no longer than they must be."""

import functools

import keras
import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.checks.values import check_class_labels
from keras_distill.checks.values import check_length
from keras_distill.checks.values import check_scores
from keras_distill.checks.values import check_several_labels
from keras_distill.checks.values import check_token_ids
from keras_distill.checks.values import num_outputs
from keras_distill.checks.values import num_positions
from keras_distill.data.class_weight import weights_of_classes
from keras_distill.data.examples import row_numbers
from keras_distill.data.kinds_of_examples import as_examples
from keras_distill.data.text_hashes import text_hashes
from keras_distill.data.tokenized.batching import BatchMaker
from keras_distill.data.tokenized.batching import check_first_batch
from keras_distill.data.tokenized.batching import fit_batches
from keras_distill.data.tokenized.batching import make_batches
from keras_distill.data.tokenized.batching import make_group_batches
from keras_distill.data.tokenized.batching import num_group_batches
from keras_distill.data.tokenized.batching import whole_length_multiple
from keras_distill.data.tokenized.token_cache import pack_once
from keras_distill.io import content_hash
from keras_distill.packing import Packer
from keras_distill.packing import tokenizer_fingerprint

# What is hashed at once.
_HASHED_ROWS = 2**16

_INPUTS = ("token_ids", "segment_ids", "padding_mask")


class TokenizedExamples:
    """The token ids of a split, tokenised once and kept without padding.

    Rows are packed as the model's own preprocessor packs them: for BERT
    `[CLS] first [SEP] second [SEP]`, for RoBERTa and XLM-RoBERTa `<s> first
    </s></s> second </s>`, longer rows cut as its `truncate` says.

    A batch is a dict of int32 arrays of shape `(rows, length)`: `token_ids`,
    `segment_ids` (0 for the first text, 1 for the second) and `padding_mask`
    (1 for tokens, 0 for padding).

    Args:
        examples: `Examples`. The rows; or a list of texts without labels.
        tokenizer: the model's preprocessor, which says how it packs; or a
            KerasHub tokenizer, such as `keras_hub.models.BertTokenizer`. A
            tokenizer is packed as the preprocessor that KerasHub has for its
            family, cut round-robin.
        sequence_length: int. The most tokens per row, special ones included.
            Defaults to the preprocessor's; a tokenizer has none.
        progress: function of two ints, the rows done and the rows in all.
            Called after each chunk. Defaults to `None`.
        cache_dir: path of a folder that keeps the token ids, so that the
            same texts need not be tokenised again for the same tokenizer,
            packing and length. Several processes may share it. A damaged file
            is made anew. Defaults to `None`, which keeps nothing.

    Attributes:
        lengths: int array. The tokens of each row, special ones included.
        labels: what is learnt, or `None`; see `with_labels`.
        ids: array of the rows' ids, ints or strings.
        text_hashes: uint64 array, a hash of each row's raw text
            (`keras_distill.data.text_hashes`).

    Example:

    >>> import keras_distill
    >>> import keras_hub
    >>> tokenizer = keras_hub.models.BertTokenizer(
    ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film"],
    ...     lowercase=True,
    ... )
    >>> examples = keras_distill.tasks.Examples(
    ...     (["good", "Good film"],), labels=[0, 1]
    ... )
    >>> tokenized = keras_distill.tasks.TokenizedExamples(
    ...     examples, tokenizer, sequence_length=16
    ... )
    >>> tokenized.lengths
    array([3, 4])
    >>> x, y = next(tokenized.iterate(batch_size=2))
    >>> x["token_ids"]
    array([[2, 5, 3, 0],
           [2, 5, 6, 3]], dtype=int32)
    """

    _as_examples = staticmethod(as_examples)

    def __init__(
        self,
        examples,
        tokenizer,
        sequence_length=None,
        progress=None,
        cache_dir=None,
    ):
        examples = self._as_examples(examples)
        self._packer = Packer(tokenizer, sequence_length)
        rows, self._first_lengths = self._pack(examples, progress, cache_dir)
        self._values = rows.values
        self._starts = rows.starts
        self.lengths = rows.lengths
        self.labels = examples.labels
        self.ids = examples.ids
        self.text_hashes = text_hashes(examples)
        # What a task that tokenised them knows: its name, and its classes'.
        self.task_name = None
        self.label_names = None
        self.class_weight = None
        self._groups = None
        self._sample_weight = None
        self._targets = None
        self._inputs = _INPUTS

    def __len__(self):
        return len(self.lengths)

    @property
    def layout(self):
        """The `keras_distill.packing.Layout` of the rows."""
        return self._packer.layout

    @property
    def sequence_length(self):
        """The most tokens that a row may have."""
        return self._packer.sequence_length

    @functools.cached_property
    def tokenizer_fingerprint(self):
        """A hash of the tokenizer, which costs more than a few texts."""
        return tokenizer_fingerprint(self._packer.tokenizer)

    def select(self, rows):
        """Returns some rows, or all in another order, over the same tokens.

        Args:
            rows: integer array of row numbers.

        Returns:
            `TokenizedExamples`.
        """
        rows = row_numbers(rows, len(self))
        selected = self._copy()
        for name in (
            "_first_lengths",
            "_starts",
            "lengths",
            "ids",
            "text_hashes",
        ):
            setattr(selected, name, getattr(self, name)[rows])
        for name in ("labels", "_groups", "_sample_weight"):
            setattr(selected, name, _rows_of(getattr(self, name), rows))
        return selected

    def with_labels(self, labels, sample_weight=None):
        """Returns the same rows with other labels, of any shape.

        Args:
            labels: array with an entry for each row, or a dict, list or tuple
                of such arrays, as a model of several outputs learns them.
                `None` leaves labels out.
            sample_weight: Optional array, or structure of arrays, that each
                batch has third.

        Returns:
            `TokenizedExamples`.
        """
        copy = self._copy()
        copy.labels = labels
        copy._sample_weight = sample_weight
        return copy

    def with_targets(self, targets):
        """Returns the same rows with more arrays in the `x` of each batch.

        Args:
            targets: what finds the arrays by the rows' ids, such as that of
                `keras_distill.teachers.TeacherCache.attach`. It has
                `read(ids, length)`, which returns a dict of arrays, and
                `signature(length)`, which returns a dict of their shapes and
                dtypes, `None` for rows and an unknown length.

        Returns:
            `TokenizedExamples`.
        """
        copy = self._copy()
        copy._targets = targets
        return copy

    def with_class_weight(self, class_weight, num_classes):
        """Returns the same rows with a `sample_weight` by their class.

        Batches are `(x, y, sample_weight)`, as Keras's `fit` makes them of
        its `class_weight`: the weight of a row is that of its class, of tags
        that of each word's.

        Args:
            class_weight: dict of class index or name to a weight of 0 or
                more, where what is left out counts 1; or `"balanced"`, as in
                scikit-learn. Names need rows that `Task.tokenize` made.
            num_classes: int. How many classes there are.

        Returns:
            `TokenizedExamples`, whose `class_weight` is a float32 array of
            the weights by class index.

        Raises:
            ValueError: an unknown class, a weight that is negative or none,
                or rows whose labels are not one class each.

        Example:

        >>> import keras_hub
        >>> from keras_distill import tasks
        >>> tokenizer = keras_hub.models.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
        ... )
        >>> examples = tasks.Examples((["good", "bad"],), labels=[1, 0])
        >>> rows = tasks.TokenizedExamples(examples, tokenizer, 8)
        >>> weighted = rows.with_class_weight({1: 5.0}, num_classes=2)
        >>> x, y, sample_weight = next(weighted.iterate(batch_size=2))
        >>> sample_weight
        array([5., 1.], dtype=float32)
        """
        copy = self._copy()
        copy.class_weight = weights_of_classes(
            class_weight, self.labels, num_classes, self.label_names
        )
        return copy

    def with_groups(self, groups):
        """Returns the same rows, of which those of a group share a batch.

        So that a loss on their labels sees all candidates of a query. Batches
        then have about `batch_size` rows, more or fewer by a part of a group,
        and one group at least; there are as many in each epoch. Rows of a
        group stand together in their order. Rows without labels are batched
        one by one.

        Args:
            groups: integer array, the number of each row's group.

        Returns:
            `TokenizedExamples`.

        Example:

        >>> import keras_hub
        >>> from keras_distill import tasks
        >>> tokenizer = keras_hub.models.BertTokenizer(
        ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
        ... )
        >>> examples = tasks.Examples((["good", "bad"] * 2,), [1, 2, 3, 4])
        >>> rows = tasks.TokenizedExamples(examples, tokenizer, 8)
        >>> grouped = rows.with_groups([7, 5, 7, 5])
        >>> [y.tolist() for x, y in grouped.iterate(batch_size=2)]
        [[1, 3], [2, 4]]
        """
        groups = np.asarray(groups)
        if groups.shape != (len(self),) or groups.dtype.kind not in "iu":
            raise ValueError(
                "`groups` must hold the number of a group for each of "
                f"{len(self)} rows. Received: shape {groups.shape}, dtype "
                f"{groups.dtype}."
            )
        copy = self._copy()
        copy._groups = groups
        return copy

    def with_inputs(self, names):
        """Returns the same rows with only some of the model's inputs.

        Args:
            names: iterable of strings, of `"token_ids"`, `"segment_ids"` and
                `"padding_mask"`, such as the `input` of a model. Others are
                left out.

        Returns:
            `TokenizedExamples`.
        """
        copy = self._copy()
        copy._inputs = tuple(name for name in _INPUTS if name in names)
        return copy

    def iterate(
        self,
        batch_size,
        shuffle=False,
        seed=0,
        epoch=0,
        fixed_length=None,
        length_multiple=None,
        drop_remainder=False,
        first_batch=0,
    ):
        """Yields one epoch of NumPy batches.

        Args:
            batch_size: int. Rows per batch.
            shuffle: bool. Whether to shuffle, and to batch rows of similar
                length together. Defaults to `False`, the original order.
            seed: int. Seed of the shuffle. Defaults to `0`.
            epoch: int. Each epoch has its own order. Defaults to `0`.
            fixed_length: int. Pads all batches to this length. Defaults to
                `None`, which pads each batch to its own longest row.
            length_multiple: int. Rounds a batch's length up to a multiple of
                this, but not beyond `sequence_length`. XLA compiles anew for
                each length; 8 keeps that to a few. Defaults to 1, and to 8
                on JAX, which always compiles.
            drop_remainder: bool. Whether to leave out the rows that do not
                fill a batch. Defaults to `False`.
            first_batch: int. Leaves out so many batches of the epoch, for a
                run that is taken up again. Defaults to `0`.

        Yields:
            `(x, y)`, or `(x,)` when there are no labels; with a class weight
            `(x, y, sample_weight)`.
        """
        length_multiple = whole_length_multiple(length_multiple)
        self._check_batching(batch_size, seed, fixed_length, length_multiple)
        batches = self._plan(batch_size, shuffle, seed, epoch, drop_remainder)
        check_first_batch(first_batch, len(batches))
        return (
            self._batch(rows, fixed_length, length_multiple)
            for rows in batches[first_batch:]
        )

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
        """Returns the batches of `iterate` as Keras's `fit` takes them.

        With `shuffle`, every epoch has its own order, fixed by `seed` and
        the number of the epoch. An epoch counts when its last batch was
        handed out, so an iteration that is given up, as Keras does with its
        first one to see a batch, does not change what training reads.

        Args:
            batch_size: int. Rows per batch.
            shuffle: bool. Whether to shuffle, and to batch rows of similar
                length together. Defaults to `False`, the original order.
            seed: int. Seed of the shuffle. Defaults to `0`.
            initial_epoch: int. The number of the first epoch, for a run that
                is taken up again. Defaults to `0`.
            fixed_length: int. Pads all batches to this length. Defaults to
                `None`, which pads each batch to its own longest row.
            length_multiple: int. Rounds a batch's length up to a multiple of
                this, but not beyond `sequence_length`. XLA compiles anew for
                each length; 8 keeps that to a few. Defaults to 1, and to 8
                on JAX, which always compiles.
            drop_remainder: bool. Whether to leave out the rows that do not
                fill a batch. Defaults to `False`.
            first_batch: int. Gives the epoch `initial_epoch` alone, from
                this batch on, the same at every iteration. Defaults to
                `None`: whole epochs, one after the other.

        Returns:
            Batches `(x, y)`, or `(x,)` when there are no labels, with a known
            number of batches and lengths that vary: on TensorFlow a
            `tf.data.Dataset`, on JAX and PyTorch a `keras.utils.PyDataset`.
            `fit` reads either in its own order, with `shuffle=True` too.
        """
        check_int("initial_epoch", initial_epoch, minimum=0)
        maker = self.batch_maker(
            batch_size,
            shuffle,
            seed,
            fixed_length,
            length_multiple,
            drop_remainder,
        )
        check_first_batch(first_batch or 0, maker.count)
        return fit_batches(
            maker.plan,
            maker.read,
            maker.signature,
            maker.count,
            initial_epoch,
            first_batch,
        )

    def batch_maker(
        self,
        batch_size,
        shuffle=False,
        seed=0,
        fixed_length=None,
        length_multiple=None,
        drop_remainder=False,
    ):
        """What `batches` makes its batches with, a `BatchMaker`."""
        length_multiple = whole_length_multiple(length_multiple)
        self._check_batching(batch_size, seed, fixed_length, length_multiple)

        return BatchMaker(
            lambda epoch: self._plan(
                batch_size, shuffle, seed, epoch, drop_remainder
            ),
            lambda rows: self._batch(rows, fixed_length, length_multiple),
            lambda: self._signature(fixed_length),
            self.num_batches(batch_size, drop_remainder),
        )

    def num_batches(self, batch_size, drop_remainder=False):
        """Returns the number of batches in an epoch.

        Args:
            batch_size: int. Rows per batch.
            drop_remainder: bool. Whether the rows that do not fill a batch
                are left out. Defaults to `False`.
        """
        check_int("batch_size", batch_size, minimum=1)
        if self._is_grouped:
            _check_no_remainder(drop_remainder)
            return num_group_batches(self._rows_of_groups(), batch_size)
        if drop_remainder:
            return len(self) // batch_size
        return -(-len(self) // batch_size)

    def check_model(self, model, with_labels=True):
        """Raises unless a model can take these rows.

        Done once, where data and model come together: a step pays nothing.

        Args:
            model: `keras.Model`.
            with_labels: bool. Whether the model is to learn the labels.
                Defaults to `True`.

        Raises:
            ValueError: a token that is not in the model's vocabulary, a row
                that is longer than the model has positions, or a label that
                is no class of the model, with the number of the row.
        """
        if not len(self):
            return
        longest = int(self.lengths.argmax())
        positions = num_positions(model)
        if positions is not None:
            check_length(int(self.lengths[longest]), positions, row=longest)
        self._check_tokens(model)
        width = num_outputs(model)
        if with_labels and self.labels is not None and width is not None:
            self._check_labels(width)

    def _check_tokens(self, model):
        backbone = getattr(model, "backbone", model)
        size = getattr(backbone, "vocabulary_size", None)
        if size is None or not len(self._values):
            return
        if self._values.min() >= 0 and self._values.max() < size:
            return
        # The rows at hand may be without the bad ones.
        for row, start in enumerate(self._starts):
            tokens = self._values[start : start + self.lengths[row]]
            check_token_ids(tokens[np.newaxis], size, first_row=row)

    def _check_labels(self, width):
        if self.labels.ndim > 1:
            check_several_labels(self.labels, width)
        elif width > 1:
            check_class_labels(self.labels, width)
        else:
            check_scores(self.labels)

    def fingerprints(self):
        """Tells these rows from any others: a hash of each of their parts.

        A run compares them before it takes what an earlier start left.

        Returns:
            dict of str to str or `None`.
        """
        tokens = content_hash(
            self.lengths, self._first_lengths, self.layout.pad
        )
        for first in range(0, len(self), _HASHED_ROWS):
            tokens.add(
                self._joined(self._values, slice(first, first + _HASHED_ROWS))
            )
        targets = self._targets
        if hasattr(targets, "fingerprint"):
            targets = targets.fingerprint()
        found = {
            "tokens": tokens.hexdigest(),
            "labels": content_hash(self._labels_to_hash()).hexdigest(),
            "ids": content_hash(self.ids).hexdigest(),
            "tokenizer": self.tokenizer_fingerprint,
            "sequence_length": str(self.sequence_length),
            "targets": content_hash(targets).hexdigest(),
        }
        if self.class_weight is not None:
            found["class_weight"] = content_hash(self.class_weight).hexdigest()
        return found

    def _labels_to_hash(self):
        return self.labels

    def _joined(self, values, rows):
        """What lies beside the token ids of some rows, one after another."""
        lengths = self.lengths[rows]
        before = np.cumsum(lengths) - lengths
        places = np.repeat(self._starts[rows] - before, lengths)
        return values[places + np.arange(len(places))]

    def _pack(self, examples, progress, cache_dir):
        """The packed rows, and how much of each is of its first text."""
        return pack_once(self._packer, examples.texts, progress, cache_dir)

    def _plan(self, batch_size, shuffle, seed, epoch, drop_remainder):
        """The row numbers of each batch of an epoch."""
        if not self._is_grouped:
            return make_batches(
                self.lengths, batch_size, shuffle, seed, epoch, drop_remainder
            )
        _check_no_remainder(drop_remainder)
        return make_group_batches(
            self.lengths,
            self._rows_of_groups(),
            batch_size,
            shuffle,
            seed,
            epoch,
        )

    @property
    def _is_grouped(self):
        """Whether batches are made of whole groups of rows."""
        has_groups = self._groups is not None and self.labels is not None
        return has_groups and len(self) > 0

    def _rows_of_groups(self):
        """The row numbers of each group, in the order of their first rows."""
        order = np.argsort(self._groups, kind="stable")
        borders = np.flatnonzero(np.diff(self._groups[order])) + 1
        return sorted(np.split(order, borders), key=lambda rows: rows[0])

    def _answers(self, rows, width):
        """What follows `x` in a batch of labelled rows."""
        answers = (_rows_of(self.labels, rows),)
        weight = _rows_of(self._sample_weight, rows)
        if self.class_weight is not None:
            of_class = self.class_weight[answers[0]]
            weight = of_class if weight is None else weight * of_class
        return answers if weight is None else (*answers, weight)

    def _signature(self, fixed_length):
        """The `tf.TensorSpec` of each array of a batch."""
        import tensorflow as tf

        tokens = tf.TensorSpec((None, fixed_length), "int32")
        signature = ({name: tokens for name in self._inputs},)
        if self._targets is not None:
            for name, spec in self._targets.signature(fixed_length).items():
                signature[0][name] = tf.TensorSpec(*spec)
        if self.labels is not None:
            signature += self._answer_signature(fixed_length)
        return signature

    def _answer_signature(self, width):
        """The `tf.TensorSpec` of each array of `_answers`."""
        import tensorflow as tf

        of_no_row = self._answers(np.arange(0), width)
        return keras.tree.map_structure(
            lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype),
            of_no_row,
        )

    def _copy(self):
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        return copy

    def _batch(self, rows, fixed_length, length_multiple):
        """The padded arrays of some rows."""
        width = fixed_length
        if width is None:
            longest = int(self.lengths[rows].max())
            width = -(-longest // length_multiple) * length_multiple
            width = min(width, self.sequence_length)
        x = {
            "token_ids": self._padded(
                self._values, rows, width, self.layout.pad
            ),
            "segment_ids": self._segment_ids(rows, width),
            # Not the ids that differ from padding's, which a text can hold.
            "padding_mask": self._filled(rows, width).astype("int32"),
        }
        x = {name: x[name] for name in self._inputs}
        if self._targets is not None:
            x.update(self._targets.read(self.ids[rows], width))
        return (x,) if self.labels is None else (x, *self._answers(rows, width))

    def _padded(self, values, rows, width, filler):
        """Some rows of what lies beside the token ids, side by side."""
        filled = self._filled(rows, width)
        padded = np.full(filled.shape, filler, dtype=values.dtype)
        sources = self._starts[rows][:, np.newaxis] + np.arange(width)
        padded[filled] = values[sources[filled]]
        return padded

    def _filled(self, rows, width):
        """Which places of some rows hold tokens, special ones included."""
        return np.arange(width) < self.lengths[rows][:, np.newaxis]

    def _segment_ids(self, rows, width):
        second = np.arange(width) >= self._first_lengths[rows][:, np.newaxis]
        return (self._filled(rows, width) & second).astype("int32")

    def _check_batching(self, batch_size, seed, fixed_length, length_multiple):
        check_int("batch_size", batch_size, minimum=1)
        check_int("length_multiple", length_multiple, minimum=1)
        check_int("seed", seed, minimum=0)
        check_int("fixed_length", fixed_length, minimum=1, optional=True)
        longest = int(self.lengths.max(initial=0))
        if fixed_length is not None and fixed_length < longest:
            raise ValueError(
                f"`fixed_length` must be at least {longest}, the longest row; "
                "a smaller `sequence_length` cuts rows. "
                f"Received: {fixed_length}."
            )


def _rows_of(arrays, rows):
    """Some rows of an array or a structure of arrays, `None` of none."""
    return keras.tree.map_structure(
        lambda array: None if array is None else array[rows], arrays
    )


def _check_no_remainder(drop_remainder):
    """Raises where batches of one size are asked of groups of rows."""
    if drop_remainder:
        raise ValueError(
            "`drop_remainder` makes batches of one size, which groups of rows "
            "that share a batch do not. Received: drop_remainder=True. Leave "
            "it out."
        )
