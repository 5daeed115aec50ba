"""Official metrics against values worked out by hand."""

import numpy as np
import pytest
from sklearn import metrics

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


def test_macro_f1_of_three_classes():
    task = tasks.get_task("mnli").selected_by("macro_f1")
    labels, predictions = [0, 0, 1, 1, 2], [0, 1, 1, 1, 0]
    values = tasks.evaluate_metrics(task, labels, logits(predictions, 3))
    # F1 of the classes: 1/2, 4/5 and 0.
    assert values == pytest.approx({"macro_f1": 1.3 / 3, "accuracy": 0.6})
    assert list(values) == ["macro_f1", "accuracy"]
    assert values["macro_f1"] == metrics.f1_score(
        labels, predictions, average="macro", zero_division=0
    )


def test_chance_of_macro_f1():
    task = tasks.get_task("mnli").selected_by("macro_f1")
    # Always class 0: F1 2/3 of it, 0 of the other that there is.
    assert tasks.chance_level(task, [0, 0, 1, 1]) == pytest.approx(1 / 3)


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
        ([0, 2], logits([0, 1]), r"from 0 to 1 of sst2. Received: 2 in row 1"),
        ([-1, 0], logits([0, 1]), r"from 0 to 1 of sst2. Received: -1 in row"),
        ([0, 0.5], logits([0, 1]), r"from 0 to 1 of sst2. Received: 0.5"),
    ],
)
def test_bad_input(labels, outputs, message):
    with pytest.raises(ValueError, match=message):
        evaluate("sst2", labels, outputs)


def test_labels_of_a_regression_are_finite():
    with pytest.raises(ValueError, match="must be finite. Received: nan"):
        evaluate("stsb", [0.5, np.nan], np.zeros((2, 1)))


def test_tags_are_measured_by_phrases():
    task = tasks.tagging_task("names", ["O", "B-PER"])
    values = tasks.evaluate_metrics(task, [[0, 1], [1]], [[0, 1], [0]])
    assert values["phrase_precision"] == 1.0
    assert values["phrase_recall"] == 0.5
    with pytest.raises(ValueError, match="one class index for each word"):
        tasks.evaluate_metrics(task, [0, 1], np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("labels", "fitting"),
    [
        (None, ["pearson", "spearman", "pearson_spearman"]),
        (("no", "yes"), ["accuracy", "f1", "macro_f1", "matthews"]),
        (("a", "b", "c"), ["accuracy", "macro_f1", "matthews"]),
    ],
)
def test_every_fitting_metric_measures(labels, fitting):
    task = tasks.Task("own", ("text",), labels, tuple(fitting), 16)
    assert task.fitting_metrics(labels) == fitting
    count = task.num_outputs
    outputs = np.eye(4, count) if labels else np.arange(4.0)[:, np.newaxis]
    true = np.arange(4) % count if labels else np.arange(4.0)
    values = tasks.evaluate_metrics(task, true, outputs)
    assert list(values) == fitting
    assert np.isfinite(list(values.values())).all()


@pytest.mark.parametrize(
    ("names", "labels", "message"),
    [
        ((), ("no", "yes"), "`metrics` must be a tuple that names"),
        ("accuracy", ("no", "yes"), "must be a tuple that .*'accuracy'"),
        (("acuracy",), ("no", "yes"), r"did you mean 'accuracy'\?"),
        (("f1_macro",), ("no", "yes"), r"did you mean 'macro_f1'\?"),
        (("mcc",), ("no", "yes"), r"did you mean 'matthews'\?"),
        ((["f1"],), ("no", "yes"), "must be of accuracy, f1.*Received: .'f1'"),
        ((None,), ("no", "yes"), "must be of accuracy, f1.*Received: None"),
        (("f1",), ("a", "b", "c"), "two classes, for 3 classes.*macro_f1"),
        (("accuracy",), None, "for classes, for numbers.*pearson_spearman"),
        (("pearson",), ("no", "yes"), "for numbers, for 2 classes"),
        (("phrase_f1",), ("no", "yes"), "for tags of words, for 2 classes"),
        (("phrase_f1", "accuracy"), ("O", "B-A"), "for tags of words"),
        (("accuracy", "accuracy"), ("no", "yes"), "each metric once"),
    ],
)
def test_metrics_that_cannot_measure(names, labels, message):
    with pytest.raises(ValueError, match=message):
        tasks.Task("own", ("text",), labels, names, 16)


@pytest.mark.parametrize(
    "name, labels, expected",
    [
        ("sst2", [0, 1, 1, 1], 0.75),
        ("mnli", [2, 2, 0, 1], 0.5),
        ("cola", [1, 1, 0, 1], 0.0),
        ("stsb", [0.0, 2.5, 5.0], 0.0),
    ],
)
def test_chance_level(name, labels, expected):
    assert tasks.chance_level(tasks.get_task(name), labels) == expected


def test_chance_of_tags_is_that_of_no_phrase():
    task = tasks.tagging_task("names", ["O", "B-PER"])
    labels = [["B-PER", "O"], ["O"]]
    nothing = task.measure(task.encode_labels(labels), [[0, 0], [0]])
    assert tasks.chance_level(task, labels) == nothing["phrase_f1"] == 0.0
