"""A tiny distillation that every way of spreading it must repeat."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.distribution import distil as script

_SCRIPT = pathlib.Path(__file__).with_name("distil.py")


@pytest.fixture
def distil(tmp_path):
    """Runs distil.py in fresh processes; returns weights and history.

    Devices and strategies must be made before TensorFlow does anything else,
    so each run has processes of its own.
    """

    def run(how, environments=({},), **options):
        processes = []
        for index, environment in enumerate(environments):
            path = tmp_path / f"{how}-{index}.npz"
            processes.append(
                (
                    path,
                    subprocess.Popen(
                        [
                            sys.executable,
                            str(_SCRIPT),
                            how,
                            str(path),
                            json.dumps(options),
                        ],
                        env={**os.environ, **environment},
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        text=True,
                    ),
                )
            )
        results = []
        for path, process in processes:
            output, _ = process.communicate(timeout=1200)
            assert process.returncode == 0, output
            with np.load(path) as arrays:
                results.append(dict(arrays))
        return results if len(results) > 1 else results[0]

    return run


@pytest.fixture(scope="session")
def distil_here(tmp_path_factory):
    """Runs distil.py on one device in this process, each set of options once.

    It returns what `distil` does.
    """
    known = {}

    def run(**options):
        key = json.dumps(options)
        if key not in known:
            path = tmp_path_factory.mktemp("here") / "none.npz"
            policy = keras.config.dtype_policy()
            # Weights are told by names, which Keras counts up.
            keras.backend.clear_session(free_memory=False)
            try:
                script.main("none", path, options)
            finally:
                keras.config.set_dtype_policy(policy)
            with np.load(path) as arrays:
                known[key] = dict(arrays)
        return known[key]

    return run


@pytest.fixture
def assert_same():
    """Compares weights, history and measures of two runs of `distil`."""

    def check(ours, expected, rtol=1e-5, atol=1e-5):
        assert set(ours) == set(expected)
        assert any(name.startswith("weights/") for name in ours)
        for name, value in expected.items():
            np.testing.assert_allclose(
                ours[name], value, rtol=rtol, atol=atol, err_msg=name
            )

    return check
