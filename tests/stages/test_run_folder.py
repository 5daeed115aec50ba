"""What a run's folder tells, refuses and survives."""

import json
import re

import keras
import numpy as np
import pytest

from keras_distill.stages import Interrupted
from keras_distill.stages import RunFolder
from keras_distill.stages import StageResult
from keras_distill.stages.run_folder import StageFolder


def read(path):
    return json.loads(path.read_text())


def test_another_configuration_is_refused_with_the_differences(tmp_path):
    RunFolder(
        tmp_path, {"seed": 1, "task": "rte", "student": {"layers": 2}}
    ).close()
    with pytest.raises(ValueError, match="seed: 1 there, 2 now") as error:
        RunFolder(tmp_path, {"seed": 2, "task": "rte", "student": {}})
    assert "student.layers: 2 there, None now" in str(error.value)
    assert "task" not in str(error.value)
    # A refusal changes nothing, and holds nothing.
    RunFolder(
        tmp_path, {"seed": 1, "task": "rte", "student": {"layers": 2}}
    ).close()


def test_other_inputs_are_refused_with_the_differences(tmp_path):
    one = {"texts": {"a.txt": 64 * "1"}, "names": ("x", "y")}
    RunFolder(tmp_path, {"seed": 1}, inputs=one).close()
    other = {**one, "texts": {"a.txt": 64 * "2"}}
    with pytest.raises(ValueError, match="other inputs .texts.a.txt is anoth"):
        RunFolder(tmp_path, {"seed": 1}, inputs=other)
    # Who does not ask does not compare.
    RunFolder(tmp_path, {"seed": 1}).close()
    RunFolder(tmp_path, {"seed": 1}, inputs=one).close()
    assert read(tmp_path / "inputs.json") == {**one, "names": ["x", "y"]}


def test_inputs_of_a_failed_start_are_replaced(tmp_path, capsys):
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path, inputs={"a": 1}):
        raise ZeroDivisionError
    RunFolder(tmp_path, inputs={"a": 2}).close()
    assert "the inputs that were there: they are replaced (a: 1 there, 2" in (
        capsys.readouterr().out
    )
    assert read(tmp_path / "inputs.json") == {"a": 2}


def test_a_run_that_noted_no_inputs_takes_them(tmp_path, capsys):
    RunFolder(tmp_path).close()
    RunFolder(tmp_path, inputs={"a": 1}).close()
    assert "by an earlier version, which did not note its inputs" in (
        capsys.readouterr().out
    )
    with pytest.raises(ValueError, match="other inputs"):
        RunFolder(tmp_path, inputs={"a": 2})


def test_an_option_that_is_new_and_not_used_is_no_difference(tmp_path):
    RunFolder(tmp_path, {"seed": 1}).close()
    RunFolder(tmp_path, {"seed": 1, "encoding": None}).close()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="Received a file"):
        RunFolder(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_config_is_plain_json(tmp_path):
    RunFolder(tmp_path, {"sizes": (1, 2)}).close()
    assert read(tmp_path / "config.json") == {"sizes": [1, 2]}
    RunFolder(tmp_path, {"sizes": (1, 2)}).close()


def test_every_start_is_recorded(tmp_path):
    with RunFolder(tmp_path):
        running = read(tmp_path / "run.json")["starts"][0]
    assert running["status"] == "running" and running["ended"] is None
    with pytest.raises(Interrupted), RunFolder(tmp_path):
        raise Interrupted("enough")
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path):
        raise ZeroDivisionError("by nothing")
    starts = read(tmp_path / "run.json")["starts"]
    assert [start["status"] for start in starts] == [
        "finished",
        "stopped",
        "failed: by nothing",
    ]
    assert all(start["ended"] >= start["started"] for start in starts)
    assert "python" in starts[0]["command"]
    assert set(starts[0]["versions"]) >= {"python", "keras", "numpy"}


def test_other_versions_are_told(tmp_path, capsys):
    RunFolder(tmp_path).close()
    record = read(tmp_path / "run.json")
    record["starts"][0]["versions"]["keras"] = "2.0"
    (tmp_path / "run.json").write_text(json.dumps(record))
    RunFolder(tmp_path).close()
    assert "keras: '2.0' there" in capsys.readouterr().out


