"""Where the models of the recipe are made."""

import contextlib

import keras
import pytest

from recipes.common import devices
from recipes.common import experiment
from recipes.xtremedistil import recipe
from recipes.xtremedistil.config import Config


def test_a_tpu_computes_in_bfloat16_wherever_it_is_set_up(monkeypatch):
    monkeypatch.setattr(
        devices.distribution, "scope", lambda _: contextlib.nullcontext()
    )
    with devices.begin_devices("tpu"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    with devices.begin_devices("tpu", "float32"):
        assert keras.config.dtype_policy().name == "float32"


def test_a_teacher_alone_is_trained_under_the_strategy(tmp_path, monkeypatch):
    begun = []

    def begin(*arguments):
        begun.append(arguments)
        raise RuntimeError

    monkeypatch.setattr(experiment, "begin_devices", begin)
    config = Config(strategy="tpu", precision="float32")
    with pytest.raises(RuntimeError):
        recipe.train_teacher(config, tmp_path / "run")
    assert begun == [("tpu", "float32")]
