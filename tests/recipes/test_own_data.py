"""Recipes on a file of one's own, from the command line."""

import json
import pathlib
import re
import shlex

import numpy as np
import pytest
import tensorflow as tf

from recipes.tinybert.__main__ import build_parser
from recipes.tinybert.__main__ import main
from tests.recipes.conftest import BAD
from tests.recipes.conftest import GOOD


@pytest.fixture
def mails(tmp_path):
    """A table with two columns that may be texts."""
    rows = [(text, "positive") for text in GOOD * 5]
    rows += [(text, "negative") for text in BAD * 5]
    path = tmp_path / "mails.csv"
    path.write_text(
        "Subject,Body,Folder\n"
        + "".join(f"none,{text},{label}\n" for text, label in rows)
    )
    return path


@pytest.fixture
def arguments(mails, tmp_path):
    return [
        *("--data", str(mails), "--text-column", "body"),
        *("--label-column", "folder", "--run-dir", str(tmp_path / "run")),
        # Data are read before it.
        *("--teacher", str(tmp_path / "teacher"), "--student", "1x8x2"),
        *("--intermediate-epochs", "1", "--prediction-epochs", "1"),
        *("--baseline-epochs", "0", "--sequence-length", "16"),
    ]


@pytest.mark.usefixtures("eager", "untimed")
def test_a_table_of_ones_own(arguments, mails, teacher_dir, tmp_path, capsys):
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert (
        "mails.csv: classification of 'body' by 'folder' with 2 labels: "
        "negative, positive" in shown.err
    )
    # Of each class 18 train and 2 choose.
    assert "teacher's accuracy on the dev split is 1.0000 (4 exa" in shown.out
    run = tmp_path / "run"
    report = json.loads((run / "report.json").read_text())
    assert report["config"]["data"] == str(mails)
    rows = {row["name"]: row for row in report["comparison"]["rows"]}
    assert list(rows) == ["teacher", "student"]
    assert rows["teacher"]["metrics"] == {"accuracy": 1.0}

    served = tf.saved_model.load(str(run / "serving" / "1"))
    answer = served.signatures["serving_default"](body=tf.constant(GOOD + BAD))
    assert set(answer["label"].numpy()) <= {b"negative", b"positive"}
    np.testing.assert_allclose(
        np.sum(answer["probabilities"], axis=-1), 1.0, rtol=1e-5
    )

    assert main(arguments) == 0
    assert "'prediction' is done" in capsys.readouterr().out
    # Other rows are other data.
    mails.write_text(mails.read_text() + "none,one more,positive\n")
    assert main(arguments) == 2
    assert "begin the run anew (`--no-resume`)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--text-column": None}, "by `text_columns` (--text-column). The col"),
        ({"--text-column": "mail"}, "the columns are: Subject, Body, Folder"),
        ({"--label-column": "body"}, "must be of different columns"),
        ({"--kind": "regression"}, "mails.csv:2: the score 'positive' is not"),
        ({"--kind": "regresion"}, "regression"),
        ({"--label-separator": "|", "--kind": "regression"}, "several labels"),
        ({"--task": "sst2"}, "--task has no effect with --data"),
        ({"--data": None}, "has no effect without --data"),
        ({"--data": "nowhere.csv"}, "nowhere.csv"),
    ],
)
def test_what_does_not_go_together_is_told(arguments, changes, message, capsys):
    options = dict(zip(arguments[::2], arguments[1::2], strict=True)) | changes
    flat = [word for pair in options.items() if pair[1] for word in pair]
    assert main(flat) == 2
    assert message in capsys.readouterr().err


def test_the_commands_of_the_page_are_commands():
    page = pathlib.Path(__file__).parents[2] / "docs" / "own_data.md"
    [block] = re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    commands = block.replace("\\\n", "").splitlines()
    assert len(commands) == 3
    for command in commands:
        start, words = command.split("recipes.tinybert ")
        assert start == "python -m "
        assert build_parser().parse_args(shlex.split(words)).data
