"""All layers at once and layer by layer, on a tiny student."""

import json

import numpy as np
import pytest

from recipes.xtremedistil import error_propagation
from tests.recipes.commands import changed


@pytest.fixture
def arguments(glue_dir, made_untrained, tmp_path):
    return [
        *("--source", "sst2", "--glue-dir", str(glue_dir)),
        *("--teacher", str(made_untrained / "whole"), "--student", "2x8x2"),
        *("--representation-epochs", "2", "--batch-size", "16"),
        *("--sequence-length", "16", "--run-dir", str(tmp_path / "run")),
    ]


def test_end_to_end_and_once_more(arguments, tmp_path, capsys, all_eager):
    assert error_propagation.main(arguments) == 0
    shown = capsys.readouterr().out
    path = tmp_path / "run" / "error_propagation.md"
    table = path.read_text()
    assert table.strip() in shown
    found = json.loads(path.with_suffix(".json").read_text())
    for way in (error_propagation.JOINT, error_propagation.PROGRESSIVE):
        assert [layer["layer"] for layer in found[way]] == [1, 2]
        assert all(
            np.isfinite(list(layer.values())).all() for layer in found[way]
        )
    assert (
        found[error_propagation.JOINT] != found[error_propagation.PROGRESSIVE]
    )

    assert error_propagation.main(arguments) == 0
    assert "is done, its weights are reused" in capsys.readouterr().out
    assert path.read_text() == table


def test_shares_that_leave_no_steps_are_refused(glue_dir, tmp_path, capsys):
    arguments = [
        *("--source", "sst2", "--glue-dir", str(glue_dir)),
        *("--layer-share", "1", "--run-dir", str(tmp_path / "run")),
    ]
    assert error_propagation.main(arguments) == 2
    assert "--layer-share must be a number above 0" in capsys.readouterr().err


def test_fewer_steps_than_layers_are_refused(arguments, capsys):
    command = changed(arguments, "--batch-size", "1000")
    assert error_propagation.main(command) == 2
    shown = capsys.readouterr().err
    assert "2 steps in all of --representation-epochs 2" in shown
    assert "2 layers of --student 2x8x2" in shown
