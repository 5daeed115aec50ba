"""MNLI has two dev splits: the matched one chooses, both are reported."""

import json

import numpy as np
import pytest

from keras_distill import export
from keras_distill import stages
from keras_distill import tasks
from keras_distill import teachers
from recipes.common import experiment
from recipes.common.task_data import dev_splits
from recipes.tinybert.__main__ import main
from recipes.xtremedistil import targets
from recipes.xtremedistil.config import Config

NAMES = ("entailment", "neutral", "contradiction")
# The same texts, and labels of which two of three are others.
MATCHED = [0, 1, 2, 0, 1, 2]
MISMATCHED = [0, 2, 1, 1, 0, 2]


@pytest.fixture
def mnli_dir(tmp_path):
    """A miniature in GLUE's layout."""
    folder = tmp_path / "glue" / "MNLI"
    folder.mkdir(parents=True)
    pairs = [
        ("a good film", "the film is good"),
        ("a dull plot", "the actor was sad"),
        ("a great story", "the story was very bad"),
        ("it was funny", "a funny film"),
        ("the ending was sad", "the plot"),
        ("a bad movie", "a great movie"),
    ]
    for split, labels in (
        ("train", MATCHED * 2),
        ("dev_matched", MATCHED),
        ("dev_mismatched", MISMATCHED),
    ):
        rows = ["index\tsentence1\tsentence2\tgold_label"]
        for number, label in enumerate(labels):
            one, two = pairs[number % len(pairs)]
            rows.append(f"{number}\t{one}\t{two}\t{NAMES[label]}")
        (folder / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    return folder.parent


def test_the_matched_split_comes_first():
    names = ["train", "dev_mismatched", "test", "dev_matched", "dev"]
    assert dev_splits(names) == ["dev_matched", "dev", "dev_mismatched"]
    assert dev_splits({"train": 1}) == []


@pytest.mark.usefixtures("eager", "untimed")
@pytest.mark.parametrize(
    "names",
    [
        # GLUE's own scripts, and those of Hugging Face, in another order.
        ("contradiction", "entailment", "neutral"),
        ("CONTRADICTION", "NEUTRAL", "ENTAILMENT"),
    ],
)
def test_a_teacher_of_other_scripts_is_refused(names):
    task = tasks.get_task("mnli")
    with pytest.raises(ValueError, match="in another order"):
        task.check_teacher(teachers.LoadedTeacher(None, False, names))
    in_order = tuple(map(str.upper, NAMES))
    task.check_teacher(teachers.LoadedTeacher(None, False, in_order))


def test_tinybert_reports_both_and_chooses_by_the_matched_one(
    mnli_dir, make_classifier, tmp_path
):
    export.to_preset(
        make_classifier(num_layers=1, num_classes=3),
        tmp_path / "teacher",
        NAMES,
    )
    arguments = [
        *("--task", "mnli", "--glue-dir", str(mnli_dir)),
        *("--teacher", str(tmp_path / "teacher"), "--student", "1x8x2"),
        *("--allow-untrained-teacher", "--metric", "macro_f1"),
        *("--intermediate-epochs", "0", "--prediction-epochs", "1"),
        *("--baseline-epochs", "0", "--sequence-length", "16"),
        *("--run-dir", str(tmp_path / "run"), "--quiet"),
    ]
    assert main(arguments) == 0
    report = json.loads((tmp_path / "run/report.json").read_text())
    _, splits = tasks.load("mnli", mnli_dir)
    folder = str(tmp_path / "run/student")
    student = teachers.load_teacher(folder, 3, 16).classifier
    both = [splits[name].texts for name in ("dev_matched", "dev_mismatched")]
    texts = tuple(one + two for one, two in zip(*both, strict=True))
    found = np.split(student.predict(texts, verbose=0).argmax(-1), 2)
    predicted = dict(zip(("dev_matched", "dev_mismatched"), found, strict=True))
    expected = {
        "accuracy": np.mean(predicted["dev_matched"] == MATCHED),
        "accuracy_dev_mismatched": np.mean(
            predicted["dev_mismatched"] == MISMATCHED
        ),
    }
    metrics = report["comparison"]["rows"][-1]["metrics"]
    assert list(metrics) == [
        "macro_f1",
        "accuracy",
        "macro_f1_dev_mismatched",
        "accuracy_dev_mismatched",
    ]
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value)
    assert report["comparison"]["selection_metric"] == "macro_f1"
    assert report["comparison"]["num_examples"] == 6
    # What the epochs were chosen by knows nothing of the other split.
    history = report["histories"]["prediction"]
    # What the step started from is a candidate as well.
    assert metrics["macro_f1"] >= max(history["val_macro_f1"]) - 1e-6
    assert not any("mismatched" in name for name in history)
    text = (tmp_path / "run/report.md").read_text()
    assert "accuracy on dev_mismatched, %" in text
    assert "Nothing was chosen on the dev_mismatched split" in text


@pytest.fixture
def data(mnli_dir, tmp_path, make_classifier):
    config = Config(source="mnli", glue_dir=str(mnli_dir), sequence_length=16)
    folder = stages.RunFolder(tmp_path / "run", quiet=True)
    model = make_classifier(num_layers=1, num_classes=3)
    with folder:
        run = experiment.Experiment(config, folder)
        yield (
            run.tokenize(run.read("mnli"), model.preprocessor.tokenizer),
            model,
        )


def test_xtremedistil_measures_both_and_chooses_by_the_matched_one(data):
    data, model = data
    assert data.dev_name == "dev_matched"
    assert list(data.further) == ["dev_mismatched"]
    chosen = data.measure(model)
    assert list(chosen) == ["accuracy"]
    scores = data.score(model)
    logits = tasks.predict_logits(model, data.dev)
    predicted = logits.argmax(-1)
    assert scores == {
        "accuracy": chosen["accuracy"],
        "accuracy_dev_mismatched": np.mean(predicted == MISMATCHED),
    }
    result = {
        "target": "mnli",
        "metric": "accuracy",
        "further": ["dev_mismatched"],
        "models": {
            "student": {"accuracy": 0.8, "accuracy_dev_mismatched": 0.7}
        },
    }
    assert targets.table([result]).splitlines() == [
        "| dev split, × 100 | mnli, accuracy | mnli, accuracy on "
        "dev_mismatched |",
        "| --- | ---: | ---: |",
        "| student | 80.0 | 70.0 |",
    ]
