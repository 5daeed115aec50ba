"""The study of sources and targets, on tiny models and made-up tasks."""

import json
import shutil
from pathlib import Path

import pytest

from keras_distill import export
from keras_distill import stages
from recipes.xtremedistil import study
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
    assert [row.name(rows) for row in rows] == names


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
        (["--transfers", "a/b.txt,a-b.txt"], "'a/b.txt' and 'a-b.txt'. Re"),
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
def contents():
    """What is opened before anything is trained; tests change it."""
    return {"mnli": "a", "sst2": "b", "rte": "c", "mrpc": "d", "teacher": "e"}


@pytest.fixture
def calls(monkeypatch, contents, tmp_path):
    """What a study asks for, where nothing is trained."""
    calls = []

    def check(self, config):
        names = (config.source, *config.target_names)
        self.task_inputs |= {name: {"train": contents[name]} for name in names}
        self.teacher_inputs[config.source] = {
            "teacher": {"weights": contents["teacher"]},
            "encoder": {"tokenizer": "f"},
        }

    def train_teacher(config, run_dir, quiet, inputs):
        calls.append(("teacher", config.source))
        stages.RunFolder(
            run_dir, config.source_settings(), quiet=quiet, inputs=inputs
        ).close()
        return run_dir / "teacher"

    def distil(config, run_dir, quiet, cache_dir, logits_dir, settings, inputs):
        calls.append(("distil", config.source, config.transfer, config.student))
        assert config.teacher.endswith(f"teachers/{config.source}/teacher")
        assert cache_dir.name == "shared"
        assert logits_dir.parent == cache_dir
        assert logits_dir.name.startswith(f"{config.source}__")
        stages.RunFolder(run_dir, settings, quiet=quiet, inputs=inputs).close()
        (run_dir / "result.json").write_text("{}")

    def transfer(experiment, target, make_student, kinds):
        config = experiment.config
        calls.append((config.source, config.transfer, config.student, target))
        return result(target, 0.5)

    # There are no data but these.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wiki").write_text("a good film\n")
    monkeypatch.setattr(study.Checks, "check", check)
    monkeypatch.setattr(study.recipe, "train_teacher", train_teacher)
    monkeypatch.setattr(study.recipe, "run", distil)
    monkeypatch.setattr(study.targets, "transfer", transfer)
    monkeypatch.setattr(study.ranking, "draw", lambda *_: None)
    return calls


def test_rows_are_sources_texts_and_sizes_and_done_ones_are_taken(
    calls, tmp_path
):
    def run(*target_names):
        calls.clear()
        settings = study.Settings(
            sources="mnli,sst2",
            targets=",".join(target_names),
            transfers="own,wiki",
            students="2x8x2,1x8x2",
            retrieve=5,
        )
        return study.run(settings, tmp_path / "study", quiet=True)

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


@pytest.fixture
def run_wiki(calls, tmp_path):
    """Runs a small study that distils on texts of a file."""

    def run(folder=tmp_path / "study", resume=True, **settings):
        calls.clear()
        settings = study.Settings(
            sources="mnli", targets="rte", transfers="wiki", **settings
        )
        return study.run(settings, folder, quiet=True, resume=resume)

    return run


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"seed": 2}, r"teachers.mnli' holds .*settings \(seed: 1 there, 2"),
        ({"max_transfer_texts": 9}, "rows.mnli.* settings .max_transfer_texts"),
        ({"target_epochs": 9}, "cells.* settings .target_epochs: 6 there, 9"),
    ],
)
def test_done_parts_of_other_settings_are_refused(run_wiki, settings, message):
    run_wiki()
    with pytest.raises(ValueError, match=message) as error:
        run_wiki(**settings)
    assert "--no-resume" in str(error.value)
    run_wiki()


@pytest.mark.parametrize(
    "name, message",
    [
        ("teacher", "teachers.mnli' .* other inputs .teacher.weights: 'e' th"),
        ("mnli", "teachers.mnli' .* other inputs .source.train: 'a' there"),
        ("rte", "cells.no-dist.*rte' .* other inputs .target.train: 'c' th"),
        (
            "wiki",
            "rows.mnli__wiki.* other inputs .texts.wiki is another one now",
        ),
    ],
)
def test_done_parts_of_other_contents_are_refused(
    run_wiki, contents, tmp_path, calls, name, message
):
    run_wiki()
    (tmp_path / "wiki").touch()
    run_wiki()
    assert calls == [("teacher", "mnli")]
    there = contents.get(name)
    contents[name] = "another"
    if name == "wiki":
        (tmp_path / "wiki").write_text("a dull film\n")
    with pytest.raises(ValueError, match=message) as error:
        run_wiki()
    assert "--no-resume" in str(error.value)
    # Others are anew; what was there is kept, and taken again.
    run_wiki(resume=False)
    assert len(calls) == 4
    run_wiki()
    assert len(calls) == 1
    contents[name] = there
    (tmp_path / "wiki").write_text("a good film\n")
    run_wiki(tmp_path / "study-earlier-1")
    assert len(calls) == 1


