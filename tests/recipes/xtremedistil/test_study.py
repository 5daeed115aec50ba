"""The study of sources and targets, on tiny models and made-up tasks."""

import json

import pytest

from keras_distill import export
from recipes.xtremedistil import study
from recipes.xtremedistil.config import Config
from tests.recipes.commands import changed


def result(target, score):
    return {
        "target": target,
        "metric": "accuracy",
        "models": {"any": {"accuracy": score, "f1": 0.0}},
    }


@pytest.mark.parametrize(
    "rows, names",
    [
        ([("mnli", "own", "a"), ("sst2", "own", "a")], ["mnli", "sst2"]),
        ([("mnli", "own", "a"), ("mnli", "wiki", "a")], ["own", "wiki"]),
        (
            [("mnli", "own", "a"), ("sst2", "own", "b")],
            ["mnli, a", "sst2, b"],
        ),
        ([("mnli", "own", "a")], ["mnli"]),
    ],
)
def test_rows_are_named_by_what_differs(rows, names):
    rows = [study.Row(*row) for row in rows]
    assert [study.row_name(row, rows) for row in rows] == names


@pytest.mark.parametrize(
    "options, message",
    [
        (["--strategy", "multiworker"], "A study is for one machine"),
        (["--targets", "sst2,mrqc"], "mrqc"),
        (["--targets", "wikiann:en,de;"], "tags of words where"),
        (["--target-epochs", "0"], "--target-epochs must be an int of 1"),
        (["--student", "1x64x2"], "at most as wide as the teacher"),
        (["--transfers", "own,no/such/file"], "no/such/file"),
        (["--retrieve", "5"], "--retrieve has no effect without --tra"),
        (["--students", "1x8x2,2x8x2"], "--student has no effect with"),
        (["--data-dir", "any"], "--data-dir has no effect"),
        (["--transfers", "own,,wiki"], "--transfers has no name between"),
        (["--sources", "sst2,qqp"], "must hold the folder QQP"),
    ],
)
def test_bad_input_costs_no_teacher(
    arguments, tmp_path, capsys, options, message
):
    command = changed(arguments, "--targets", "sst2", *options)
    assert study.main(command) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def test_no_targets(tmp_path, capsys):
    assert study.main(["--sources", "sst2", "--targets", ""]) == 2
    assert "needs sources and targets" in capsys.readouterr().err


@pytest.fixture
def calls(monkeypatch):
    """What a study asks for, where nothing is trained."""
    calls = []

    def train_teacher(config, run_dir, quiet):
        calls.append(("teacher", config.source))
        # By which a study knows its own folder.
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / "lock").touch()
        return run_dir / "teacher"

    def distil(config, run_dir, quiet, cache_dir, logits_dir):
        calls.append(("distil", config.source, config.transfer, config.student))
        assert config.teacher.endswith(f"teachers/{config.source}/teacher")
        assert cache_dir.name == "shared"
        assert logits_dir.parent == cache_dir
        assert logits_dir.name.startswith(f"{config.source}__")
        run_dir.mkdir(parents=True)
        (run_dir / "result.json").write_text("{}")

    def transfer(trainer, target, make_student, kinds):
        config = trainer.config
        calls.append((config.source, config.transfer, config.student, target))
        return result(target, 0.5)

    # There are no data.
    monkeypatch.setattr(study.Checks, "check", lambda *_: None)
    monkeypatch.setattr(study.recipe, "train_teacher", train_teacher)
    monkeypatch.setattr(study.recipe, "run", distil)
    monkeypatch.setattr(study.targets, "transfer", transfer)
    return calls


