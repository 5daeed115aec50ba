"""The recipe from the command line, on a tiny teacher and made-up reviews."""

import json
import pathlib
import shutil

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from keras_distill import export
from keras_distill import stages
from keras_distill import teachers
from recipes.common.command_line import run_recipe
from recipes.common.experiment import Experiment
from recipes.common.student_size import parse_size
from recipes.tinybert import recipe
from recipes.tinybert.__main__ import build_parser
from recipes.tinybert.__main__ import main
from recipes.tinybert.config import Config
from tests.recipes.commands import changed


@pytest.mark.usefixtures("eager", "untimed")
def test_end_to_end_and_once_more(
    arguments, teacher_dir, reviews, tmp_path, capsys
):
    arguments = [*arguments, "--teacher", str(teacher_dir)]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "student layer 1 <- teacher layer 2 | hidden states" in shown
    assert "teacher's accuracy on the dev split is 1.0000" in shown
    run = tmp_path / "run"
    report = json.loads((run / "report.json").read_text())
    rows = {row["name"]: row for row in report["comparison"]["rows"]}
    assert list(rows) == ["teacher", "baseline", "student"]
    assert rows["teacher"]["metrics"]["accuracy"] == 1.0
    assert set(report["histories"]) == {
        "intermediate",
        "prediction",
        "baseline",
    }
    assert "attention_loss" in report["histories"]["intermediate"]
    for name in ("report.html", "report.md", "serving/1/saved_model.pb"):
        assert (run / name).is_file()

    # The student that was measured is the one that is saved and served.
    student = keras_hub.models.TextClassifier.from_preset(str(run / "student"))
    predicted = student.predict(reviews, verbose=0)
    labels = np.repeat([1, 0], 4)
    accuracy = (predicted.argmax(-1) == labels).mean()
    assert rows["student"]["metrics"]["accuracy"] == accuracy
    served = tf.saved_model.load(str(run / "serving" / "1"))
    answer = served.signatures["serving_default"](sentence=tf.constant(reviews))
    np.testing.assert_allclose(
        answer["probabilities"], tf.nn.softmax(predicted), atol=1e-5
    )

    # Nothing is trained or tokenised twice.
    tokens = sorted(run.glob("tokens/*"))
    assert len(tokens) == 2
    kept = [*(run / "stages").rglob("*"), *tokens]
    times = {p: p.stat().st_mtime_ns for p in kept}
    assert main(arguments) == 0
    assert "'prediction' is done" in capsys.readouterr().out
    kept = [*(run / "stages").rglob("*"), *run.glob("tokens/*")]
    assert times == {p: p.stat().st_mtime_ns for p in kept}
    again = json.loads((run / "report.json").read_text())
    assert [row["metrics"] for row in again["comparison"]["rows"]] == [
        row["metrics"] for row in report["comparison"]["rows"]
    ]

    # Another setting does not fit into the folder.
    assert main(changed(arguments, "--seed", "2")) == 2
    assert "seed: 1 there, 2 now" in capsys.readouterr().err


@pytest.fixture(scope="module")
def made_untrained(tmp_path_factory, make_classifier):
    """A teacher of random weights, which needs no training."""
    keras.utils.set_random_seed(7)
    return export.to_preset(
        make_classifier(num_layers=2),
        tmp_path_factory.mktemp("made") / "untrained",
        ["negative", "positive"],
    )


