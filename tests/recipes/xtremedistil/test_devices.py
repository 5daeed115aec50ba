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
    try:
        devices.begin_strategy("tpu")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_teacher_alone_is_trained_under_the_strategy(tmp_path, monkeypatch):
    begun = []

    def begin(strategy):
        begun.append(strategy)
        raise RuntimeError

    monkeypatch.setattr(experiment, "begin_strategy", begin)
    with pytest.raises(RuntimeError):
        recipe.train_teacher(Config(strategy="tpu"), tmp_path / "run")
    assert begun == ["tpu"]
