"""Tasks whose texts have several labels each."""

import numpy as np
import pytest
from keras import ops
from sklearn import metrics

from keras_distill import tasks

NAMES = ("sport", "money", "law")
ALL_METRICS = ("micro_f1", "macro_f1", "subset_accuracy")


def make_task(label_names=NAMES, metrics=ALL_METRICS):
    return tasks.MultiLabelTask("topics", ("text",), label_names, metrics, 16)


LABELS = np.array(
    [[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 0], [0, 1, 0]], "float32"
)


@pytest.mark.parametrize(
    "labels",
    [
        [["sport"], ["law", "money"], [], {"sport", "money"}, (b"money",)],
        LABELS,
        LABELS.astype(bool),
        LABELS.astype(int).tolist(),
    ],
)
def test_labels_are_zeros_and_ones(labels):
    encoded = make_task().encode_labels(labels)

    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded, LABELS)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["sport"], ["mony"]], "row 1: unknown label 'mony'.*mean 'money'"),
        ([["law", "law"]], "row 0: a label twice"),
        (["sport"], "row 0: the labels of a text must be a list of names"),
        ([["law"], None], "row 1: .*empty where it has none. Received: None"),
        ([[1, 0]], r"1 or 0 for each of the 3 labels.*shape \(1, 2\)"),
        ([[1, 0, 0.5]], "0 or 1 for each class"),
        ([0, 1], r"1 or 0 for each of the 3 labels.*shape \(2, 1\)"),
    ],
)
def test_labels_that_are_none_of_the_task(labels, message):
    with pytest.raises(ValueError, match=message):
        make_task().encode_labels(labels)


def test_metrics_are_scikit_learns():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, (40, 3))
    outputs = generator.normal(size=(40, 3))
    predictions = outputs >= 0

    values = make_task().measure(labels, outputs)

    assert list(values) == list(ALL_METRICS)
    for average in ("micro", "macro"):
        assert values[f"{average}_f1"] == pytest.approx(
            metrics.f1_score(labels, predictions, average=average)
        )
    assert values["subset_accuracy"] == metrics.accuracy_score(
        labels, predictions
    )


def test_a_label_that_is_nowhere_is_left_out_of_macro_f1():
    values = make_task().measure([[1, 0, 0], [1, 1, 0]], [[1, -1, -1]] * 2)

    assert values["macro_f1"] == 0.5
    # Nor is anything divided by the number of nothing.
    assert make_task().measure([[0, 0, 0]], [[-1] * 3])["macro_f1"] == 0.0


def test_half_a_probability_gives_the_label():
    task = make_task(metrics=("subset_accuracy",))

    values = task.measure([[1, 0, 0]], [[0.0, -1e-6, -1.0]])

    assert values == {"subset_accuracy": 1.0}


def test_chance_is_the_best_one_answer_for_all():
    labels = make_task().encode_labels(
        [["sport"], ["sport"], ["sport", "law"], []]
    )

    chance = {m: make_task().selected_by(m).chance(labels) for m in ALL_METRICS}

    # Always "sport": 3 of 4 are right, of 4 that there are.
    assert chance["micro_f1"] == pytest.approx(0.75)
    assert chance["subset_accuracy"] == 0.5
    # "sport" 6/7, "law" 0 if never given; both given: (6/7 + 2/5) / 2.
    assert chance["macro_f1"] == pytest.approx((6 / 7 + 0.4) / 2)


def test_agreement_is_on_whole_sets():
    outputs = np.array([[3.0, -1, -1], [1, 1, -1]])
    others = np.array([[0.5, -2, -3], [1, -1, -1]])

    assert make_task().agreement(outputs, others) == 0.5


def test_the_loss_is_the_binary_cross_entropy():
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], "float32")
    labels = LABELS[:2]
    probabilities = 1 / (1 + np.exp(-logits))
    expected = -np.mean(
        labels * np.log(probabilities)
        + (1 - labels) * np.log(1 - probabilities)
    )

    loss = make_task().label_loss()(labels, logits)

    assert float(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("soft_loss", ["kl", "cross_entropy"])
def test_each_label_is_distilled_alone(soft_loss):
    generator = np.random.default_rng(1)
    teacher, student = generator.normal(size=(2, 4, 3)).astype("float32")
    p, q = (1 / (1 + np.exp(-logits / 2)) for logits in (teacher, student))
    cross = -(p * np.log(q) + (1 - p) * np.log(1 - q)).sum(axis=1)
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)).sum(axis=1)
    expected = 4 * (cross - entropy) if soft_loss == "kl" else cross

    loss = make_task().output_distillation(2.0, soft_loss=soft_loss)

    values = ops.convert_to_numpy(loss.per_example(teacher, student))
    np.testing.assert_allclose(values, expected, rtol=1e-4)


def test_one_label_is_enough():
    task = make_task(("toxic",))

    labels = task.encode_labels([["toxic"], []])

    np.testing.assert_array_equal(labels, [1.0, 0.0])
    assert task.measure(labels, [[1.0], [1.0]]) == {
        "micro_f1": pytest.approx(2 / 3),
        "macro_f1": pytest.approx(2 / 3),
        "subset_accuracy": 0.5,
    }
    assert tasks.Examples((["a", "b"],), labels).labels.shape == (2,)
    with pytest.raises(ValueError, match="at least one string"):
        make_task(())


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("sport", [1, 0, 0]),
        ("", [0, 0, 0]),
        (" law | sport ", [1, 0, 1]),
        ("law, money", [0, 1, 1]),
        ('["money"]', [0, 1, 0]),
        ("['law', 'money']", [0, 1, 1]),
        ("[]", [0, 0, 0]),
        (["sport", "law"], [1, 0, 1]),
        (["0", "1.0", "0"], [0, 1, 0]),
    ],
)
def test_labels_of_a_file(cell, expected):
    assert make_task().label_parser()(cell) == expected


def test_a_separator_is_the_only_one():
    task = make_task(("law, new", "sport"))
    assert task.label_parser("|")("sport|law, new") == [1, 1]
    with pytest.raises(ValueError, match="unknown label 'sport,law, new'"):
        task.label_parser("|")("sport,law, new")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("sport|lav", "unknown label 'lav'.*did you mean 'law'"),
        ('["law"', "no list of JSON or Python"),
    ],
)
def test_labels_of_a_file_that_are_none(cell, message):
    with pytest.raises(ValueError, match=message):
        make_task().label_parser()(cell)


def test_other_kinds_have_other_metrics():
    with pytest.raises(ValueError, match="for classes, for several labels"):
        make_task(metrics=("accuracy",))
    with pytest.raises(ValueError, match="several labels.*for 2 classes"):
        tasks.Task("own", ("text",), ("no", "yes"), ("micro_f1",), 16)
