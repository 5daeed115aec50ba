"""What a task asks: its texts, its labels and how it is measured."""

import dataclasses

import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.checks.columns import in_order
from keras_distill.checks.columns import label_column
from keras_distill.checks.values import check_class_labels
from keras_distill.data.readers.labelled_rows import class_parser
from keras_distill.data.readers.labelled_rows import no_label
from keras_distill.tasks.metrics import check_metrics


@dataclasses.dataclass(frozen=True)
class Task:
    """A classification or regression task over one or two texts.

    Args:
        name: string. The name by which `keras_distill.tasks.load` knows it.
        text_columns: tuple of one or two strings. The names of the texts.
        label_names: tuple of strings in the order of the class indices, or
            `None` for regression.
        metrics: tuple of strings. The official metrics; the first one
            selects models. `"accuracy"`, `"macro_f1"` and `"matthews"` fit
            classes, `"f1"` (of class 1) two classes, `"pearson"`,
            `"spearman"` and `"pearson_spearman"` a regression.
        sequence_length: int. The most tokens that an example may have,
            special tokens included: 64 for one text and 128 for two in the
            papers.

    Example:

    >>> import keras_distill
    >>> task = keras_distill.tasks.get_task("rte")
    >>> task.label_names
    ('entailment', 'not_entailment')
    >>> task.num_outputs
    2
    """

    name: str
    text_columns: tuple
    label_names: tuple | None
    metrics: tuple
    sequence_length: int

    def __post_init__(self):
        # A frozen dataclass sets its own normalised fields this way.
        object.__setattr__(
            self, "text_columns", check_text_columns(self.text_columns)
        )
        object.__setattr__(
            self, "label_names", check_label_names(self.label_names)
        )
        check_metrics(self.metrics, self.label_names)
        object.__setattr__(self, "metrics", tuple(self.metrics))
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(
                f"`name` must be a string. Received: name={self.name!r}."
            )
        # A token between the start and the end.
        length = check_int("sequence_length", self.sequence_length, minimum=3)
        object.__setattr__(self, "sequence_length", length)

    @property
    def is_regression(self):
        """Whether the label is a number rather than a class."""
        return self.label_names is None

    @property
    def num_outputs(self):
        """The width of a model's output: the number of classes, or 1."""
        return 1 if self.is_regression else len(self.label_names)

    @property
    def selection_metric(self):
        """The metric by which models are compared."""
        return self.metrics[0]

    def selected_by(self, metric):
        """The same task, whose models are compared by another metric.

        Args:
            metric: string. A metric that fits the labels; it is measured as
                well if it was not.

        Returns:
            `Task`.

        Raises:
            ValueError: an unknown metric, or one that does not fit.

        Example:

        >>> import keras_distill
        >>> task = keras_distill.tasks.get_task("mnli")
        >>> task.selected_by("macro_f1").metrics
        ('macro_f1', 'accuracy')
        """
        others = tuple(name for name in self.metrics if name != metric)
        return dataclasses.replace(self, metrics=(metric, *others))

    def encode_labels(self, labels):
        """Labels as people have them, as models take them.

        Args:
            labels: list, array or series, read by position: of class indices
                (ints, bools, or floats such as 1.0) or of label names; for a
                regression of numbers.

        Returns:
            int32 array of class indices, or float32 array of scores.

        Raises:
            ValueError: a label that is missing or none of the task's, with
                its row.

        Example:

        >>> import keras_distill
        >>> task = keras_distill.tasks.get_task("rte")
        >>> task.encode_labels(["not_entailment", "entailment"])
        array([1, 0], dtype=int32)
        >>> task.encode_labels([1.0, 0.0])
        array([1, 0], dtype=int32)
        """
        if self.is_regression:
            return label_column(labels).astype("float32")
        labels = in_order(labels, "labels")
        if any(isinstance(label, (str, bytes)) for label in labels):
            return self._indices_of_names(labels)
        labels = label_column(labels)
        check_class_labels(labels, self.num_outputs)
        return labels.astype("int32")

    def _indices_of_names(self, labels):
        parse = class_parser(self.label_names)
        indices = []
        for row, label in enumerate(labels):
            if isinstance(label, bytes):
                label = label.decode("utf-8", "replace")
            try:
                indices.append(parse("" if no_label(label) else str(label)))
            except ValueError as error:
                raise ValueError(f"`labels`, row {row}: {error}") from error
        return np.array(indices, dtype="int32")


def check_text_columns(text_columns):
    """Returns the names of text columns as a tuple, or raises.

    Args:
        text_columns: sequence of one or two strings.

    Returns:
        Tuple of strings.

    Raises:
        ValueError: another number of names, one that is no string, or the
            same twice.
    """
    if isinstance(text_columns, (list, tuple)) and len(text_columns) in (1, 2):
        names = tuple(text_columns)
        is_named = all(isinstance(name, str) and name for name in names)
        if is_named and len(set(names)) == len(names):
            return names
    hint = ""
    if isinstance(text_columns, str):
        hint = f"; a tuple of one is ({text_columns!r},)"
    raise ValueError(
        "`text_columns` must be a tuple that names one or two texts. "
        f"Received: text_columns={text_columns!r}{hint}."
    )


def check_label_names(label_names):
    """Returns label names as a tuple in the order of the classes, or raises.

    Args:
        label_names: list, tuple or array of strings, or `None` for a
            regression.

    Returns:
        Tuple of strings, or `None`.

    Raises:
        ValueError: no order, as a set has none, fewer than two names, one
            that is no string or empty, or the same name twice.
    """
    if label_names is None:
        return None
    received = f"Received: label_names={label_names!r}"
    wanted = (
        "`label_names` must be a tuple of at least two different strings in "
        "the order of the class indices, or None for a regression."
    )
    if isinstance(label_names, dict):
        raise ValueError(
            f"{wanted} {received}; of a dict of index to name, such as a "
            "Hugging Face model's `id2label`, that is "
            "[id2label[i] for i in range(len(id2label))]."
        )
    if isinstance(label_names, (set, frozenset)):
        raise ValueError(
            f"{wanted} {received}, a set, which has no order; sort it: "
            f"{sorted(map(str, label_names))}."
        )
    if isinstance(label_names, (str, bytes)):
        raise ValueError(f"{wanted} {received}, a plain string.")
    try:
        names = list(label_names)
    except TypeError:
        raise ValueError(f"{wanted} {received}.") from None
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise ValueError(
                f"{wanted} {received}, whose name {index} is of type "
                f"{type(name).__name__}."
            )
        if not name.strip() or name != name.strip():
            raise ValueError(
                f"{wanted} {received}, whose name {index} is "
                f"{'empty' if not name.strip() else 'padded with spaces'}."
            )
        if name in names[:index]:
            raise ValueError(f"{wanted} {received}, with {name!r} twice.")
    if len(names) < 2:
        raise ValueError(f"{wanted} {received}.")
    return tuple(map(str, names))
