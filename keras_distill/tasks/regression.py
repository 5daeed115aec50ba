"""Regression: each text has a number."""

import keras
import numpy as np
from scipy import stats

from keras_distill.checks.columns import label_column
from keras_distill.data.readers.labelled_rows import score_parser
from keras_distill.tasks.kinds import register_kind
from keras_distill.tasks.metrics import Metric
from keras_distill.tasks.text_task import TextTask


def _pearson(labels, predictions):
    if np.ptp(labels) == 0 or np.ptp(predictions) == 0:
        return 0.0
    return stats.pearsonr(labels.astype("float64"), predictions).statistic


def _spearman(labels, predictions):
    if np.ptp(labels) == 0 or np.ptp(predictions) == 0:
        return 0.0
    return stats.spearmanr(labels, predictions).statistic


def _pearson_spearman(labels, predictions):
    return 0.5 * (
        _pearson(labels, predictions) + _spearman(labels, predictions)
    )


@register_kind
class RegressionTask(TextTask):
    """A task whose texts each have a number.

    Its models give one number and learn by the mean squared error; so does a
    student from its teacher. Arguments are those of
    `keras_distill.tasks.Task`; `label_names` is `None`.

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.RegressionTask("length", ("text",), None, ("pearson",), 64)
    >>> scores = task.measure([1.0, 2.0, 4.0], [0.1, 0.2, 0.4])
    >>> round(scores["pearson"], 6)
    1.0
    """

    kind = "regression"
    problem_type = "regression"
    DEFAULT_METRICS = ("pearson_spearman",)
    has_label_names = False
    agreement_unit = "× 100"
    agreement_note = (
        "Pearson correlation, times 100, between the outputs of the model and "
        "the {reference} on {examples}, right or wrong."
    )
    METRICS = {
        "pearson": Metric("numbers", "Pearson correlation", _pearson),
        "spearman": Metric("numbers", "Spearman correlation", _spearman),
        "pearson_spearman": Metric(
            "numbers", "mean of Pearson and Spearman", _pearson_spearman
        ),
    }

    @classmethod
    def check_label_names(cls, label_names):
        if label_names is not None:
            raise ValueError(
                "`label_names` must be None for a regression. Received: "
                f"label_names={label_names!r}."
            )

    @property
    def labels_in_words(self):
        return "numbers"

    @property
    def num_outputs(self):
        return 1

    def encode_labels(self, labels):
        """Numbers as people have them, as a float32 array."""
        return label_column(labels).astype("float32")

    def label_parser(self, separator=None):
        return score_parser()

    def spell_label(self, label):
        # As short as tells it from any other number of its precision.
        return str(label)

    def label_loss(self):
        return keras.losses.MeanSquaredError()

    @classmethod
    def served_answer(cls, outputs, probabilities, label_names):
        return {"score": outputs[:, 0]}

    def predictions(self, outputs):
        return outputs[:, 0]

    def check_labels(self, labels):
        is_finite = np.isfinite(labels.astype("float64"))
        if not is_finite.all():
            raise ValueError(
                f"`labels` must be finite. Received: {labels[~is_finite][0]}."
            )

    def chance(self, labels):
        return self.measure(labels, np.zeros((len(labels), 1)))[
            self.selection_metric
        ]

    def agreement(self, reference_outputs, outputs):
        """The Pearson correlation of the two; NaN where one is constant."""
        reference, outputs = (
            np.reshape(values, -1) for values in (reference_outputs, outputs)
        )
        if np.ptp(reference) == 0 or np.ptp(outputs) == 0:
            # A constant correlates with nothing.
            return float("nan")
        return float(stats.pearsonr(reference, outputs).statistic)
