"""A tiny teacher and made-up reviews for the recipes."""

import shutil

import keras
import numpy as np
import pytest

from keras_distill import export
from tests.conftest import WORDS

GOOD = ["a great film", "the actor is very funny", "a good story", "not bad"]
BAD = ["a dull film", "the plot was very bad", "a sad ending", "not good"]


def made_up_documents():
    """Twenty documents of twelve sentences of the tests' words."""
    generator = np.random.default_rng(0)
    return [
        "\n".join(
            " ".join(generator.choice(WORDS, generator.integers(2, 9))) + "."
            for _ in range(12)
        )
        for _ in range(20)
    ]


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


@pytest.fixture(scope="session")
def made_teacher(tmp_path_factory, make_classifier):
    """A teacher whose head is right about every made-up review."""
    keras.utils.set_random_seed(7)
    teacher = make_classifier(num_layers=2)
    backbone = teacher.backbone
    for layer in backbone.transformer_layers + [backbone.pooled_dense]:
        for weight in layer.trainable_weights:
            if len(weight.shape) > 1:
                # As they are, a tiny BERT's answers hardly differ.
                weight.assign(weight * 20)
    labels = np.repeat([1, 0], 4)
    features = teacher.preprocessor(GOOD + BAD)
    pooled = backbone(features)["pooled_output"]
    wanted = np.where(labels[:, None] == [0, 1], 2.0, -2.0)
    kernel, *_ = np.linalg.lstsq(np.asarray(pooled), wanted, rcond=None)
    teacher.output_dense.set_weights([kernel, np.zeros(2)])
    predicted = np.argmax(teacher(features, training=False), axis=-1)
    assert (predicted == labels).all()
    folder = tmp_path_factory.mktemp("made") / "teacher"
    export.to_preset(teacher, folder, ["negative", "positive"])
    return folder


@pytest.fixture
def teacher_dir(tmp_path, made_teacher):
    """A copy of the teacher that knows, which a test may change."""
    return shutil.copytree(made_teacher, tmp_path / "teacher")


@pytest.fixture
def arguments(glue_dir, tmp_path):
    return [
        *("--task", "sst2", "--glue-dir", str(glue_dir)),
        *("--run-dir", str(tmp_path / "run")),
        *("--student", "1x8x2", "--embeddings", "teacher"),
        *("--intermediate-epochs", "1", "--prediction-epochs", "1"),
        *("--batch-size", "16", "--sequence-length", "16"),
    ]
