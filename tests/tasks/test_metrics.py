"""Official metrics against values worked out by hand."""

import numpy as np
import pytest

from keras_distill import tasks


def evaluate(name, labels, outputs):
    return tasks.evaluate_metrics(tasks.get_task(name), labels, outputs)


def logits(predictions, num_classes=2):
    return np.eye(num_classes, dtype="float32")[predictions]


def test_accuracy_of_three_classes():
    outputs = logits([0, 1, 2, 2], num_classes=3)
    assert evaluate("mnli", [0, 1, 2, 0], outputs) == {"accuracy": 0.75}


def test_accuracy_and_f1_of_class_one():
    # 2 true positives, 1 false positive, 1 false negative, 1 true negative.
    values = evaluate("qqp", [1, 1, 1, 0, 0], logits([1, 1, 0, 1, 0]))
    assert values == pytest.approx({"accuracy": 0.6, "f1": 2 / 3})
    assert list(values) == ["accuracy", "f1"]


def test_matthews():
    # (2 * 1 - 1 * 1) / sqrt(3 * 3 * 2 * 2) = 1 / 6.
    values = evaluate("cola", [1, 1, 1, 0, 0], logits([1, 1, 0, 1, 0]))
    assert values == pytest.approx({"matthews": 1 / 6})


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_correlations(shape):
    labels = np.array([0.0, 1.0, 2.0, 3.0], "float32")
    outputs = np.array([0.0, 1.0, 4.0, 3.0], "float32").reshape(shape)
    values = evaluate("stsb", labels, outputs)
    # Covariance 6, variances 5 and 10; ranks differ by 1 in two places.
    pearson = 6 / np.sqrt(50)
    spearman = 1 - 6 * 2 / (4 * 15)
    expected = {
        "pearson_spearman": (pearson + spearman) / 2,
        "pearson": pearson,
        "spearman": spearman,
    }
    assert values == pytest.approx(expected)
    assert list(values) == list(expected)


def test_constant_predictions_score_zero():
    assert evaluate("cola", [0, 1, 1], logits([1, 1, 1])) == {"matthews": 0.0}
    assert evaluate("qqp", [0, 1], logits([0, 0]))["f1"] == 0.0
    values = evaluate("stsb", [0.0, 1.0, 2.0], np.full((3, 1), 2.5))
    assert set(values.values()) == {0.0}


def test_constant_labels_score_zero():
    assert evaluate("cola", [1, 1], logits([0, 1])) == {"matthews": 0.0}
    assert evaluate("stsb", [2.0], np.array([[1.0]]))["pearson"] == 0.0


def test_values_are_plain_floats():
    values = evaluate("sst2", [0, 1], logits([0, 1]))
    assert type(values["accuracy"]) is float


@pytest.mark.parametrize(
    ("labels", "outputs", "message"),
    [
        (None, logits([0, 1]), "the split is unlabelled"),
        ([0, 1], np.zeros((2, 3)), r"must have the shape \(rows, 2\)"),
        ([0, 1], np.zeros(2), r"must have the shape \(rows, 2\)"),
        ([0, 1, 1], np.zeros((2, 2)), "same number of rows"),
        ([], np.zeros((0, 2)), "at least one"),
        ([0, 1], [[0, 1], [np.nan, 0]], r"finite. Received: \[nan"),
    ],
)
def test_bad_input(labels, outputs, message):
    with pytest.raises(ValueError, match=message):
        evaluate("sst2", labels, outputs)
