"""What `fit`, `evaluate` and `predict` are given, held against the models.

All that can be seen without a pass over the data is looked at first: texts
where token ids are read, names of inputs, shapes of labels. Values are looked
at where they come by anyway: arrays as a whole, batches when they are made, in
the input pipeline. A step costs nothing more.
"""

import contextlib
import dataclasses
import re
import sys
import types
from collections.abc import Mapping

import keras
import numpy as np

from keras_distill.checks.values import num_positions
from keras_distill.features import names
from keras_distill.features import select_inputs
from keras_distill.fitting.compile_checks import loss_kind
from keras_distill.fitting.compile_checks import losses_by_output

# By which an error of the input pipeline is known.
_MARK = "keras_distill found"
_FINITE = float(np.finfo("float32").max)
_BATCH_SIZE = 32


@dataclasses.dataclass(frozen=True)
class Limit:
    """What the values of one tensor of a batch may be.

    Attributes:
        part: int. 0 for the inputs, 1 for the labels.
        key: The key in the inputs or labels, or `None` if they are a tensor.
        low: float. The least value.
        high: float. The greatest value.
        what: str. What the values are, for the message.
        way_out: str. What to do, for the message.
        is_whole: bool. Whether it must be a whole number.
        ignored: Optional value that may be there as well.
        longest: Optional int. The most entries of a row, in place of a limit
            to the values.
    """

    part: int
    key: object
    low: float
    high: float
    what: str
    way_out: str
    is_whole: bool = False
    ignored: int | None = None
    longest: int | None = None

    def find(self, batch):
        """The tensor of a batch that it is about, or `None`."""
        if len(batch) <= self.part or batch[self.part] is None:
            return None
        found = batch[self.part]
        if self.key is None:
            is_tensor = hasattr(found, "shape") and hasattr(found, "dtype")
            return found if is_tensor else None
        try:
            return found[self.key]
        except (IndexError, KeyError, TypeError):
            return None

    def first_outside(self, values):
        """The first row that is outside of the limit, and its value.

        Args:
            values: NumPy array.

        Returns:
            Tuple of int and value, or `None`.
        """
        if self.longest is not None:
            if values.ndim < 2 or values.shape[1] <= self.longest:
                return None
            return 0, values.shape[1]
        if values.dtype.kind not in "iufb" or not values.size:
            return None
        # What is not a number is not inside.
        outside = ~((values >= self.low) & (values <= self.high))
        if self.is_whole and values.dtype.kind == "f":
            outside |= values != np.floor(values)
        if self.ignored is not None:
            outside &= values != self.ignored
        if not outside.any():
            return None
        place = tuple(np.argwhere(outside)[0])
        return int(place[0]), values[place]

    def refuse(self, where, value):
        """Raises the error about a value.

        Args:
            where: str, such as `"row 3"`.
            value: What was found there.
        """
        name = ("x", "y")[self.part]
        if self.key is not None:
            name += f"[{self.key!r}]"
        if self.longest is not None:
            raise ValueError(
                f"`{name}` must have rows of {self.longest} tokens at most, "
                f"{self.what}. Received: {value} tokens in {where}. "
                f"{self.way_out}"
            ) from None
        kind = "whole numbers" if self.is_whole else "numbers"
        limits = f"{kind} from {self.low:g} to {self.high:g}, {self.what}"
        if self.high == _FINITE:
            limits = self.what
        raise ValueError(
            f"`{name}` must hold {limits}. Received: {value} in {where}. "
            f"{self.way_out}"
        ) from None


