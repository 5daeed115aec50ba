"""Every benchmark on random data runs and prints its result."""

import pathlib
import re
import subprocess
import sys

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_TINY = (
    *("--steps", "2", "--runs", "1", "--batch-size", "4", "--length", "8"),
    *("--vocabulary-size", "50", "--heads", "2"),
)
_RATIO = r"\d+\.\d\d"


@pytest.mark.slow
@pytest.mark.parametrize(
    "module, teacher, student, result",
    [
        (
            "step_overhead",
            (2, 8),
            (1, 4),
            rf"A step of distillation takes {_RATIO} times as long",
        ),
        (
            "against_keras",
            (2, 8),
            (1, 8),
            rf"keras_distill trains {_RATIO} times as fast as "
            r"keras\.distillation\.",
        ),
        (
            "frozen_layers",
            (2, 8),
            (2, 4),
            rf"frozen: {_RATIO} times .* matched: {_RATIO} times",
        ),
        (
            "input_pipeline",
            (1, 4),
            (1, 4),
            r"Training waits \d+\.\d% of its time for input\.",
        ),
        (
            "accelerator",
            (2, 8),
            (1, 4),
            r"│ distillation │ [\d,]+ │ [\d,]+ │ 0\.\d{3} │ \d+\.\d% │",
        ),
        pytest.param(
            "against_textbrewer",
            (2, 8),
            (1, 4),
            rf"trains {_RATIO} times .* and {_RATIO} times with length buckets",
            marks=pytest.mark.peers,
        ),
    ],
)
def test_prints_its_result(module, teacher, student, result):
    extra = {
        "accelerator": ("--peak-tflops", "1"),
        "against_textbrewer": ("--examples", "8"),
    }
    printed = _run(module, teacher, student, *extra.get(module, ()))
    assert re.search(result, printed), printed


def _run(module, teacher, student, *extra):
    """What a benchmark prints for tiny models, with single spaces."""
    sizes = ("--teacher", *teacher, "--student", *student)
    completed = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *_TINY]
        + [*map(str, sizes), *extra],
        capture_output=True,
        text=True,
        cwd=_ROOT,
    )
    assert completed.returncode == 0, completed.stderr
    return " ".join(completed.stdout.split())