def test_cells_are_of_what_their_student_is_of(
    run_wiki, contents, tmp_path, calls
):
    """Even where a student was removed to be distilled anew."""
    run_wiki()
    for name in ("teachers", "rows"):
        shutil.rmtree(tmp_path / "study" / name)
    contents["teacher"] = "another"
    with pytest.raises(ValueError, match=r"cells.mnli.*rte.*teacher\.weights"):
        run_wiki()
    # The student without distillation has nothing of the teacher's weights.
    assert len(calls) == 2


def test_a_failed_start_refuses_nothing(run_wiki, monkeypatch, calls):
    distil = study.recipe.run
    with monkeypatch.context() as patch:
        patch.setattr(study.recipe, "run", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_wiki(max_transfer_texts=9)
    assert study.recipe.run is distil
    run_wiki(max_transfer_texts=8)
    assert len(calls) == 4


def test_a_study_may_be_moved_and_named_by_another_path(
    run_wiki, tmp_path, calls
):
    run_wiki("study")
    for folder in (tmp_path / "study", "~/study", "moved/study"):
        if folder == "moved/study":
            (tmp_path / "moved").mkdir()
            (tmp_path / "study").rename(tmp_path / folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(tmp_path))
            run_wiki(folder)
        assert calls == [("teacher", "mnli")]


@pytest.mark.parametrize("resume", [True, False])
def test_a_study_of_an_earlier_version(run_wiki, tmp_path, calls, resume):
    run_wiki()
    folder = tmp_path / "study"
    for name in ("lock", "run.json", "config.json", "log.txt"):
        (folder / name).unlink()
    for path in [*folder.rglob("inputs.json"), *folder.rglob("hashes.json")]:
        path.unlink()
    run_wiki(resume=resume)
    assert len(calls) == (1 if resume else 4)
    assert (tmp_path / "study-earlier-1").is_dir() == (not resume)
    told = "did not note its inputs: they are taken to be the same"
    logs = [path.read_text() for path in folder.glob("cells/*/*/log.txt")]
    assert [told in log for log in logs] == [resume] * 2


@pytest.mark.parametrize("name", ["study.json", "rows"])
def test_what_is_no_study_is_left_alone(run_wiki, tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("mine")
    for resume in (True, False):
        with pytest.raises(ValueError, match=f"holds {name}, but no study"):
            run_wiki(tmp_path / "mine", resume)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [name]


@pytest.fixture
def arguments(glue_dir, made_untrained, tmp_path):
    """Two sources of the same reviews, and a teacher without a head."""
    shutil.copytree(made_untrained / "encoder", tmp_path / "teacher")
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
        # A step is an epoch.
        *("--batch-size", "32", "--teacher-batch-size", "32"),
    ]


def times(folder):
    """When what was trained was written."""
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
        if path.name in ("result.json", "student.safetensors")
    }


@pytest.mark.slow
def test_sources_and_targets_and_another_target(
    arguments, tmp_path, capsys, make_classifier, all_eager, monkeypatch
):
    # The pages on the sources are not what this is about.
    monkeypatch.setattr(study.Experiment, "report", lambda *_: None)
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

    # What is of others is not.
    path = Path(arguments[arguments.index("--glue-dir") + 1], "QNLI/dev.tsv")
    labels = path.read_text()
    path.write_text(labels.replace("not_entailment", "entailment", 1))
    assert study.main([*arguments, "--targets", "sst2"]) == 2
    assert "(source.dev.labels is another one now)" in capsys.readouterr().err
    path.write_text(labels)
    export.to_encoder_preset(
        make_classifier(num_layers=2, dropout=0.1), tmp_path / "teacher"
    )
    assert study.main([*arguments, "--targets", "sst2"]) == 2
    assert "teacher.architecture.dropout: " in capsys.readouterr().err
    assert times(folder) == after
