"""Two tasks and two encoders, and one run of the recipe on them."""

import json

import keras
import keras_hub
import pytest

from keras_distill import export
from recipes.mt_dnn_kd.__main__ import main
from tests.conftest import WORDS
from tests.recipes.commands import command_line
from tests.recipes.conftest import BAD
from tests.recipes.conftest import GOOD


@pytest.fixture(scope="package")
def folder(tmp_path_factory, make_classifier):
    """Encoders of two vocabularies, a task of one text and one of two."""
    path = tmp_path_factory.mktemp("mt_dnn_kd")
    # Whatever tests came before.
    keras.utils.set_random_seed(7)
    export.to_encoder_preset(make_classifier(num_layers=2), path / "encoder")
    others = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *reversed(WORDS)],
        lowercase=False,
    )
    cased = make_classifier(num_layers=1, tokenizer=others)
    export.to_encoder_preset(cased, path / "cased")
    texts = GOOD + BAD
    tables = {
        "SST-2": [
            "sentence\tlabel",
            *(f"{text}\t{int(text in GOOD)}" for text in texts),
        ],
        "RTE": [
            "index\tsentence1\tsentence2\tlabel",
            *(
                f"{row}\t{text}\t{other}\t"
                + ("" if (text in GOOD) == (other in GOOD) else "not_")
                + "entailment"
                for row, (text, other) in enumerate(
                    zip(texts, [*texts[2:], *texts[:2]], strict=True)
                )
            ),
        ],
    }
    for task, lines in tables.items():
        (path / "glue" / task).mkdir(parents=True)
        for split in ("train", "dev"):
            file = path / "glue" / task / f"{split}.tsv"
            file.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="package")
def settings(folder):
    """The settings of a tiny run."""
    return {
        "tasks": "rte,sst2",
        "taught": "rte",
        "select_by": "rte",
        "members": f"{folder / 'encoder'}:0.1,{folder / 'cased'}:0.2",
        "best": 2,
        "student": str(folder / "encoder"),
        "answer_networks": "rte",
        "task_dropout": "rte:0.3",
        "glue_dir": str(folder / "glue"),
        "sequence_length": 16,
        "batch_size": 4,
        "epochs": 1,
        "tuning_epochs": 1,
        "rate": 1e-2,
    }


@pytest.fixture(scope="package")
def arguments(settings):
    """The same as a command line."""
    return command_line(settings)


@pytest.fixture(scope="package")
def run_dir(folder, arguments):
    """What a whole run left."""
    assert main(arguments(folder / "run", student_tuning_epochs=1)) == 0
    return folder / "run"


@pytest.fixture(scope="package")
def found(run_dir):
    return json.loads((run_dir / "results.json").read_text())
