"""A kind of task that the library does not have: classes in an order.

Frank and Hall, 2001, "A Simple Approach to Ordinal Classification": of the
classes 0 to K, output k says whether the label is above class k.
"""

import keras
import numpy as np
from sklearn import metrics

from keras_distill import tasks


def _class_of(levels):
    return levels.sum(axis=1).astype(int)


def _weighted_kappa(labels, predictions):
    labels, predictions = _class_of(labels), _class_of(predictions)
    if np.ptp(predictions) == 0:
        return 0.0
    return metrics.cohen_kappa_score(labels, predictions, weights="quadratic")


def _within_one(labels, predictions):
    return np.mean(abs(_class_of(labels) - _class_of(predictions)) <= 1)


@tasks.register_kind
class OrdinalTask(tasks.TextTask):
    """A task whose classes have an order, such as one to five stars."""

    kind = "ordinal"
    activation = "sigmoid"
    METRICS = {
        "weighted_kappa": tasks.Metric(
            "classes in order", "weighted kappa", _weighted_kappa
        ),
        "within_one": tasks.Metric(
            "classes in order", "share within one class", _within_one
        ),
    }
    DEFAULT_METRICS = tuple(METRICS)

    @property
    def num_outputs(self):
        return len(self.label_names) - 1

    def encode_labels(self, labels):
        labels = np.asarray(labels)
        if labels.ndim == 2:
            return labels.astype("float32")
        if labels.dtype.kind == "U":
            labels = np.array([self.label_names.index(n) for n in labels])
        steps = np.arange(self.num_outputs)
        return (labels[:, np.newaxis] > steps).astype("float32")

    def label_parser(self, separator=None):
        return lambda cell: self.encode_labels([cell.strip()])[0].tolist()

    def label_loss(self):
        return keras.losses.BinaryCrossentropy(from_logits=True)

    @classmethod
    def served_answer(cls, outputs, probabilities, label_names):
        import tensorflow as tf

        level = tf.reduce_sum(tf.cast(outputs >= 0, tf.int32), axis=-1)
        return {
            "label": tf.gather(tf.constant(label_names), level),
            "level": level,
            "at_least": probabilities,
        }

    def predictions(self, outputs):
        return (outputs >= 0).astype("int32")

    def check_labels(self, labels):
        if labels.shape[1] != self.num_outputs:
            raise ValueError(f"`labels` must be levels. Received: {labels}.")

    def chance(self, labels):
        levels = _class_of(labels)
        most = np.bincount(levels).argmax()
        above = most > np.arange(self.num_outputs)
        outputs = np.tile(above - 0.5, (len(levels), 1))
        return self.measure(labels, outputs)[self.selection_metric]

    def agreement(self, reference_outputs, outputs):
        same = _class_of(reference_outputs >= 0) == _class_of(outputs >= 0)
        return float(np.mean(same))
