"""The recipes on several devices and on several machines."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.recipes.commands import changed

# Seconds; on a machine with other work a run takes minutes.
_PATIENCE = 1200

_RUN = """
import importlib
import sys
import tensorflow as tf
if sys.argv.pop(1) == "two devices":
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    # Tiny models gain nothing by an optimised graph.
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )
from keras_distill.evaluation import measures
from tests.untimed import untimed_models
measures.timed_models = untimed_models
recipe = importlib.import_module(f"recipes.{sys.argv.pop(1)}.__main__")
sys.exit(recipe.main(sys.argv[1:]))
"""


def start(arguments, devices="one device", recipe="tinybert", **environment):
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, devices, recipe, *arguments, "--quiet"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process):
    output = _output(process)
    assert process.returncode == 0, output
    return output


def _output(process):
    try:
        return process.communicate(timeout=_PATIENCE)[0]
    except subprocess.TimeoutExpired:
        # What is left over would spoil the tests that follow.
        process.kill()
        process.communicate()
        raise


def _accuracies(folder):
    report = json.loads((folder / "report.json").read_text())
    return {
        row["name"]: row["metrics"]["accuracy"]
        for row in report["comparison"]["rows"]
    }


@pytest.mark.slow
def test_two_devices_train_all_stages(arguments, teacher_dir, tmp_path):
    end(
        start(
            [
                *arguments,
                *("--teacher", str(teacher_dir), "--strategy", "mirrored"),
            ],
            "two devices",
        )
    )
    assert _accuracies(tmp_path / "run")["teacher"] == 1.0
    assert (tmp_path / "run/serving/1/saved_model.pb").is_file()


@pytest.mark.slow
def test_two_devices_distil_and_transfer(glue_dir, teacher_dir, tmp_path):
    arguments = [
        *("--source", "sst2", "--targets", "sst2", "--student", "1x8x2"),
        *("--glue-dir", str(glue_dir), "--teacher", str(teacher_dir)),
        *("--representation-epochs", "1", "--logits-epochs", "1"),
        *("--labels-epochs", "1", "--target-epochs", "1"),
        *("--sequence-length", "16", "--batch-size", "8"),
        # Each stage is traced for two devices: three are enough.
        *("--unfreezing", "none"),
        *("--run-dir", str(tmp_path / "run"), "--strategy", "mirrored"),
    ]
    end(start(arguments, "two devices", "xtremedistil"))
    assert _accuracies(tmp_path / "run")["teacher"] == 1.0
    assert (tmp_path / "run/student").is_dir()
    (found,) = json.loads((tmp_path / "run/targets.json").read_text())
    assert len(found["models"]) == 2


@pytest.mark.strategies
def test_workers_need_to_be_told_of_each_other(arguments):
    process = start([*arguments, "--strategy", "multiworker"])
    output = _output(process)
    assert process.returncode == 2
    assert "TF_CONFIG" in output


@pytest.mark.slow
def test_two_workers_go_on_after_one_was_killed_and_one_reports(
    arguments, teacher_dir, tmp_path, two_workers
):
    arguments = changed(
        arguments,
        *("--teacher", str(teacher_dir), "--strategy", "multiworker"),
        # Long enough to be killed in.
        *("--intermediate-epochs", "20", "--baseline-epochs", "0"),
    )
    run = tmp_path / "run"
    workers = [start(arguments, TF_CONFIG=text) for text in two_workers]
    try:
        _wait_for(lambda: _epochs(run) >= 2, workers)
        workers[1].kill()
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    workers = [start(arguments, TF_CONFIG=text) for text in two_workers]
    outputs = [end(worker) for worker in workers]
    assert ["Report:" in output for output in outputs] == [True, False]
    assert "goes on after" in (run / "log.txt").read_text()
    assert _accuracies(run)["teacher"] == 1.0


def _epochs(run):
    """The epochs of the first step in the run's metrics."""
    metrics = run / "metrics.jsonl"
    if not metrics.is_file():
        return 0
    lines = metrics.read_text().splitlines()
    return sum('"epoch"' in line and "intermediate" in line for line in lines)


def _wait_for(condition, processes, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        for process in processes:
            assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.05)
