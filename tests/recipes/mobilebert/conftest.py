"""A corpus, a tokenizer and one run of the recipe on them."""

import json

import pytest

from keras_distill import export
from recipes.mobilebert.__main__ import main
from tests.recipes.commands import command_line
from tests.recipes.conftest import BAD
from tests.recipes.conftest import GOOD
from tests.recipes.conftest import made_up_documents


@pytest.fixture(scope="package")
def folder(tmp_path_factory, make_classifier):
    """A corpus, an ordinary encoder with a tokenizer, and a task."""
    path = tmp_path_factory.mktemp("mobilebert")
    documents = made_up_documents()
    (path / "corpus.txt").write_text("\n\n".join(documents))
    export.to_encoder_preset(make_classifier(num_layers=2), path / "encoder")
    rows = [f"{text}\t1" for text in GOOD] + [f"{text}\t0" for text in BAD]
    (path / "glue/SST-2").mkdir(parents=True)
    for name in ("train", "dev"):
        lines = ["sentence\tlabel", *rows]
        (path / f"glue/SST-2/{name}.tsv").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="package")
def settings(folder):
    """The settings of a tiny run."""
    return {
        "corpus": str(folder / "corpus.txt"),
        "tokenizer": str(folder / "encoder"),
        "teacher_size": "2x12x2x8x16",
        "student": "2x12x2x4x8x2",
        "embedding_dim": 4,
        "max_length": 12,
        "batch_size": 4,
        "held_out_rows": 8,
        "teacher_steps": 3,
        "transfer_steps": 6,
        "distil_steps": 3,
    }


@pytest.fixture(scope="package")
def arguments(settings):
    """The same as a command line."""
    return command_line(settings)


@pytest.fixture(scope="package")
def run_dir(folder, arguments):
    """What a run left that was not fine-tuned."""
    assert main(arguments(folder / "run")) == 0
    return folder / "run"


@pytest.fixture(scope="package")
def found(run_dir):
    return json.loads((run_dir / "pretraining.json").read_text())
