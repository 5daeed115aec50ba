"""Multi-label classification: each text has any number of the labels."""

import json

import keras
import numpy as np
from sklearn import metrics

from keras_distill.checks.arguments import did_you_mean
from keras_distill.checks.columns import example_labels
from keras_distill.checks.columns import in_order
from keras_distill.checks.columns import is_missing
from keras_distill.data.readers.labelled_rows import labels_in_cell
from keras_distill.tasks.kinds import register_kind
from keras_distill.tasks.metrics import Metric
from keras_distill.tasks.task import check_label_names
from keras_distill.tasks.text_task import TextTask

# A label is given from this probability on, and from its logit on.
THRESHOLD = 0.5
_LOGIT = 0.0
# What a served model answers in place of a label that is not given.
NO_LABEL = ""

# A row of a file may be spelled so.
_NUMBERS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0}


def _micro_f1(labels, predictions):
    # Each label of each row is a yes-no question of its own.
    return metrics.f1_score(
        labels.ravel(), predictions.ravel(), zero_division=0.0
    )


def _macro_f1(labels, predictions):
    is_there = (labels + predictions).any(axis=0)
    values = [
        metrics.f1_score(labels[:, column], predictions[:, column])
        for column in np.flatnonzero(is_there)
    ]
    return np.mean(values) if values else 0.0


