"""What a run's folder keeps, refuses and survives."""

import json

import keras
import numpy as np
import pytest

from keras_distill.stages import RunFolder


@pytest.fixture
def model():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])


def test_a_finished_step_gives_results_and_weights_back(tmp_path, model):
    folder = RunFolder(tmp_path / "run", {"seed": 1})
    assert not folder.is_done("teacher")
    folder.finish("teacher", {"accuracy": 0.5}, model)

    again = RunFolder(tmp_path / "run", {"seed": 1})
    assert again.is_done("teacher")
    assert again.results("teacher") == {"accuracy": 0.5}
    weights = model.get_weights()
    model.set_weights([0 * weight for weight in weights])
    again.load_weights("teacher", model)
    for loaded, saved in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(loaded, saved)


def test_another_configuration_is_refused_with_the_differences(tmp_path):
    RunFolder(tmp_path, {"seed": 1, "task": "rte", "rate": 0.1})
    with pytest.raises(ValueError, match="seed: 1 there, 2 now") as error:
        RunFolder(tmp_path, {"seed": 2, "task": "rte", "rate": 0.2})
    assert "rate: 0.1 there, 0.2 now" in str(error.value)
    assert "task" not in str(error.value)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="Received a file"):
        RunFolder(tmp_path / "file", {})
    assert (tmp_path / "file").read_text() == "mine"


def test_a_damaged_step_is_named(tmp_path):
    folder = RunFolder(tmp_path, {})
    folder.finish("teacher", {"accuracy": 0.5})
    (tmp_path / "steps" / "teacher.json").write_text('{"accuracy": 0.')
    with pytest.raises(ValueError, match="teacher.json is damaged"):
        folder.results("teacher")


def test_a_full_disk_leaves_the_step_as_it_was(tmp_path, model, monkeypatch):
    folder = RunFolder(tmp_path, {})
    folder.finish("teacher", {"accuracy": 0.5}, model)
    before = (tmp_path / "steps" / "teacher.weights.h5").read_bytes()

    def full(path):
        with open(path, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "save_weights", full)
    with pytest.raises(OSError, match="No space left"):
        folder.finish("teacher", {"accuracy": 0.6}, model)
    assert folder.results("teacher") == {"accuracy": 0.5}
    after = (tmp_path / "steps" / "teacher.weights.h5").read_bytes()
    assert after == before
    assert sorted(path.name for path in (tmp_path / "steps").iterdir()) == [
        "teacher.json",
        "teacher.weights.h5",
    ]


def test_config_is_plain_json(tmp_path):
    RunFolder(tmp_path, {"sizes": (1, 2)})
    written = json.loads((tmp_path / "config.json").read_text())
    assert written == {"sizes": [1, 2]}
    RunFolder(tmp_path, {"sizes": (1, 2)})