class FitData:
    """What `fit`, `evaluate` and `predict` are given, held against models.

    Args:
        models: dict of role, `"student"` or `"teacher"`, to the `keras.Model`
            that reads the batches.
        description: `keras_distill.features.ModelDescription` of the student.
        loss: The compiled loss on the labels, or `None`.
        needs_labels: Optional pair of str. Why batches must have labels, and
            what to do in place of that.
    """

    def __init__(self, models, description, loss=None, needs_labels=None):
        self._models = models
        self._description = description
        self._losses = losses_by_output(description, loss) if loss else {}
        self._needs_labels = needs_labels
        limits = {}
        for limit in (
            *(limit for m in models.items() for limit in _input_limits(*m)),
            *self._label_limits(),
        ):
            # What both models ask is asked once.
            limits.setdefault(
                (limit.part, limit.key, limit.low, limit.high, limit.longest),
                limit,
            )
        self._limits = list(limits.values())

    def take(
        self, x, y=None, sample_weight=None, batch_size=None, shuffle=None
    ):
        """Gives data as Keras takes them, checked.

        Args:
            x: Arrays or a data set; also `keras_distill.tasks.
                TokenizedExamples`, whose batches are taken.
            y: Optional labels.
            sample_weight: Optional sample weights.
            batch_size: Optional int. Rows in a batch of tokenised examples.
            shuffle: Optional bool. Whether to shuffle those.

        Returns:
            Tuple of `x`, `y` and `sample_weight`.

        Raises:
            ValueError: If the models cannot read them.
        """
        if hasattr(x, "batches") and hasattr(x, "num_batches"):
            if hasattr(x, "check_model"):
                # By row of all the examples, which a batch does not know.
                for role, model in self._models.items():
                    learns = role == "student" and self._needs_labels
                    x.check_model(model, with_labels=bool(learns))
            x = x.batches(batch_size or _BATCH_SIZE, shuffle=bool(shuffle))
        self._refuse_other_objects(x)
        if is_data_set(x):
            self._check_structure(_as_batch(x.element_spec))
            return self._checked_data_set(x), y, sample_weight
        if isinstance(x, keras.utils.PyDataset):
            return _CheckedBatches(x, self), y, sample_weight
        if isinstance(x, types.GeneratorType):
            return self._checked_generator(x), y, sample_weight
        if _is_loader(x):
            return x, y, sample_weight
        batch = [_as_arrays(part) for part in (x, y, sample_weight)]
        self._check_structure(batch)
        _check_rows(batch)
        self._check_values(batch)
        return tuple(batch)

    def check_batch(self, batch, number):
        """Checks a batch, as a data set makes it.

        Args:
            batch: The batch.
            number: int. Its number, for the message.

        Raises:
            ValueError: If the models cannot read it.
        """
        batch = _as_batch(batch)
        self._check_structure(batch)
        self._check_values(batch, f" of batch {number}")

    @contextlib.contextmanager
    def explained(self):
        """Has what the input pipeline finds raised as a sentence."""
        try:
            yield
        except Exception as error:
            found = re.search(
                rf"{_MARK}\] \[(\d+)\] \[(\d+)\] \[(\d+)\] \[([^\]]+)\]",
                str(error),
            )
            if found is None:
                raise
            limit, number, row, value = found.groups()
            self._limits[int(limit)].refuse(
                f"row {row} of batch {number}", value
            )

    # === What is seen without a pass over the data ===

    def _check_structure(self, batch):
        x, y, _ = [*batch, None, None][:3]
        if x is None:
            raise ValueError(
                "`x` must be given: arrays, a dict of arrays, or a data set. "
                "Received: x=None"
            )
        for role, model in self._models.items():
            if not _reads_text(model):
                _refuse_text(x, role, model)
            select_inputs(model, x, role)
        _check_one_width(x)
        if y is None and self._needs_labels:
            in_x = [
                name
                for name in ("labels", "label", "y")
                if isinstance(x, Mapping) and name in x
            ]
            raise ValueError(
                f"{self._needs_labels[0]}. Received: a batch without labels"
                + (f", but with {in_x[0]!r} in `x`" if in_x else "")
                + ". Pass labels as `y`, in a data set as the second part of "
                f"each batch{self._needs_labels[1]}."
            )
        if y is not None:
            if _is_text(y):
                raise ValueError(
                    "`y` must hold numbers. Received: texts. Give each class "
                    "its number, from 0, in the order of the model's outputs."
                )
            for output, loss in self._losses.items():
                key = _label_key(self._losses, output)
                labels = Limit(1, key, 0, 0, "", "").find([x, y])
                if labels is not None:
                    self._check_labels(output, key, loss, labels)

    def _check_labels(self, output, key, loss, labels):
        name = "y" if key is None else f"y[{key!r}]"
        shape = self._description.shapes.get(output)
        rank = _rank(labels)
        if not shape or shape[-1] is None or rank is None:
            return
        width, last = shape[-1], labels.shape[-1] if rank else None
        is_class_numbers = rank == len(shape) - 1 or (last == 1 and width > 1)
        kind, _ = loss_kind(loss)
        received = f"Received: `{name}` of shape {_shape(labels)}"
        if kind == "sparse_categorical_crossentropy":
            if not is_class_numbers:
                raise ValueError(
                    f"`loss` {kind} takes one class number for each "
                    f"prediction. {received}, beside outputs "
                    f"{_shape_of(shape)}. Pass "
                    "`np.argmax(y, -1)`, or use keras.losses."
                    "CategoricalCrossentropy(from_logits=True) for labels of "
                    "one number for each class."
                )
        elif kind is not None and is_class_numbers and width > 1:
            raise ValueError(
                f"`loss` {kind} takes {width} numbers for each prediction, one "
                f"for each output. {received}, beside outputs "
                f"{_shape_of(shape)}. For class numbers use keras.losses."
                "SparseCategoricalCrossentropy(from_logits=True)."
            )

    @staticmethod
    def _refuse_other_objects(x):
        is_ours = type(x).__module__.startswith("keras_distill.")
        if is_ours and isinstance(x, Mapping):
            splits = ", ".join(repr(name) for name in x)
            raise ValueError(
                "`x` must be one split of a task, tokenised. Received: all "
                f"splits ({splits}). Choose one and tokenise it: "
                "keras_distill.tasks.TokenizedExamples(splits['train'], "
                "tokenizer, sequence_length)."
            )
        if is_ours and not isinstance(x, keras.utils.PyDataset):
            raise ValueError(
                "`x` must be token ids. Received: "
                f"{type(x).__name__}. Tokenise examples once: "
                "keras_distill.tasks.TokenizedExamples(examples, tokenizer, "
                "sequence_length), those of words and tags with TokenizedTags."
            )

    # === The values ===

    def _check_values(self, batch, of_batch=""):
        for limit in self._limits:
            values = limit.find(batch)
            if values is None:
                continue
            found = limit.first_outside(_to_numpy(values))
            if found is not None:
                limit.refuse(f"row {found[0]}{of_batch}", found[1])

    def _checked_generator(self, batches):
        for number, batch in enumerate(batches):
            self.check_batch(batch, number)
            yield batch

    def _checked_data_set(self, data_set):
        import tensorflow as tf

        spec = _as_batch(data_set.element_spec)
        limits = [
            (number, limit)
            for number, limit in enumerate(self._limits)
            if isinstance(limit.find(spec), tf.TensorSpec)
        ]
        if not limits:
            return data_set

        def check(batch_number, batch):
            found = [
                (number, limit, limit.find(_as_batch(batch)))
                for number, limit in limits
            ]
            is_good = tf.reduce_all(
                [_is_inside(limit, values) for _, limit, values in found]
            )

            def look_closer():
                for number, limit, values in found:
                    _assert_inside(limit, values, [number, batch_number])
                return tf.constant(False)

            tf.cond(is_good, lambda: tf.constant(True), look_closer)
            return batch

        return data_set.enumerate().map(check)

    def _label_limits(self):
        for output, loss in self._losses.items():
            key = _label_key(self._losses, output)
            kind, _ = loss_kind(loss)
            width = (self._description.shapes.get(output) or (None,))[-1]
            if kind == "sparse_categorical_crossentropy" and width:
                ignored = None
                if isinstance(loss, keras.losses.Loss):
                    ignored = loss.get_config().get("ignore_class")
                yield Limit(
                    1,
                    key,
                    0,
                    width - 1,
                    f"the classes of the student '{self._description.name}'",
                    "Number the classes from 0, build the student with more "
                    "of them (`num_classes`), or leave a number out with the "
                    "loss's `ignore_class`.",
                    is_whole=True,
                    ignored=ignored,
                )
            elif kind is not None and kind.endswith("crossentropy"):
                yield Limit(
                    1,
                    key,
                    0,
                    1,
                    "no and yes, or probabilities",
                    "Write labels as 0 and 1.",
                )
            elif kind is not None:
                yield Limit(
                    1,
                    key,
                    -_FINITE,
                    _FINITE,
                    "finite numbers",
                    "Leave the row out, or give it a label.",
                )