@register_kind
class MultiLabelTask(TextTask):
    """A task whose texts each have any number of labels, also none.

    Its models give a logit for each label, whose sigmoid is the probability
    of that label alone, and learn by the binary cross-entropy, the mean over
    labels. A label is given from a probability of 0.5 on.

    Arguments are those of `keras_distill.tasks.Task`. One label name is
    enough. The metrics are `"micro_f1"` (over all labels of all texts
    together), `"macro_f1"` (the mean of the F1 of each label that is among
    labels or predictions) and `"subset_accuracy"` (the share of texts all of
    whose labels are right).

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.MultiLabelTask(
    ...     "topics",
    ...     ("text",),
    ...     ("sport", "money", "law"),
    ...     ("micro_f1", "subset_accuracy"),
    ...     64,
    ... )
    >>> labels = task.encode_labels([["sport"], ["money", "law"], []])
    >>> task.measure(labels, [[2, -1, -1], [-1, 3, -1], [-2, -2, -2]])
    {'micro_f1': 0.8, 'subset_accuracy': 0.6666666666666666}
    """

    kind = "multi_label"
    problem_type = "multi_label_classification"
    DEFAULT_METRICS = ("micro_f1", "macro_f1", "subset_accuracy")
    activation = "sigmoid"
    agreement_note = (
        "Share of {examples} on which the model gives the same labels as the "
        "{reference}, right or wrong."
    )
    METRICS = {
        "micro_f1": Metric("several labels of a text", "micro F1", _micro_f1),
        "macro_f1": Metric("several labels of a text", "macro F1", _macro_f1),
        "subset_accuracy": Metric(
            "several labels of a text",
            "subset accuracy",
            metrics.accuracy_score,
        ),
    }

    @classmethod
    def check_label_names(cls, label_names):
        return check_label_names(label_names, minimum=1)

    @property
    def labels_in_words(self):
        return "several labels of a text"

    def encode_labels(self, labels):
        """Labels as people have them, as models take them.

        Args:
            labels: column of rows: each a list, tuple or set of label names,
                or of a 1 or 0 for each label in their order.

        Returns:
            float32 array of shape `(rows, num_outputs)`, of zeros and ones;
            of shape `(rows,)` where there is one label.

        Raises:
            ValueError: a label that is none of the task's or given twice, or
                a row that is missing or of another width, with its number.

        Example:

        >>> from keras_distill import tasks
        >>> task = tasks.MultiLabelTask(
        ...     "topics", ("text",), ("sport", "money"), ("micro_f1",), 64
        ... )
        >>> task.encode_labels([["money"], [], ["money", "sport"]])
        array([[0., 1.],
               [0., 0.],
               [1., 1.]], dtype=float32)
        """
        rows = in_order(labels, "labels")
        if any(map(_has_names, rows)):
            rows = [self._of_names(row, i) for i, row in enumerate(rows)]
        if self.num_outputs == 1:
            table = np.asarray(rows, "float32")
        else:
            table = example_labels(rows)
        self.check_labels(table)
        # `Examples` and Keras take one number for a row as it is.
        return table.reshape(-1) if self.num_outputs == 1 else table

    def label_parser(self, separator=None):
        """From a cell of a file, such as `sport|law`, to zeros and ones.

        Names stand between separators, or in a list of JSON or Python; an
        empty cell has no label. A list may hold a 1 or 0 for each label too.
        """
        are_names = bool({"0", "1"} & set(self.label_names))

        def parse(cell):
            labels = labels_in_cell(cell, separator, self.label_names)
            numbers = [_NUMBERS.get(label) for label in labels]
            is_row = len(labels) == self.num_outputs and None not in numbers
            if are_names or not is_row:
                numbers = self._of_names(labels)
            return numbers if self.num_outputs > 1 else numbers[0]

        return parse

    def spell_label(self, label):
        chosen = np.flatnonzero(np.atleast_1d(label))
        return json.dumps(
            [self.label_names[place] for place in chosen], ensure_ascii=False
        )

    def label_loss(self):
        return keras.losses.BinaryCrossentropy(from_logits=True)

    @classmethod
    def served_answer(cls, outputs, probabilities, label_names):
        import tensorflow as tf

        names = tf.constant(label_names)
        return {
            "labels": tf.where(probabilities >= THRESHOLD, names, NO_LABEL),
            "probabilities": probabilities,
        }

    def as_table(self, labels):
        return labels.reshape(len(labels), -1)

    def predictions(self, outputs):
        return (outputs >= _LOGIT).astype("int32")

    def check_labels(self, labels):
        labels = self.as_table(labels)
        if labels.shape[1] != self.num_outputs or not labels.size:
            raise ValueError(
                "`labels` must have a 1 or 0 for each of the "
                f"{self.num_outputs} labels of {self.name}. Received: shape "
                f"{labels.shape}."
            )
        is_label = np.isin(labels, (0, 1)).all(axis=1)
        if not is_label.all():
            row = np.flatnonzero(~is_label)[0]
            raise ValueError(
                f"`labels` must be 0 or 1 for each label of {self.name}. "
                f"Received: {labels[row]} in row {row}."
            )

    def chance(self, labels):
        """The best of giving the same labels to all texts.

        Those are none, the most frequent one, the two most frequent and so
        on, or the most frequent set.
        """
        labels = self.as_table(np.asarray(labels))
        order = np.argsort(-labels.sum(axis=0), kind="stable")
        rank = np.argsort(order, kind="stable")
        answers = [rank < count for count in range(self.num_outputs + 1)]
        sets, counts = np.unique(labels, axis=0, return_counts=True)
        answers.append(sets[counts.argmax()] > 0)
        return max(
            self.measure(
                labels, np.tile(np.where(answer, 1.0, -1.0), (len(labels), 1))
            )[self.selection_metric]
            for answer in answers
        )

    def agreement(self, reference_outputs, outputs):
        same = (np.asarray(reference_outputs) >= _LOGIT) == (
            np.asarray(outputs) >= _LOGIT
        )
        return float(np.mean(same.all(axis=-1)))

    def _of_names(self, names, row=None):
        """Zeros and ones of the names of a row."""
        where = "" if row is None else f"`labels`, row {row}: "
        if isinstance(names, (str, bytes)) or is_missing(names):
            raise ValueError(
                f"{where}the labels of a text must be a list of names, empty "
                f"where it has none. Received: {names!r}."
            )
        names = [
            name.decode("utf-8", "replace") if isinstance(name, bytes) else name
            for name in names
        ]
        for name in names:
            if name not in self.label_names:
                raise ValueError(
                    f"{where}unknown label {name!r}; the labels are: "
                    f"{', '.join(self.label_names)}."
                    + did_you_mean(name, self.label_names)
                )
        if len(set(names)) < len(names):
            raise ValueError(f"{where}a label twice in {names}.")
        return [float(name in names) for name in self.label_names]


def _has_names(row):
    """Whether a row of labels holds names rather than zeros and ones."""
    if isinstance(row, (str, bytes, set, frozenset)) or is_missing(row):
        return True
    if not hasattr(row, "__len__"):
        return False
    return not len(row) or any(isinstance(name, (str, bytes)) for name in row)
