"""Every benchmark on random data runs and prints its result."""

import importlib
import pathlib
import re
import subprocess
import sys

import pytest

from tests.benchmarks import optimizer_step

_TINY = (
    *("--steps", "2", "--runs", "1", "--batch-size", "4", "--length", "8"),
    *("--vocabulary-size", "50", "--heads", "2"),
)
_RATIO = r"\d+\.\d\d"
_RESULTS = {
    "step_overhead": rf"A step of distillation takes {_RATIO} times as long",
    "against_keras": rf"keras_distill trains {_RATIO} times as fast as keras",
    "frozen_layers": rf"frozen: {_RATIO} times .* matched: {_RATIO} times",
    "progressive_depth": rf"The first phase: {_RATIO} times the time of the",
    "progressive_blocks": rf"progressive phase takes {_RATIO} times the CPU",
    "input_pipeline": r"Training waits \d+\.\d% of its time for input\.",
    "general_distillation": rf"takes {_RATIO} times the CPU .* \d+\.\d% of",
    "raw_text": rf"An epoch on raw text takes {_RATIO}\d times the CPU time",
    "multi_task": rf"A step beside other tasks takes {_RATIO}\d times the CPU",
    "optimizer_step": rf"takes {_RATIO} times the CPU time of Keras's own",
    "attention_memory": r"10 times the examples took -?[\d,]+ MB more",
    "augmentation": rf"8 texts are augmented {_RATIO} times as fast",
    "accelerator": r"│ distillation │ [\d,]+ │ [\d,]+ │ 0\.\d{3} │ \d+\.\d% │",
    "against_textbrewer": rf"{_RATIO} times as fast .* and {_RATIO} times with",
}
# Of so few steps that graphs would take most of the time.
_TRAIN_LITTLE = {
    *("step_overhead", "against_keras", "frozen_layers"),
    *("progressive_depth", "progressive_blocks", "input_pipeline", "raw_text"),
    "multi_task",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "module, student",
    [
        ("step_overhead", (1, 4)),
        ("against_keras", (1, 8)),
        ("frozen_layers", (2, 4)),
        ("progressive_depth", (2, 4)),
        ("progressive_blocks", (2, 4)),
        ("input_pipeline", (1, 4)),
        ("augmentation", (1, 4)),
        ("raw_text", (1, 4)),
        ("multi_task", (1, 4)),
        ("general_distillation", (1, 4)),
        ("attention_memory", (1, 4)),
    ],
)
def test_prints_its_result(capsys, request, module, student):
    if module in _TRAIN_LITTLE:
        request.getfixturevalue("eager")
    printed = _run(capsys, module, student)
    assert re.search(_RESULTS[module], printed), printed


@pytest.mark.slow
def test_prints_the_share_of_the_peak(capsys):
    printed = _run(capsys, "accelerator", (1, 4), "--peak-tflops", "1")
    assert re.search(_RESULTS["accelerator"], printed), printed


@pytest.mark.slow
def test_compares_steps_of_optimizers(capsys):
    sizes = ("--words", "40", "--width", "4", "--tokens", "8")
    optimizer_step.main([*sizes, "--steps", "2", "--runs", "1"])
    printed = " ".join(capsys.readouterr().out.split())
    assert re.search(_RESULTS["optimizer_step"], printed), printed


@pytest.mark.peers
def test_trains_beside_textbrewer():
    # In a process of its own: it sets the number of threads.
    sizes = ("--teacher", "2", "8", "--student", "1", "4", "--examples", "8")
    printed = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.against_textbrewer"]
        + [*_TINY, *sizes],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parents[2],
        check=True,
    ).stdout
    printed = " ".join(printed.split())
    assert re.search(_RESULTS["against_textbrewer"], printed), printed


def _run(capsys, module, student, *extra):
    """What a benchmark prints for tiny models, with single spaces."""
    sizes = ("--teacher", "2", "8", "--student", *map(str, student))
    benchmark = importlib.import_module(f"tests.benchmarks.{module}")
    benchmark.main([*_TINY, *sizes, *extra])
    return " ".join(capsys.readouterr().out.split())