class _CheckedBatches(keras.utils.PyDataset):
    """The batches of a `PyDataset`, checked as they are made."""

    def __init__(self, batches, data):
        super().__init__(
            workers=batches.workers,
            use_multiprocessing=batches.use_multiprocessing,
            max_queue_size=batches.max_queue_size,
        )
        self._batches = batches
        self._data = data

    @property
    def num_batches(self):
        return self._batches.num_batches

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        batch = self._batches[index]
        self._data.check_batch(batch, index)
        return batch

    def on_epoch_begin(self):
        self._batches.on_epoch_begin()

    def on_epoch_end(self):
        self._batches.on_epoch_end()


def is_data_set(x):
    """Whether `x` is a `tf.data.Dataset`; without TensorFlow none is."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def _is_loader(x):
    """Whether batches come from PyTorch or from a strategy of TensorFlow."""
    modules = {kind.__module__.split(".")[0] for kind in type(x).__mro__}
    return not hasattr(x, "dtype") and bool(modules & {"torch", "tensorflow"})


def _is_inside(limit, values):
    import tensorflow as tf

    if limit.longest is not None:
        return len(values.shape) < 2 or tf.shape(values)[1] <= limit.longest
    return tf.logical_not(tf.reduce_any(_outside(limit, values)))


def _assert_inside(limit, values, place):
    """Has the input pipeline fail at the first value outside of a limit.

    Args:
        limit: `Limit`.
        values: `tf.Tensor`.
        place: list of tensors or ints that stand first in the message.
    """
    import tensorflow as tf

    def fail():
        if limit.longest is not None:
            row, value = 0, tf.shape(values)[1]
        else:
            first = tf.where(_outside(limit, values))[0]
            row, value = first[0], tf.gather_nd(values, first)
        failed = tf.debugging.Assert(False, [_MARK, *place, row, value])
        with tf.control_dependencies([failed]):
            return tf.constant(False)

    tf.cond(_is_inside(limit, values), lambda: tf.constant(True), fail)


def _outside(limit, values):
    import tensorflow as tf

    if values.dtype == tf.bool:
        return tf.zeros_like(values)
    low, high = (
        tf.cast(
            max(min(bound, values.dtype.max), values.dtype.min), values.dtype
        )
        for bound in (limit.low, limit.high)
    )
    outside = tf.logical_not((values >= low) & (values <= high))
    if limit.is_whole and values.dtype.is_floating:
        outside |= values != tf.floor(values)
    if limit.ignored is not None:
        outside &= values != tf.cast(limit.ignored, values.dtype)
    return outside


def _input_limits(role, model):
    """What a model's tables of words, segments and positions hold."""
    whose = f"of the {role} '{model.name}'"
    backbone = getattr(model, "backbone", model)
    sizes = {
        "token_ids": (
            getattr(backbone, "vocabulary_size", None),
            f"the vocabulary {whose}",
            "Tokenise with the tokenizer that the models were built with.",
        ),
        "segment_ids": (
            getattr(backbone, "num_segments", None),
            f"the segments {whose}",
            "Segments are 0 for the first text and 1 for the second.",
        ),
    }
    expected = _expected(model)
    for layer in model._flatten_layers(include_self=False):
        if not isinstance(layer, keras.layers.Embedding):
            continue
        # A table that a model of one's own reads an input with.
        for key, tensor in _items(expected):
            known = sizes.get(key, (None,))[0]
            if known is None and any(
                tensor is found
                for node in layer._inbound_nodes
                for found in node.input_tensors
            ):
                sizes[key] = (
                    layer.input_dim,
                    f"what '{layer.name}' {whose} has room for",
                    "Build it with a larger `input_dim`.",
                )
    keys = dict(_items(expected))
    for key, (size, what, way_out) in sizes.items():
        if isinstance(size, int) and key in keys:
            yield Limit(0, key, 0, size - 1, what, way_out)
    longest = num_positions(model)
    if longest is not None and "token_ids" in keys:
        yield Limit(
            0,
            "token_ids",
            0,
            0,
            f"the most that the {role} '{model.name}' reads",
            "Tokenise with a smaller `sequence_length`.",
            longest=longest,
        )