def test_rows_are_sources_texts_and_sizes_and_done_ones_are_taken(
    calls, tmp_path
):
    def run(*target_names):
        calls.clear()
        return study.run(
            Config(transfer="wiki", retrieve=5),
            tmp_path,
            ["mnli", "sst2"],
            target_names,
            ["own", "wiki"],
            ["2x8x2", "1x8x2"],
            quiet=True,
        )

    found = run("rte")
    assert len(found["rows"]) == 2 * 2 * 2 + 2
    names = [row["name"] for row in found["rows"] if row["is_start"]]
    assert names == ["no distillation, 2x8x2", "no distillation, 1x8x2"]
    assert ("distil", "sst2", "wiki", "1x8x2") in calls
    assert ("distil", "sst2", None, "1x8x2") in calls
    assert len({call for call in calls if call[0] == "distil"}) == 8
    assert sum(call[-1] == "rte" for call in calls) == 10

    # What is done is asked for no more.
    run("rte")
    assert {call[0] for call in calls} == {"teacher"}
    again = run("rte", "mrpc")
    assert {call[-1] for call in calls if call[0] != "teacher"} == {"mrpc"}
    assert again["targets"] == ["rte", "mrpc"]


def test_done_cells_of_other_settings_are_refused(calls, tmp_path):
    study.run(Config(), tmp_path, ["mnli"], ["rte"], quiet=True)
    with pytest.raises(ValueError, match="seed: 1 there, 2 now"):
        study.run(Config(seed=2), tmp_path, ["mnli"], ["rte"], quiet=True)


@pytest.fixture
def arguments(glue_dir, make_classifier, tmp_path):
    """Two sources of the same reviews, and a teacher without a head."""
    export.to_encoder_preset(
        make_classifier(num_layers=2), tmp_path / "teacher"
    )
    qnli = glue_dir / "QNLI"
    qnli.mkdir()
    lines = ["index\tquestion\tsentence\tlabel"]
    for number in range(8):
        label = ("entailment", "not_entailment")[number % 2]
        lines.append(f"{number}\tthe film\ta good film\t{label}")
    for split in ("train", "dev"):
        (qnli / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    return [
        *("--sources", "sst2,qnli", "--glue-dir", str(glue_dir)),
        *("--run-dir", str(tmp_path / "study"), "--quiet"),
        *("--teacher", str(tmp_path / "teacher"), "--student", "1x8x2"),
        *("--representation-epochs", "0", "--logits-epochs", "1"),
        *("--labels-epochs", "0", "--unfreezing", "none"),
        *("--teacher-epochs", "1", "--target-epochs", "1"),
        *("--sequence-length", "16", "--allow-untrained-teacher"),
    ]


def times(folder):
    """When what was trained was written."""
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
        if path.name in ("result.json", "student.safetensors")
    }


@pytest.mark.slow
def test_sources_and_targets_and_another_target(arguments, tmp_path):
    assert study.main([*arguments, "--targets", "sst2"]) == 0
    folder = tmp_path / "study"
    found = json.loads((folder / "study.json").read_text())
    names = {row["name"] for row in found["rows"]}
    assert names == {"no distillation", "sst2", "qnli"}
    assert found["targets"] == ["sst2"]
    assert (folder / "study.png").is_file()
    assert "| 1. " in (folder / "study.md").read_text()
    # One teacher a source, one cache of its logits.
    assert {path.name for path in (folder / "teachers").iterdir()} == {
        "sst2",
        "qnli",
    }
    assert (folder / "shared/sst2__own/teacher_logits/dev").is_dir()
    assert list((folder / "shared/tokens").glob("*.safetensors"))

    # What is done is taken; another target adds to it.
    before = times(folder)
    assert study.main([*arguments, "--targets", "sst2,qnli"]) == 0
    after = times(folder)
    assert {path: after[path] for path in before} == before
    new = {path.parts[:3] for path in set(after) - set(before)}
    assert {(part[0], part[2]) for part in new} == {("cells", "qnli")}
    assert len(new) == 3
    again = json.loads((folder / "study.json").read_text())
    assert {row["name"]: row["scores"][0] for row in again["rows"]} == {
        row["name"]: row["scores"][0] for row in found["rows"]
    }