@pytest.fixture
def untrained(arguments, tmp_path, made_untrained):
    """The same with a copy of that teacher."""
    folder = shutil.copytree(made_untrained, tmp_path / "untrained")
    return [
        *arguments,
        *("--teacher", str(folder), "--allow-untrained-teacher"),
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        (["--glue-dir", "no/such/folder"], "no/such/folder"),
        (["--teacher", "no/such/teacher"], "no folder 'no/such/teacher'"),
        (["--student", "big"], "must be a preset"),
        (["--sequence-length", "64"], "at most 32"),
        (["--student", "1x9x2"], "num_heads"),
        (
            ["--student", "1x8x4", "--normalization", "official"],
            "2 heads of the teacher and 4 of --student 1x8x4",
        ),
        (
            ["--teacher-features", "float16", "--normalization", "official"],
            "Use --teacher-features live",
        ),
    ],
)
def test_bad_input_is_one_sentence(untrained, capsys, change, message):
    assert main(changed(untrained, *change)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_student_that_does_not_fit_is_refused_first(untrained, capsys):
    assert main(changed(untrained, "--student", "3x8x2")) == 2
    captured = capsys.readouterr()
    assert "3 student layers and 2 teacher layers" in captured.err
    # Not even the teacher was measured.
    assert "dev split" not in captured.out


@pytest.mark.slow
def test_a_teacher_that_runs_once_teaches_the_same(
    untrained, tmp_path, monkeypatch, eager
):
    # Their training is compared, not their reports.
    monkeypatch.setattr(Experiment, "finish", lambda *_, **__: None)
    left = {}
    for features in ("live", "float32"):
        run = tmp_path / features
        options = ["--teacher-features", features, "--baseline-epochs", "0"]
        assert main(changed(untrained, *options, "--run-dir", str(run))) == 0
        left[features] = load_file(
            run / "stages/prediction/student.safetensors"
        )
        kept = teachers.TeacherCache(run / "teacher_features").features
        assert ("attention_scores.2" in kept) == (features != "live")
    for name, value in left["live"].items():
        np.testing.assert_allclose(left["float32"][name], value, atol=1e-5)


def test_labels_in_another_order_are_refused(untrained, tmp_path, capsys):
    labels = tmp_path / "untrained" / "labels.json"
    labels.write_text('["positive", "negative"]')
    assert main(untrained) == 2
    assert "in another order" in capsys.readouterr().err


def test_a_teacher_of_probabilities_is_refused_before_the_first_stage(
    untrained, tmp_path, capsys
):
    task = tmp_path / "untrained" / "task.json"
    config = json.loads(task.read_text())
    config["config"]["activation"] = "softmax"
    task.write_text(json.dumps(config))
    assert main(untrained) == 2
    assert "ends in a softmax" in capsys.readouterr().err
    assert not list((tmp_path / "run").glob("stages/*"))


def test_an_untrained_teacher_is_refused(
    arguments, tmp_path, make_classifier, capsys
):
    guessing = make_classifier(num_layers=1)
    head = guessing.output_dense
    head.set_weights([0 * weight for weight in head.get_weights()])
    export.to_preset(guessing, tmp_path / "guessing")
    assert main([*arguments, "--teacher", str(tmp_path / "guessing")]) == 2
    captured = capsys.readouterr()
    assert "accuracy on the dev split is 0.5000" in captured.out
    assert "--allow-untrained-teacher" in captured.err


def test_a_run_that_is_stopped_says_how_to_go_on(capsys):
    def stop(config, run_dir, quiet, resume):
        assert not resume
        raise stages.Interrupted(f"Stopped. It is in {run_dir}.", 15)

    arguments = ["--run-dir", "runs/mine", "--no-resume"]
    assert run_recipe(build_parser(), Config, stop, arguments) == 143
    assert "Stopped. It is in runs/mine." in capsys.readouterr().err


def test_help_explains_every_option():
    text = " ".join(build_parser().format_help().split())
    for option in Config.__dataclass_fields__:
        assert "--" + option.replace("_", "-") in text
    assert "(default: 0.002; paper: 5e-5)" in text


def test_sizes_are_read():
    assert parse_size("4x312x12x1200") == {
        "num_layers": 4,
        "hidden_dim": 312,
        "num_heads": 12,
        "intermediate_dim": 1200,
    }
    assert "intermediate_dim" not in parse_size("4x312x12")


def test_the_demo_command_parses():
    makefile = pathlib.Path(recipe.__file__).parents[2] / "Makefile"
    lines = makefile.read_text().replace("\\\n", "").splitlines()
    command = next(line for line in lines if "recipes.tinybert" in line)
    options = build_parser().parse_args(
        command.split("recipes.tinybert")[1].split()
    )
    assert options.task == "film_reviews"
    assert options.run_dir == "runs/demo"
    assert (options.pooling, options.teacher_epochs) == ("mean", 2)


def test_bad_rows_are_left_out_if_asked_for(untrained, tmp_path, capsys):
    folder = pathlib.Path(untrained[untrained.index("--glue-dir") + 1])
    path = folder / "SST-2" / "train.tsv"
    path.write_text(path.read_text() + "a good film\n")
    assert main(untrained) == 2
    assert "found 1; mend or delete the line" in capsys.readouterr().err
    without = [*untrained[:1], "film_reviews", *untrained[2:]]
    del without[without.index("--glue-dir") : without.index("--glue-dir") + 2]
    assert main([*without, "--skip-bad-rows"]) == 2
    error = capsys.readouterr().err
    assert "--skip-bad-rows has no effect without --data-dir" in error