def _expected(model):
    try:
        return model.input
    except (AttributeError, ValueError):
        return None


def _items(expected):
    if expected is None:
        return []
    if isinstance(expected, dict):
        return list(expected.items())
    if isinstance(expected, (list, tuple)):
        return list(enumerate(expected))
    return [(None, expected)]


def _reads_text(model):
    inputs = keras.tree.flatten(_expected(model))
    return any(getattr(one, "dtype", None) == "string" for one in inputs)


def _label_key(losses, output):
    """Where the labels of an output are."""
    if len(losses) == 1 and output == names.LOGITS:
        return None
    key = output.partition(".")[2]
    return int(key) if key.isdigit() else key


def _as_batch(batch):
    return tuple(batch) if isinstance(batch, (list, tuple)) else (batch,)


def _as_arrays(part):
    """Lists of numbers as arrays, and any mapping as a dict."""
    if isinstance(part, Mapping):
        return {key: _as_arrays(value) for key, value in part.items()}
    if isinstance(part, tuple):
        return tuple(_as_arrays(one) for one in part)
    if not isinstance(part, list) or not part:
        return part
    first = part[0]
    while isinstance(first, list) and first:
        first = first[0]
    if not isinstance(first, (int, float, np.number, np.bool_)):
        return [_as_arrays(one) for one in part]
    try:
        return np.array(part)
    except ValueError as error:
        raise ValueError(
            "Rows must be of one length. Received: lists of different lengths."
            " Pad them, or use keras_distill.tasks.TokenizedExamples, which "
            "pads each batch."
        ) from error


