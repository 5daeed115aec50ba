"""`--task glue` on miniatures: two tasks, a tiny teacher each."""

import functools
import json
import types
import zipfile

import keras
import numpy as np
import pytest

from keras_distill import export
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.evaluation import measures
from keras_distill.evaluation import plots
from recipes.common import glue
from recipes.common.experiment import Experiment
from recipes.tinybert import recipe
from recipes.tinybert.__main__ import main
from recipes.tinybert.config import Config
from tests.recipes.commands import changed
from tests.untimed import untimed_models

TEXTS = ["a great film", "the plot was sad", "a dull story", "very funny"]


def write(folder, name, header, rows):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(map(str, row)) for row in (header, *rows) if row]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def glue_dir(tmp_path_factory):
    """CoLA, MNLI and the diagnostic set in the official layout."""
    folder = tmp_path_factory.mktemp("miniature") / "glue"
    rows = [["x", i % 2, "", text] for i, text in enumerate(TEXTS)]
    for split in ("train", "dev"):
        write(folder, f"CoLA/{split}.tsv", [], rows)
    names = tasks.get_task("mnli").label_names
    header = "index sentence1 sentence2 gold_label".split()
    shifts = {"train": 0, "dev_matched": 0, "dev_mismatched": 1}
    for split, shift in shifts.items():
        rows = [
            [i, text, TEXTS[0], names[(i + shift) % 3]]
            for i, text in enumerate(TEXTS)
        ]
        write(folder, f"MNLI/{split}.tsv", header, rows)
    # The rows of the server's files have other indices than places, and a
    # text may be empty.
    rows = [[9 - i, text, TEXTS[1]] for i, text in enumerate(TEXTS)]
    rows[0][2] = ""
    for split in ("MNLI/test_matched", "diagnostic/diagnostic"):
        write(folder, f"{split}.tsv", header[:3], rows)
    # A task that cannot be run.
    write(folder, "RTE/dev.tsv", header, [[0, "a", "b", "entailment"]])
    return folder


