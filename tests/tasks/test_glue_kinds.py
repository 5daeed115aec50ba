"""What MT-DNN's kinds of tasks learn by and are measured by."""

import json

import keras
import numpy as np
import pytest
from scipy import stats
from scipy.special import log_softmax

from keras_distill import tasks


def loss_of(task, labels, outputs):
    found = task.label_loss()(
        keras.ops.convert_to_tensor(labels),
        keras.ops.convert_to_tensor(outputs, "float32"),
    )
    return float(keras.ops.convert_to_numpy(found))


@pytest.fixture
def outputs():
    return np.random.default_rng(0).normal(size=(6, 2))


@pytest.mark.parametrize("name", ["qnli", "boolq", "rte", "mrpc"])
def test_pairs_are_learnt_by_the_cross_entropy_of_two_classes(name, outputs):
    """QNLI as GLUE has it since 2019, too."""
    task = tasks.get_task(name)
    assert (task.kind, task.num_outputs) == ("classification", 2)
    assert len(task.text_columns) == 2
    labels = np.array([0, 1, 1, 0, 1, 1], "int32")
    expected = -log_softmax(outputs, -1)[np.arange(6), labels].mean()
    assert loss_of(task, labels, outputs) == pytest.approx(expected, rel=1e-5)


def test_qnli_as_a_ranking_compares_two_scores(outputs):
    task = tasks.get_task("qnli_ranking")
    right, wrong = outputs[:, 0], outputs[:, 1]
    labels = np.arange(1, 7)
    found = loss_of(
        task,
        np.concatenate([labels, -labels]).astype("int32"),
        np.concatenate([right, wrong])[:, None],
    )
    expected = np.log1p(np.exp(wrong - right)).mean()
    assert found == pytest.approx(expected, rel=1e-5)


def test_similarity_is_a_number_by_squared_errors_and_correlations(outputs):
    """Whatever its size, and never a class."""
    task = tasks.get_task("stsb")
    assert (task.num_outputs, task.selection_metric) == (1, "pearson_spearman")
    labels = np.array([0.0, 5.0, 2.5, 3.8, 1.2, 4.0], "float32")
    scores = 2.5 + outputs[:, :1]
    expected = np.mean((scores[:, 0] - labels) ** 2)
    assert loss_of(task, labels, scores) == pytest.approx(expected, rel=1e-5)
    soft = task.output_distillation().per_example(scores + 1.0, scores)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(soft), np.ones(6), rtol=1e-5
    )
    pearson = stats.pearsonr(labels, scores[:, 0]).statistic
    spearman = stats.spearmanr(labels, scores[:, 0]).statistic
    for values in (scores, 10 * scores - 40):
        assert task.measure(labels, values) == pytest.approx(
            {
                "pearson_spearman": (pearson + spearman) / 2,
                "pearson": pearson,
                "spearman": spearman,
            },
            abs=1e-6,
        )


def test_similarity_is_from_0_to_5(tmp_path):
    folder = tmp_path / "STS-B"
    folder.mkdir()
    for score, refused in (("5.000", False), ("5.001", True), ("-0.1", True)):
        text = f"sentence1\tsentence2\tscore\na\tb\t{score}\n"
        (folder / "train.tsv").write_text(text)
        _, splits = tasks.load("stsb", folder)
        if refused:
            with pytest.raises(ValueError, match="train.tsv:2: .*from 0 to 5"):
                splits["train"]
        else:
            assert splits["train"].labels.tolist() == [5.0]


def test_boolq_as_superglue_has_it(tmp_path):
    """An object a line, with `true` and `false` of JSON."""
    rows = [
        {"question": "is it", "passage": "yes", "idx": 7, "label": True},
        {"question": "was it", "passage": "no", "idx": 8, "label": False},
    ]
    folder = tmp_path / "BoolQ"
    folder.mkdir()
    file = folder / "train.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    task, splits = tasks.load("boolq", tmp_path)
    names = [task.label_names[label] for label in splits["train"].labels]
    assert names == ["true", "false"]
    rows[1]["label"] = "perhaps"
    file.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(ValueError, match="train.jsonl:2: unknown label 'per"):
        tasks.load("boolq", tmp_path)[1]["train"]
