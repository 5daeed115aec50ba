"""A tiny teacher and made-up reviews for the recipes."""

import keras
import numpy as np
import pytest

from keras_distill import export

GOOD = ["a great film", "the actor is very funny", "a good story", "not bad"]
BAD = ["a dull film", "the plot was very bad", "a sad ending", "not good"]


@pytest.fixture
def reviews():
    """Four good ones, then four bad ones."""
    return GOOD + BAD


@pytest.fixture
def glue_dir(tmp_path):
    """A folder in GLUE's layout."""
    folder = tmp_path / "glue" / "SST-2"
    folder.mkdir(parents=True)
    rows = [f"{text}\t1" for text in GOOD] + [f"{text}\t0" for text in BAD]
    for name, copies in (("train", 4), ("dev", 2)):
        lines = ["sentence\tlabel", *(rows * copies)]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return folder.parent


@pytest.fixture
def teacher_dir(tmp_path, make_classifier):
    """A teacher whose head is right about every made-up review."""
    teacher = make_classifier(num_layers=2)
    teacher.compile(
        keras.optimizers.Adam(1e-2),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=None,
    )
    labels = np.repeat([1, 0], 4)
    teacher.fit(GOOD + BAD, labels, batch_size=8, epochs=25, verbose=0)
    predicted = teacher.predict(GOOD + BAD, verbose=0).argmax(-1)
    assert (predicted == labels).all()
    folder = tmp_path / "teacher"
    export.to_preset(teacher, folder, ["negative", "positive"])
    return folder


@pytest.fixture
def arguments(glue_dir, tmp_path):
    return [
        *("--task", "sst2", "--glue-dir", str(glue_dir)),
        *("--run-dir", str(tmp_path / "run")),
        *("--student", "1x8x2", "--embeddings", "teacher"),
        *("--intermediate-epochs", "1", "--prediction-epochs", "1"),
        *("--batch-size", "16", "--sequence-length", "16"),
    ]
