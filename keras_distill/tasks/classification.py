"""Classification: each text is of one of several classes."""

import keras
import numpy as np
from sklearn import metrics

from keras_distill.checks.columns import in_order
from keras_distill.checks.columns import label_column
from keras_distill.checks.values import check_class_labels
from keras_distill.data.readers.labelled_rows import class_parser
from keras_distill.data.readers.labelled_rows import no_label
from keras_distill.tasks.kinds import register_kind
from keras_distill.tasks.metrics import Metric
from keras_distill.tasks.text_task import TextTask


def _f1(labels, predictions):
    return metrics.f1_score(labels, predictions, zero_division=0.0)


def _macro_f1(labels, predictions):
    return metrics.f1_score(
        labels, predictions, average="macro", zero_division=0.0
    )


def _matthews(labels, predictions):
    if np.ptp(labels) == 0 or np.ptp(predictions) == 0:
        return 0.0
    return metrics.matthews_corrcoef(labels, predictions)


@register_kind
class ClassificationTask(TextTask):
    """A task whose texts are each of one of several classes.

    Its models give a logit for each class and learn by the cross-entropy.
    Arguments are those of `keras_distill.tasks.Task`.

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.ClassificationTask(
    ...     "mood", ("text",), ("sad", "glad"), ("accuracy",), 64
    ... )
    >>> task.measure([0, 1], [[2.0, 1.0], [1.0, 0.5]])
    {'accuracy': 0.5}
    """

    kind = "classification"
    problem_type = "single_label_classification"
    DEFAULT_METRICS = ("accuracy",)
    activation = "softmax"
    METRICS = {
        "accuracy": Metric("classes", "accuracy", metrics.accuracy_score),
        "f1": Metric("two classes", "F1", _f1, num_classes=2),
        "macro_f1": Metric("classes", "macro F1", _macro_f1),
        "matthews": Metric("classes", "Matthews correlation", _matthews),
    }

    @property
    def class_names(self):
        return self.label_names

    def encode_labels(self, labels):
        """Labels as people have them, as models take them.

        Args:
            labels: list, array or series, read by position: of class indices
                (ints, bools, or floats such as 1.0) or of label names.

        Returns:
            int32 array of class indices.

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
        labels = in_order(labels, "labels")
        if any(isinstance(label, (str, bytes)) for label in labels):
            return self._indices_of_names(labels)
        labels = label_column(labels)
        check_class_labels(labels, self.num_outputs)
        return labels.astype("int32")

    def label_parser(self, separator=None):
        return class_parser(self.label_names)

    def spell_label(self, label):
        return self.label_names[label]

    def label_loss(self):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @classmethod
    def served_answer(cls, outputs, probabilities, label_names):
        import tensorflow as tf

        label_id = tf.argmax(outputs, axis=-1, output_type=tf.int32)
        return {
            "label": tf.gather(tf.constant(label_names), label_id),
            "label_id": label_id,
            "probabilities": probabilities,
        }

    def predictions(self, outputs):
        return outputs.argmax(axis=1)

    def check_labels(self, labels):
        is_class = (labels >= 0) & (labels < self.num_outputs)
        is_class &= labels == np.floor(labels)
        if not is_class.all():
            row = np.flatnonzero(~is_class)[0]
            raise ValueError(
                "`labels` must be class indices from 0 to "
                f"{self.num_outputs - 1} of {self.name}. Received: "
                f"{labels[row]} in row {row}."
            )

    def chance(self, labels):
        counts = np.bincount(labels, minlength=self.num_outputs)
        outputs = np.tile(counts == counts.max(), (len(labels), 1))
        return self.measure(labels, outputs)[self.selection_metric]

    def agreement(self, reference_outputs, outputs):
        same = np.argmax(reference_outputs, axis=-1) == np.argmax(
            outputs, axis=-1
        )
        return float(np.mean(same))

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