def _to_numpy(values):
    if hasattr(values, "to_numpy"):
        # Of pandas.
        return values.to_numpy()
    if isinstance(values, np.ndarray):
        return values
    return keras.ops.convert_to_numpy(values)


def _is_text(part):
    if isinstance(part, (str, bytes)):
        return True
    if isinstance(part, (list, tuple)):
        return bool(part) and _is_text(part[0])
    if isinstance(part, Mapping):
        return any(_is_text(value) for value in part.values())
    dtype = getattr(part, "dtype", None)
    if dtype is None:
        if hasattr(part, "to_numpy"):
            # A data frame.
            return _is_text(part.to_numpy())
        return False
    kind = getattr(dtype, "kind", None)
    if kind == "O" and len(part):
        return _is_text(np.asarray(part).flat[0])
    return (
        kind in ("U", "S", "T")
        or str(dtype) in ("str", "string")
        or (getattr(dtype, "name", None) == "string")
    )


def _refuse_text(x, role, model):
    if not _is_text(x):
        return
    kind = f"texts, as {type(x).__name__}"
    if isinstance(x, Mapping):
        texts = [repr(key) for key, value in x.items() if _is_text(value)]
        kind = f"texts in {', '.join(texts)}"
    raise ValueError(
        f"`x` must be token ids, which the {role} '{model.name}' reads. "
        f"Received: {kind}. Tokenise them once: keras_distill.tasks."
        "TokenizedExamples(keras_distill.tasks.Examples((texts,), labels), "
        "tokenizer, sequence_length).batches(batch_size); or pass "
        "`x=student.preprocessor(texts)`. `student.predict(texts)` of a "
        "KerasHub classifier takes texts."
    )


def _check_one_width(x):
    """Raises if ids and mask of tokens are not of one shape."""
    if not isinstance(x, Mapping) or "token_ids" not in x:
        return
    shape = _shape(x["token_ids"])
    for key in ("segment_ids", "padding_mask"):
        other = _shape(x[key]) if key in x else None
        if None in (shape, other):
            continue
        if len(shape) != len(other) or any(
            None not in pair and pair[0] != pair[1]
            for pair in zip(shape[1:], other[1:], strict=True)
        ):
            raise ValueError(
                f"`x['{key}']` must have the shape of `x['token_ids']`. "
                f"Received: {_shape_of(other)} beside {_shape_of(shape)}."
            )


def _check_rows(batch):
    rows = {}
    for name, part in zip(("x", "y", "sample_weight"), batch, strict=True):
        for path, leaf in keras.tree.flatten_with_path(part):
            shape = _shape(leaf)
            if shape:
                place = "".join(f"[{key!r}]" for key in path)
                rows[f"{name}{place}"] = shape[0]
    if len(set(rows.values())) > 1:
        raise ValueError(
            "`x`, `y` and `sample_weight` must have the same number of rows. "
            f"Received: {', '.join(f'{k} with {v}' for k, v in rows.items())}."
        )


def _rank(tensor):
    shape = _shape(tensor)
    return None if shape is None else len(shape)


def _shape(tensor):
    shape = getattr(tensor, "shape", None)
    if shape is None or getattr(shape, "rank", 0) is None:
        return None
    return tuple(shape)


def _shape_of(shape):
    return f"({', '.join('batch' if n is None else str(n) for n in shape)})"