@pytest.fixture(scope="module")
def cheap():
    """Neither graphs of the few steps, nor SavedModels, times and plots."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "to_saved_model", lambda *_, **__: None)
        patch.setattr(measures, "timed_models", untimed_models)
        patch.setattr(plots, "_svg", lambda *_, **__: "<svg></svg>")
        patch.setattr(
            keras.Model,
            "compile",
            functools.partialmethod(keras.Model.compile, run_eagerly=True),
        )
        yield


@pytest.fixture(scope="module")
def run_dir(glue_dir, make_classifier, tmp_path_factory, cheap):
    """A run over all, and its command line."""
    folder = tmp_path_factory.mktemp("glue")
    for name in ("cola", "mnli"):
        task = tasks.get_task(name)
        export.to_preset(
            make_classifier(
                num_layers=1, hidden_dim=8, num_classes=task.num_outputs
            ),
            folder / "teachers" / name,
            task.label_names,
        )
    arguments = [
        *("--task", "glue", "--glue-dir", str(glue_dir)),
        *("--teacher", str(folder / "teachers/{task}")),
        *("--allow-untrained-teacher", "--student", "1x8x2"),
        *("--intermediate-epochs", "0", "--prediction-epochs", "1"),
        *("--baseline-epochs", "0"),
        *("--batch-size", "4", "--sequence-length", "12"),
        *("--run-dir", str(folder / "run")),
    ]
    assert main([*arguments, "--predict-test"]) == 0
    return folder / "run", arguments


def test_the_table_and_a_folder_per_task(run_dir):
    path, _ = run_dir
    found = json.loads((path / "glue.json").read_text())
    assert found["averaged"] == ["MNLI-m", "MNLI-mm", "CoLA"]
    assert [row["name"] for row in found["rows"]] == ["teacher", "student"]
    for place, row in enumerate(found["rows"]):
        expected = {}
        for task, metric, title in (
            ("mnli", "accuracy", "MNLI-m"),
            ("mnli", "accuracy_dev_mismatched", "MNLI-mm"),
            ("cola", "matthews", "CoLA"),
        ):
            report = json.loads((path / task / "report.json").read_text())
            metrics = report["comparison"]["rows"][place]["metrics"]
            expected[title] = metrics[metric]
        assert row["scores"] == expected
        assert row["average"] == pytest.approx(np.mean(list(expected.values())))
    table = (path / "glue.md").read_text()
    assert "average of 3 of 9" in table
    assert table in (path / "report.md").read_text()
    # What is missing is said before the first task is run.
    log = (path / "log.txt").read_text()
    start = log[: log.index("GLUE: cola, 2 of 2 tasks left")]
    for text in (
        "rte is not there and left out. No rows to train on",
        "qqp is not there and left out. `data_dir` must hold the folder QQP",
        "Without predictions in MNLI-mm.tsv: There is no split",
        "Without predictions in CoLA.tsv: There is no split 'test' of cola",
        "AX.tsv will have 4 rows, where GLUE's server expects 1,104",
    ):
        assert text in start


def test_what_the_server_takes(run_dir):
    path, _ = run_dir
    with zipfile.ZipFile(path / "submission.zip") as archive:
        found = {
            name: archive.read(name).decode().splitlines()
            for name in archive.namelist()
        }
    assert list(found) == ["MNLI-m.tsv", "AX.tsv"]
    student = teachers.load_teacher(str(path / "mnli/student"), 3, 12)
    predicted = student.classifier.predict(
        (TEXTS, ["", *[TEXTS[1]] * 3]), verbose=0
    )
    names = tasks.get_task("mnli").label_names
    expected = ["index\tprediction"] + [
        f"{9 - i}\t{names[label]}"
        for i, label in enumerate(predicted.argmax(-1))
    ]
    assert found["AX.tsv"] == found["MNLI-m.tsv"] == expected


def test_done_tasks_are_taken_and_others_go_on(run_dir, monkeypatch, capsys):
    path, arguments = run_dir
    before = (path / "glue.md").read_text()
    begun = []
    begin = Experiment.begin.__func__

    def seen(cls, config, *rest, **options):
        begun.append(config.task)
        return begin(cls, config, *rest, **options)

    def broken(*_, **__):
        raise ValueError("the disk is gone")

    monkeypatch.setattr(Experiment, "begin", classmethod(seen))
    (path / "cola/report.json").rename(path / "cola/kept.json")
    with monkeypatch.context() as patch:
        patch.setattr(Experiment, "read", broken)
        assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "failed; the others are done: cola: the disk is gone" in captured.err
    assert "average of 2 of 9" in captured.out
    (path / "cola/kept.json").rename(path / "cola/report.json")
    assert main(arguments) == 0
    assert begun == ["cola"]
    assert (path / "glue.md").read_text() == before
    capsys.readouterr()
    assert main(changed(arguments, "--seed", "2")) == 2
    assert "seed: 1 there, 2 now" in capsys.readouterr().err


def test_what_would_fail_is_named_at_the_start(glue_dir, tmp_path, capsys):
    arguments = [
        *("--task", "glue", "--glue-dir", str(glue_dir)),
        *("--teacher", str(tmp_path / "{task}")),
        *("--augmented", str(tmp_path / "{folder}.tsv")),
        *("--run-dir", str(tmp_path / "run")),
    ]
    assert main(arguments) == 2
    shown, message = capsys.readouterr()
    own = f"cola learns from its own rows, without {tmp_path / 'CoLA.tsv'}"
    assert own in shown
    assert "Of --task glue these tasks would fail: cola: " in message
    for name in ("cola", "mnli"):
        assert f"no folder '{tmp_path / name}'" in message


def test_texts_that_hold_the_tasks_name():
    config = Config(task="glue", teacher="fine/{folder}/{task}", temperature=2)
    one = glue.config_of(config, "stsb")
    assert (one.task, one.teacher, one.temperature) == (
        *("stsb", "fine/STS-B/stsb"),
        1.0,
    )
    assert not one.allow_untrained_teacher
    # No teacher learns it.
    assert glue.config_of(config, "wnli").allow_untrained_teacher


def test_a_profile_has_the_numbers_of_each_task():
    config = Config(task="glue", profile="script", batch_size=8)
    stsb, cola, qqp = (
        glue.config_of(config, name) for name in ("stsb", "cola", "qqp")
    )
    assert (stsb.prediction_target, cola.prediction_target) == (
        *("labels", "teacher"),
    )
    assert (cola.sequence_length, cola.intermediate_epochs) == (64, 50)
    assert (qqp.sequence_length, qqp.intermediate_epochs) == (128, 5)
    assert {one.batch_size for one in (stsb, cola, qqp)} == {8}


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(task="glue", metric="accuracy"), "--metric has no effect with"),
        (dict(predict_test=True), "is for tasks of GLUE"),
        (dict(data="my.csv", predict_test=True), "is for tasks of GLUE"),
        (dict(task="sst2+rte", predict_test=True), "same label names"),
    ],
)
def test_what_does_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        Config(**options)


class Steps:
    """An experiment that says what a stage would be."""

    def __init__(self, config):
        self.config = config

    def stage(self, *_, **options):
        return options

    def chosen_by_metric(self, _):
        return {}


@pytest.mark.parametrize("target", ["teacher", "labels"])
def test_sts_b_follows_the_teachers_scores_or_the_labels(target):
    data = types.SimpleNamespace(task=tasks.get_task("stsb"))
    config = Config(task="stsb", prediction_target=target)
    found = recipe.prediction_step(
        Steps(config), student=None, teacher=None, train=[], data=data
    )
    assert found["distillation_losses"].loss == "mse"
    if target == "teacher":
        assert found["student_loss_weight"] == 0
        assert found["loss"] is None
    else:
        # As the released script does.
        assert found["student_loss_weight"] == 1
        assert found["loss"]([[1.0], [3.0]], [[2.0], [0.0]]) == 5.0
