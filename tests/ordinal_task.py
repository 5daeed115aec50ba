"""A kind of task that the library does not have: classes in an order.

A model is learnt by the squared distance of cumulated probabilities (Hou et
al., 2016, "Squared Earth Mover's Distance-based Loss for Training Deep Neural
Networks") and read at its expected class.
"""

import keras
import numpy as np
from keras import ops
from scipy import special
from sklearn import metrics

from keras_distill import tasks


def _weighted_kappa(labels, predictions):
    if np.ptp(predictions) == 0:
        return 0.0
    return metrics.cohen_kappa_score(labels, predictions, weights="quadratic")


def _within_one(labels, predictions):
    return np.mean(abs(labels - predictions) <= 1)


@keras.saving.register_keras_serializable("tests")
class EarthMoversDistance(keras.losses.Loss):
    """`sum_k (P(class <= k) - [label <= k])^2` of logits."""

    def call(self, y_true, y_pred):
        cumulated = ops.cumsum(ops.softmax(y_pred), axis=-1)
        labels = ops.reshape(y_true, (-1, 1))
        reached = labels <= ops.arange(y_pred.shape[-1], dtype=labels.dtype)
        difference = cumulated - ops.cast(reached, cumulated.dtype)
        return ops.sum(ops.square(difference), axis=-1)


@tasks.register_kind
class OrdinalTask(tasks.ClassificationTask):
    """A task whose classes have an order, such as one to three stars."""

    kind = "ordinal"
    problem_type = "ordinal_classification"
    METRICS = {
        "weighted_kappa": tasks.Metric(
            "classes in order", "weighted kappa", _weighted_kappa
        ),
        "within_one": tasks.Metric(
            "classes in order", "share within one class", _within_one
        ),
    }
    DEFAULT_METRICS = ("within_one", "weighted_kappa")

    def label_loss(self):
        return EarthMoversDistance()

    def predictions(self, outputs):
        expected = special.softmax(outputs, axis=1) @ np.arange(
            self.num_outputs
        )
        return np.rint(expected).astype(int)

    def chance(self, labels):
        is_median = np.arange(self.num_outputs) == int(np.median(labels))
        outputs = np.tile(100.0 * is_median, (len(labels), 1))
        return self.measure(labels, outputs)[self.selection_metric]

    def agreement(self, reference_outputs, outputs):
        reference, found = map(self.predictions, (reference_outputs, outputs))
        return float(np.mean(reference == found))

    @classmethod
    def served_answer(cls, outputs, probabilities, label_names):
        import tensorflow as tf

        classes = tf.range(len(label_names), dtype=tf.float32)
        expected = tf.reduce_sum(probabilities * classes, axis=-1)
        return {
            "label": tf.gather(
                tf.constant(label_names), tf.cast(tf.round(expected), tf.int32)
            ),
            "expected": expected,
        }
