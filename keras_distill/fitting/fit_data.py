"""What `fit`, `evaluate` and `predict` are given, as Keras takes it.

Raw texts become batches of token ids, and all is held against the models. What
can be seen without a pass over the data is looked at first. Values are looked
at where they come by anyway: arrays as a whole, batches when they are made, in
the input pipeline. A step costs nothing more.
"""

import types

import keras
import numpy as np

from keras_distill.data import Examples
from keras_distill.data import Splits
from keras_distill.data import TaggedExamples
from keras_distill.data import TokenizedTags
from keras_distill.fitting.checked_batches import CheckedBatches
from keras_distill.fitting.checked_batches import as_batch
from keras_distill.fitting.checked_batches import checked_data_set
from keras_distill.fitting.checked_batches import checked_generator
from keras_distill.fitting.checked_batches import explained
from keras_distill.fitting.checked_batches import is_data_set
from keras_distill.fitting.checked_batches import is_loader
from keras_distill.fitting.compile_checks import losses_by_output
from keras_distill.fitting.labels import as_arrays
from keras_distill.fitting.labels import as_labels
from keras_distill.fitting.labels import to_numpy
from keras_distill.fitting.labels import word_labels
from keras_distill.fitting.limits import limits_of
from keras_distill.fitting.rows import by_length
from keras_distill.fitting.rows import longest_first
from keras_distill.fitting.rows import split
from keras_distill.fitting.rows import weighed_by_class
from keras_distill.fitting.structure import check_inputs
from keras_distill.fitting.structure import check_labels
from keras_distill.fitting.structure import check_rows
from keras_distill.fitting.structure import reads_text
from keras_distill.fitting.text_columns import is_text
from keras_distill.fitting.text_columns import text_rows
from keras_distill.teachers.checks import check_label_order

_BATCH_SIZE = 32
_PARTS = ("x", "y", "sample_weight")