def test_what_is_said_is_logged(tmp_path, capsys):
    with RunFolder(tmp_path) as folder:
        folder.say("Reading [the] data")
        folder.log("in silence")
    with RunFolder(tmp_path, quiet=True) as folder:
        folder.say("Done")
    assert capsys.readouterr().out == "Reading [the] data\n"
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line[20:] for line in lines] == [
        "Reading [the] data",
        "in silence",
        "Done",
    ]
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", lines[0])


def test_without_resuming_the_run_that_is_there_is_set_aside(tmp_path):
    path = tmp_path / "run"
    RunFolder(path, {"seed": 1}).close()
    (path / "mine").write_text("1")
    RunFolder(path, {"seed": 2}, resume=False, quiet=True).close()
    assert read(path / "config.json") == {"seed": 2}
    assert (tmp_path / "run-earlier-1" / "mine").read_text() == "1"
    RunFolder(path, {"seed": 3}, resume=False, quiet=True).close()
    assert read(tmp_path / "run-earlier-2" / "config.json") == {"seed": 2}


def test_without_resuming_an_empty_folder_stays(tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    (path / "out.txt").write_text("begun by a scheduler")
    RunFolder(path, resume=False).close()
    assert (path / "out.txt").is_file()
    assert not (tmp_path / "run-earlier-1").exists()


def test_a_folder_in_use_is_not_set_aside(tmp_path):
    path = tmp_path / "run"
    with RunFolder(path):
        with pytest.raises(ValueError, match="in use by process"):
            RunFolder(path, resume=False)
    assert not (tmp_path / "run-earlier-1").exists()


@pytest.mark.parametrize("name", ["config.json", "run.json"])
@pytest.mark.parametrize("content", ['{"seed": ', "[1]", "[" * 100_000, "\xff"])
def test_damage_is_named(tmp_path, name, content):
    RunFolder(tmp_path).close()
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        RunFolder(tmp_path)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX itself knows its processes"
)
def test_other_workers_read_only(tmp_path, monkeypatch):
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    for index in (0, 1):
        task = {"type": "worker", "index": index}
        monkeypatch.setenv(
            "TF_CONFIG", json.dumps({"cluster": cluster, "task": task})
        )
        with RunFolder(tmp_path / str(index)) as folder:
            folder.log("hello")
            folder.stage("one").write_checkpoint({"step": 1})
        assert (tmp_path / str(index)).exists() == (index == 0)


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("name", ["config.json", "log.txt", "student"])
def test_files_of_no_run_are_refused(tmp_path, name, resume):
    path = tmp_path / "model"
    path.mkdir()
    (path / name).write_text("{}")
    with pytest.raises(ValueError, match=f"holds {name}, but no run"):
        RunFolder(path, resume=resume, leaves=["student"])
    assert [file.name for file in path.iterdir()] == [name]
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_what_a_run_left_is_its_own(tmp_path):
    for _ in range(2):
        with RunFolder(tmp_path, leaves=["student"]) as folder:
            (folder.path / "student").mkdir(exist_ok=True)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_followed(tmp_path, is_there):
    target, link = tmp_path / "disk" / "run", tmp_path / "run"
    if is_there:
        target.mkdir(parents=True)
    link.symlink_to(target)
    RunFolder(link, {"seed": 1}).close()
    RunFolder(link, {"seed": 2}, resume=False, quiet=True).close()
    assert link.is_symlink()
    assert read(target / "config.json") == {"seed": 2}
    aside = target.with_name("run-earlier-1")
    assert read(aside / "config.json") == {"seed": 1}


def test_a_tilde_is_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    RunFolder("~/run").close()
    assert (tmp_path / "home" / "run" / "run.json").is_file()
    assert not (tmp_path / "~").exists()


def test_the_folder_one_stands_in_is_not_renamed(tmp_path, monkeypatch):
    path = tmp_path / "run"
    RunFolder(path).close()
    monkeypatch.chdir(path)
    RunFolder(".").close()
    with pytest.raises(ValueError, match="cannot be renamed.*Received: '.'"):
        RunFolder(".", resume=False)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_what_is_no_number_comes_back(tmp_path):
    student = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    place = StageFolder(tmp_path / "stage")
    result = StageResult({"f1": [np.nan, 0.5]}, 1.0, {"f1": np.nan}, None)
    place.finish(result, student, {"name": "stage"})
    found, _ = place.load(student, {"name": "stage"})
    assert "NaN" not in (tmp_path / "stage" / "result.json").read_text()
    assert str(found) == str(result)
