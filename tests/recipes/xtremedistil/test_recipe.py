"""The recipe from the command line, on tiny models and made-up tasks."""

import itertools
import json

import keras_hub
import numpy as np
import pytest

from keras_distill import tasks
from keras_distill import teachers
from recipes.xtremedistil import recipe
from recipes.xtremedistil import targets
from recipes.xtremedistil.__main__ import build_parser
from recipes.xtremedistil.__main__ import main
from recipes.xtremedistil.config import Config
from tests.recipes.commands import changed


def times(folder):
    """When each file of the stages of a run was written."""
    return {
        path: path.stat().st_mtime_ns
        for path in sorted(folder.rglob("stages/**/*"))
        if path.is_file()
    }


def test_end_to_end_and_another_target(
    arguments, data_dir, stage_names, tmp_path, capsys, all_eager, untimed
):
    transfer = tmp_path / "texts.txt"
    transfer.write_text("a sad film\nthe story is funny\n\na great plot\n" * 9)
    arguments = [*arguments, "--transfer", str(transfer)]
    arguments += ["--target-epochs", "1", "--targets"]
    with pytest.MonkeyPatch.context() as patch:
        # The page of the second start has all that there is.
        patch.setattr(recipe.Experiment, "report", lambda *_: None)
        assert main([*arguments, "rte"]) == 0
    shown = capsys.readouterr().out
    assert "27 unlabelled texts" in shown
    # Top-aligned, the embeddings with the layer below.
    assert "student embeddings <- teacher layer 1" in shown
    assert "student layer 1 <- teacher layer 2" in shown
    run = tmp_path / "run"
    before = times(run)
    first = json.loads((run / "targets.json").read_text())

    # Another target joins a finished run, and nothing is trained twice.
    assert main([*arguments, "rte,mrpc"]) == 0
    assert "'rte.fine-tuning' is done" in capsys.readouterr().out
    after = times(run)
    assert {path: after[path] for path in before} == before
    of_targets = [
        f"{target}.{kind}"
        for target in ("rte", "mrpc")
        for kind in ("without-distillation", "fine-tuning")
    ]
    # Each stage changed the student, unless none of its epochs was better
    # than what it began with.
    folders = [run / "stages" / name for name in stage_names]
    for before_it, folder in itertools.pairwise(folders):
        best = json.loads((folder / "result.json").read_text())["best"]
        left, found = (
            (x / "student.safetensors").read_bytes()
            for x in (folder, before_it)
        )
        assert (left == found) == (best["epoch"] == 0), folder.name
    # A teacher with a trained head needs no stage of its own.
    done = {path.name for path in (run / "stages").iterdir()}
    assert done == {*stage_names, *of_targets}

    report = json.loads((run / "report.json").read_text())
    assert list(report["histories"]) == [*stage_names, *of_targets]
    assert [row["name"] for row in report["comparison"]["rows"]] == [
        "teacher",
        "student",
    ]
    found = json.loads((run / "targets.json").read_text())
    assert [result["target"] for result in found] == ["rte", "mrpc"]
    assert found[:1] == first
    for result in found:
        assert list(result["models"]) == [targets.BASELINE, targets.TRANSFERRED]
    assert found[1]["dev"] == "held-out part of the train"
    assert found[1]["examples"] == 2
    table = (run / "targets.md").read_text()
    assert "| dev split, × 100 | rte, accuracy | mrpc, accuracy |" in table
    assert (run / "report.html").is_file()
    listed = (run / "stages.md").read_text().splitlines()[2:]
    assert [line.split(" | ")[0] for line in listed] == [
        f"| {name}" for name in [*stage_names, *of_targets]
    ]

    # What it says of the test splits is that nobody read them.
    with pytest.raises(ValueError, match="test.tsv"):
        tasks.load("rte", data_dir)[1]["test"]

    # The encoder that was saved is the one that was measured.
    loaded = teachers.load_teacher(str(run / "student"), 5, 16)
    assert not loaded.has_head
    assert loaded.classifier.num_classes == 5
    assert loaded.classifier.backbone.num_layers == 1

    # Another setting does not fit into the folder.
    assert main([*arguments, "rte", "--seed", "2"]) == 2
    assert "seed: 1 there, 2 now" in capsys.readouterr().err


def test_rows_of_ones_own(reviews, made_teacher, tmp_path, all_eager, untimed):
    table = tmp_path / "mails.csv"
    verdicts = ["positive"] * 4 + ["negative"] * 4
    rows = [",".join(row) for row in zip(reviews, verdicts, strict=True)]
    table.write_text("\n".join(["review,verdict", *rows * 4]) + "\n")
    arguments = [
        *("--data", str(table), "--text-column", "review"),
        *("--label-column", "verdict", "--teacher", str(made_teacher)),
        *("--representation-epochs", "0", "--logits-epochs", "0"),
        *("--labels-epochs", "1", "--unfreezing", "none"),
        *("--student", "1x8x2", "--sequence-length", "16"),
        *("--run-dir", str(tmp_path / "run")),
    ]
    assert main(arguments) == 0
    found = json.loads((tmp_path / "run/result.json").read_text())
    assert found["source"] == str(table)
    assert found["teacher"]["accuracy"] == 1
    assert 0 <= found["student"]["accuracy"] <= 1
    report = json.loads((tmp_path / "run/report.json").read_text())
    assert list(report["histories"]) == ["labels-all"]
    loaded = teachers.load_teacher(str(tmp_path / "run/student"), 2, 16)
    assert loaded.classifier.backbone.num_layers == 1


@pytest.mark.slow
def test_a_run_stopped_between_stages_ends_as_if_it_had_not(
    arguments, tmp_path, monkeypatch, all_eager
):
    # Weights are compared, not reports.
    monkeypatch.setattr(recipe.Experiment, "report", lambda *_: None)
    change = ["--logits-epochs", "0", "--unfreezing", "none", "--quiet"]
    arguments = changed(arguments, *change)
    whole = changed(arguments, "--run-dir", str(tmp_path / "whole"))
    assert main(whole) == 0

    list_stages = recipe.distillation_stages

    def stop_at_second(*args):
        listed = list_stages(*args)

        def stop():
            raise KeyboardInterrupt

        # It is described before the first one runs, and built when it is due.
        listed[1].build = stop
        return listed

    with monkeypatch.context() as patch:
        patch.setattr(recipe, "distillation_stages", stop_at_second)
        assert main(arguments) == 130
    done = sorted(path.name for path in (tmp_path / "run/stages").iterdir())
    assert done == ["representation"]
    before = times(tmp_path / "run")
    assert main(arguments) == 0
    after = times(tmp_path / "run")
    assert {path: after[path] for path in before} == before
    for one, two in zip(
        weights_of(tmp_path / "run"),
        weights_of(tmp_path / "whole"),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def weights_of(run):
    backbone = keras_hub.models.Backbone.from_preset(str(run / "student"))
    return backbone.get_weights()


def test_help_explains_every_option():
    text = " ".join(build_parser().format_help().split())
    for option in Config.__dataclass_fields__:
        assert "--" + option.replace("_", "-") in text
    assert "(default: 0.002; paper: 3e-5)" in text