class FitData:
    """Makes what Keras takes of what a distiller is given.

    Args:
        description: `keras_distill.features.ModelDescription` of the student.
        texts: `TextReader`, which knows the models.
        loss: The compiled loss on the labels, or `None`.
        needs_labels: Optional pair of str. Why batches must have labels, and
            what to do in place of that.
        label_names: Optional sequence of str. The names of the classes.
    """

    def __init__(
        self, description, texts, loss=None, needs_labels=None, label_names=None
    ):
        self._description = description
        self._texts = texts
        self._losses = losses_by_output(description, loss) if loss else {}
        self._needs_labels = needs_labels
        self._label_names = label_names
        self._limits = limits_of(
            texts.models_of_same_ids, description, self._losses
        )

    def for_fit(self, given):
        """Puts what Keras takes into the arguments of `fit`.

        Args:
            given: dict of the arguments by name, which is changed.

        Raises:
            ValueError: If the models cannot read the data.
        """
        size = given.get("batch_size") or _BATCH_SIZE
        held_out = given.get("validation_data")
        rows = self._rows(given)
        if rows is None:
            self._take(given)
        else:
            share = given.pop("validation_split", None)
            if share and held_out is None:
                rows, last = split(rows, share)
                self._put_validation(last, given, size)
            self._put_training(rows, given, size)
        if held_out is not None:
            is_packed = isinstance(held_out, (list, tuple))
            if (
                not is_packed
                or isinstance(held_out, list)
                and is_text(held_out)
            ):
                held_out = (held_out,)
            parts = dict(zip(_PARTS, held_out, strict=False))
            rows = self._rows(parts)
            if rows is not None:
                self._put_validation(rows, given, size)
            else:
                self._take(parts)
                given["validation_data"] = (
                    tuple(parts.values()) if len(parts) > 1 else parts["x"]
                )
        if is_data_set(given["x"]):
            # Keras warns that its default is not for data sets.
            given.setdefault("shuffle", False)

    def for_evaluate(self, given):
        """Puts what Keras takes into the arguments of `evaluate`."""
        rows = self._rows(given)
        if rows is None:
            self._take(given)
            return
        rows = by_length(rows, given.get("steps"))
        _put(given, self._batches(rows, given.get("batch_size")))

    def for_predict(self, given):
        """Puts what Keras takes into the arguments of `predict`.

        Args:
            given: dict of the arguments by name, which is changed.

        Returns:
            Integer array of where the output of each row will be, or `None`
            if they will be in order.
        """
        if isinstance(given.get("x"), (str, bytes)):
            given["x"] = [given["x"]]
        rows = self._rows(given)
        if rows is None:
            self._take(given)
            return None
        if isinstance(rows, TokenizedTags) and rows is not given["x"]:
            raise ValueError(
                "`predict` gives outputs of tokens, which are not words. "
                "Received: rows of words. Use keras_distill.tasks."
                "predict_tags(distiller, keras_distill.tasks.TokenizedTags("
                "examples, student.preprocessor))."
            )
        is_whole = given.get("steps") is None
        order = longest_first(rows) if is_whole else np.arange(len(rows))
        length = None
        if self._predicts_tokens():
            # Keras joins the outputs of all batches.
            length = int(rows.lengths.max())
        # Labels may hold rows together, out of their order.
        rows = rows.with_labels(None).select(order)
        _put(given, self._batches(rows, given.get("batch_size"), length))
        return np.argsort(order, kind="stable") if is_whole else None

    def check_batch(self, batch, number):
        """Checks a batch, as a data set makes it.

        Args:
            batch: The batch.
            number: int. Its number, for the message.

        Raises:
            ValueError: If the models cannot read it.
        """
        batch = as_batch(batch)
        self._check_structure(batch)
        self._check_values(batch, f" of batch {number}")

    def explained(self):
        """Context in which what the input pipeline finds is a sentence."""
        return explained(self._limits)

    # === Rows that are tokenised here, or were ===

    def _rows(self, given):
        """What is given as `TokenizedExamples`, or `None` if it is no rows."""
        x, y, sample_weight = (given.get(name) for name in _PARTS)
        self._check_object(x)
        if hasattr(x, "batches") and hasattr(x, "num_batches"):
            if y is not None or sample_weight is not None:
                raise ValueError(
                    "`y` and `sample_weight` belong to the rows that are "
                    "tokenised. Received: them beside a "
                    f"{type(x).__name__}. Use its `with_labels`."
                )
            rows = x
            self.check_rows(rows)
        elif self._texts and not self._reads_text():
            rows = self._tokenize(text_rows(x), y, sample_weight)
        else:
            rows = None
        return rows

    def check_rows(self, rows):
        """Raises by the row among all, which a batch does not know."""
        if not hasattr(rows, "iterate"):
            kind = type(rows).__name__
            raise ValueError(
                f"`x` must be batches of plain text. Received: a {kind}. "
                "Pass `x.batches(batch_size, shuffle=True)`, or give it to a "
                "`keras_distill.stages.Stage`."
            )
        if not len(rows):
            raise ValueError("`x` must hold rows. Received: none.")
        check_label_order(self._label_names, getattr(rows, "label_names", None))
        self._check_structure(as_batch(next(iter(rows.iterate(1)))))
        if hasattr(rows, "check_model"):
            for role, model in self._texts.models.items():
                learns = role == "student" and self._needs_labels
                rows.check_model(model, with_labels=bool(learns))
        if isinstance(rows.labels, np.ndarray):
            self._check_values((None, rows.labels))

    def _tokenize(self, rows, y, sample_weight):
        """Raw texts with their labels and weights, or `None` without texts."""
        if rows is None:
            return None
        is_tagged = isinstance(rows, TaggedExamples)
        y = rows.labels if y is None else y
        if is_tagged != self._predicts_tokens() and (
            is_tagged or y is not None
        ):
            raise ValueError(
                f"The student '{self._description.name}' predicts "
                + (
                    "each text as a whole. Received: rows of words as `x`. "
                    "Join them, or pass pairs as a tuple of two columns."
                    if is_tagged
                    else "every token. Received: labels for texts that are no "
                    "rows of words. Pass a list of words for each text, and "
                    "as many labels."
                )
            )
        if is_tagged:
            if sample_weight is not None:
                raise ValueError(
                    "`sample_weight` is for labels of texts. Received: one "
                    "for rows of words. Use `class_weight`, or weigh words by "
                    "keras_distill.tasks.TokenizedTags."
                )
            labels = word_labels(y, self._label_names)
            self._check_labels(None, None if y is None else ())
            rows = TaggedExamples(rows.words, labels, rows.languages, rows.ids)
            tokenized = self._texts.tokenize(rows)
            tokenized.check_model(self._texts.models["student"])
        else:
            y = as_labels(y, self._label_names)
            weight = as_labels(sample_weight, name="sample_weight")
            if y is None and weight is not None:
                raise ValueError(
                    "`sample_weight` weighs labelled rows. Received: "
                    "sample_weight without `y`."
                )
            check_rows((np.empty(len(rows)), y, weight))
            self._check_labels(None, y)
            self._check_values((None, y))
            tokenized = self._texts.tokenize(rows)
            # A list would be one array to tf.data.
            y, weight = (
                tuple(part) if isinstance(part, list) else part
                for part in (y, weight)
            )
            tokenized = tokenized.with_labels(y, weight)
        tokenized.label_names = self._label_names
        return tokenized

    def _check_object(self, x):
        """Raises on objects of a task's data that cannot be read."""
        if isinstance(x, Splits):
            splits = ", ".join(repr(name) for name in x)
            raise ValueError(
                "`x` must be one split of a task. Received: all splits "
                f"({splits}). Choose one, such as splits['train']."
            )
        if isinstance(x, (Examples, TaggedExamples)) and not self._texts:
            raise ValueError(
                "`x` must be token ids, since neither model has a "
                f"preprocessor. Received: {type(x).__name__}. Give them one, "
                "or tokenise once: keras_distill.tasks.TokenizedExamples("
                "examples, tokenizer, sequence_length), those of words and "
                "tags with TokenizedTags."
            )

    def _put_training(self, rows, given, batch_size):
        """Puts the batches of an epoch after the other into arguments."""
        class_weight = given.pop("class_weight", None)
        if class_weight is not None:
            student = self._texts.models["student"]
            rows = weighed_by_class(rows, class_weight, student)
        shuffle = bool(given.get("shuffle", True))
        batches = rows.batches(
            batch_size,
            shuffle=shuffle,
            # Of NumPy's state, which keras.utils.set_random_seed sets.
            seed=int(np.random.randint(2**31)) if shuffle else 0,
            initial_epoch=given.get("initial_epoch", 0),
        )
        _put(given, batches)
        given["shuffle"] = False

    def _put_validation(self, rows, given, batch_size):
        """Puts the batches of held out rows into arguments."""
        batch_size = given.get("validation_batch_size") or batch_size
        rows = by_length(rows, given.get("validation_steps"))
        given["validation_data"] = self._batches(rows, batch_size)

    @staticmethod
    def _batches(rows, batch_size, fixed_length=None):
        return rows.batches(
            batch_size or _BATCH_SIZE, fixed_length=fixed_length
        )

    def _predicts_tokens(self):
        """Whether the student has outputs whose shape the batch says."""
        shapes = self._description.shapes
        return any(
            None in shapes.get(output, ())[1:]
            for output in self._description.output_activations
        )

    # === What Keras takes as it is ===

    def _take(self, given):
        """Puts arrays or a data set, checked, into arguments."""
        x, y, sample_weight = (given.get(name) for name in _PARTS)
        if is_data_set(x):
            spec = as_batch(x.element_spec)
            if self._texts and is_text(spec[0]) and not self._reads_text():
                x = self._texts.map_data_set(x)
                spec = as_batch(x.element_spec)
            self._check_structure(spec)
            x = checked_data_set(x, self._limits)
        elif isinstance(x, keras.utils.PyDataset):
            x = CheckedBatches(x, self.check_batch)
        elif isinstance(x, types.GeneratorType):
            x = checked_generator(x, self.check_batch)
        elif not is_loader(x):
            x = as_arrays(x)
            y = as_labels(y, self._label_names)
            sample_weight = as_arrays(sample_weight)
            self._check_structure((x, y))
            check_rows((x, y, sample_weight))
            self._check_values((x, y))
        for name, part in zip(_PARTS, (x, y, sample_weight), strict=True):
            if part is not None:
                given[name] = part

    def _reads_text(self):
        return any(map(reads_text, self._texts.models.values()))

    def _check_structure(self, batch):
        x, y = [*batch, None][:2]
        for role, model in self._texts.models.items():
            check_inputs(role, model, self._texts.inputs_of(role, x))
        self._check_labels(x, y)

    def _check_labels(self, x, y):
        check_labels(
            x, y, self._losses, self._description.shapes, self._needs_labels
        )

    def _check_values(self, batch, where=""):
        for place, limit in self._limits:
            values = place.find(batch)
            if values is None:
                continue
            values = to_numpy(values)
            if values.dtype.kind in "iufb":
                limit.check(values, place.name, where=where)


def _put(given, batches):
    """Puts batches in the place of rows."""
    given["x"] = batches
    for name in _PARTS[1:]:
        given.pop(name, None)
    given.pop("batch_size", None)
