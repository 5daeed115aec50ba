"""MobileBERT's recipe from the command line, and what it leaves."""

import json
import re

import keras_hub
import numpy as np
import pytest

from keras_distill import models
from recipes.mobilebert import fine_tuning
from recipes.mobilebert.__main__ import main


def test_what_a_run_leaves(run_dir, found):
    assert list(found["models"]) == ["teacher", "student"]
    assert list(found["stages"]) == ["teacher", "transfer", "distil"]
    assert {"attention_loss", "feature_map_loss"} <= set(
        found["stages"]["transfer"]["history"]
    )
    for one in found["models"].values():
        assert 0 <= one["masked_lm_accuracy"] <= 1
        assert 0 <= one["next_sentence_accuracy"] <= 1
        assert one["flops"] > 0
    table = (run_dir / "pretraining.md").read_text()
    assert "| student |" in table and "GFLOPs of 12 tokens" in table
    log = (run_dir / "log.txt").read_text()
    assert "rows of 2 documents are held out" in log
    # The student begins with what the teacher was when it was trained.
    teacher, student = (
        models.PretrainingModel.from_preset(run_dir / "pretrained" / name)
        for name in ("teacher", "student")
    )
    assert found["models"]["student"]["parameters"] == student.count_params()
    assert teacher.backbone.intra_dim == 8 and student.backbone.intra_dim == 4
    encoder = keras_hub.models.Backbone.from_preset(
        str(run_dir / "encoders/student")
    )
    for ours, theirs in zip(
        student.backbone.weights, encoder.weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_the_best_rate_is_kept(run_dir, folder, tmp_path, monkeypatch):
    finished = []

    def finish(experiment, title, made, examples, of_student, notes):
        finished.append((made, of_student, notes))
        return experiment.results

    # What comes then has tests of its own.
    monkeypatch.setattr(fine_tuning.Experiment, "finish", finish)
    config = fine_tuning.Config(
        pretrained=str(run_dir),
        task="sst2",
        glue_dir=str(folder / "glue"),
        student_only=True,
        epochs=1,
        # The first moves nothing, so that its start is what is kept.
        rates="1e-30,3e-2",
    )
    results = fine_tuning.run(config, tmp_path / "run", quiet=True)
    ((made, (stage,), (note,)),) = finished
    assert list(made) == ["student"]
    assert list(results) == ["student-1e-30", "student-0.03"]
    scores = {name: done.best["accuracy"] for name, done in results.items()}
    assert scores[stage] == max(scores.values())
    assert f"stage '{stage}', the best of 2" in note


@pytest.mark.slow
def test_what_was_pre_trained_is_fine_tuned(run_dir, folder, arguments):
    """A task may come later: the run is taken as it is."""
    weights = run_dir / "pretrained/student/model.weights.h5"
    before = weights.stat().st_mtime
    words = dict(glue_dir=folder / "glue", tuning_epochs=1)
    words["tuning_rates"] = "1e-3,1e-2"
    assert main([*arguments(run_dir, tasks="sst2", **words), "--quiet"]) == 0
    assert weights.stat().st_mtime == before
    report = json.loads((run_dir / "sst2/report.json").read_text())
    names = [row["name"] for row in report["comparison"]["rows"]]
    assert names == ["teacher", "student"]
    assert set(report["timings"]) == {
        f"{name}-{rate}"
        for name in ("teacher", "student")
        for rate in ("0.001", "0.01")
    }
    kept = [note for note in report["notes"] if "learning rates" in note]
    assert len(kept) == 2 and "the best of 2" in kept[0]
    assert (run_dir / "sst2/serving/1/saved_model.pb").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["joint", "auxiliary"])
def test_other_ways_train_from_the_same_switch(arguments, folder, way, run_dir):
    # The teacher of another run is taken as it is.
    words = arguments(
        folder / way,
        transfer=way,
        teacher=run_dir / "pretrained/teacher",
        **dict.fromkeys(["tokenizer", "teacher_size", "teacher_steps"]),
    )
    assert main(words) == 0
    found = json.loads((folder / way / "pretraining.json").read_text())
    names = {"joint": ["transfer", "distil"], "auxiliary": ["distil"]}[way]
    assert list(found["stages"]) == names
    history = found["stages"][names[-1]]["history"]
    assert "pretraining_loss" in history
    assert ("attention_loss" in history) == (way == "auxiliary")


@pytest.mark.slow
def test_an_ordinary_teacher_trains_a_student(arguments, folder):
    words = arguments(
        folder / "ordinary",
        teacher=folder / "encoder",
        **dict.fromkeys(["tokenizer", "teacher_size", "teacher_steps"]),
    )
    assert main(words) == 0
    found = json.loads((folder / "ordinary/pretraining.json").read_text())
    assert "masked_lm_accuracy" in found["models"]["student"]
    # It has no heads of its pre-training.
    assert "masked_lm_accuracy" not in found["models"]["teacher"]
    assert list(found["stages"]) == ["transfer", "distil"]


def test_the_encoders_of_a_run(run_dir, tmp_path):
    config = fine_tuning.Config(pretrained=str(run_dir))
    assert list(fine_tuning.encoders(config)) == ["teacher", "student"]
    config = fine_tuning.Config(pretrained=str(run_dir), student_only=True)
    assert list(fine_tuning.encoders(config)) == ["student"]
    # Any other folder is an encoder itself.
    config = fine_tuning.Config(pretrained=str(tmp_path))
    assert fine_tuning.encoders(config) == {"student": str(tmp_path)}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"student": "2x12"}, "`student` must be one of mobilebert, mobile"),
        ({"student": "2x12x3x4x8"}, "a width inside its blocks that its heads"),
        ({"student": "2x16x2x4x8"}, "another shape in the teacher|16.*12"),
        ({"transfer_steps": 3}, "each needs 2 or more. Received: 3 for 2"),
        ({"layer_map": "1"}, "--layer-map|layer of the teacher for each"),
        ({"layer_map": "1,3"}, "teacher layer 3, but the teacher has 2"),
        (
            {"transfer": "none", "distil_steps": 0, "transfer_steps": None},
            "--transfer none trains nothing of the student without",
        ),
        ({"tuning_epochs": 2}, "--tuning-epochs has no effect"),
        ({"corpus": "no/such"}, "no file or folder 'no/such'"),
        ({"tasks": "sst3"}, "sst3"),
        (
            {"teacher": "minilm", "teacher_steps": 5},
            "--tokenizer has no effect with --teacher",
        ),
    ],
)
def test_what_does_not_go(arguments, tmp_path, capsys, changes, message):
    assert main(arguments(tmp_path / "run", **changes)) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert re.search(message, shown), shown
    assert not (tmp_path / "run/stages").exists()


@pytest.mark.parametrize(
    "rates", ["", "1e-4,", "0", "-1e-4", "1e-4,1e-4", "much"]
)
def test_rates_are_numbers(rates):
    with pytest.raises(ValueError, match="--rates must be"):
        fine_tuning.Config(rates=rates)
