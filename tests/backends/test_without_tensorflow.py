"""JAX and PyTorch distil on a machine that has no TensorFlow."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import pytest

SCRIPT = pathlib.Path(__file__).with_name("distil_without_tensorflow.py")
ROOT = SCRIPT.parents[2]


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow",
    reason="the TensorFlow backend needs TensorFlow",
)
def test_a_student_is_distilled_without_tensorflow(tmp_path):
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        cwd=tmp_path,
        env={
            **os.environ,
            "KERAS_BACKEND": keras.backend.backend(),
            "PYTHONPATH": path,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["losses"][-1] < 0.9 * found["losses"][0]
    assert found["evaluated"] < found["losses"][-1]
    # Through the distiller, and through the student in batches of its own.
    assert found["difference"] < 1e-5
    assert found["compared"] == pytest.approx(found["accuracy"])
    assert "needs tensorflow" in found["refusal"]
    assert found["imported"] == []
