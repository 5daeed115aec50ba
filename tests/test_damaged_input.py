"""Damaged files give a clear error or what they hold: no crash, no hang.

Each case is a file with one random damage. The rest of the files that this
library reads are in tests/teachers/cache.
"""

import gzip
import hashlib
import json
import pathlib
import random
import re
import signal

import numpy as np
import pytest
import safetensors.numpy

import keras_distill
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.stages import RunFolder
from keras_distill.stages import StageResult
from keras_distill.stages.checkpoints import Checkpoints
from keras_distill.stages.checkpoints import pack
from keras_distill.stages.checkpoints import unpack

SECONDS = 300


@pytest.fixture(autouse=True)
def no_hang():
    """Ends a test that hangs."""

    def stop(number, frame):
        raise TimeoutError(f"nothing came for {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def damaged(data, chance):
    """One random damage: a cut, a gap, other bytes, more bytes, a repeat."""
    place = chance.randrange(len(data) + 1)
    length = chance.choice([1, 1, 1, 2, 8, 100])
    kind = chance.randrange(5)
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + data[place + length :]
    if kind == 2:
        return data[:place] + chance.randbytes(length) + data[place + length :]
    if kind == 3:
        return data[:place] + chance.randbytes(length) + data[place:]
    return data[:place] + data[max(0, place - length) :]


def check(path, count, read, named=None):
    """Damages a file again and again, and reads it each time.

    Args:
        path: The file. It is as it was in the end.
        count: int. Cases.
        read: function without arguments that reads the file.
        named: str that every error has to name. Defaults to the file's name.

    Returns:
        int. How often there was an error.
    """
    chance = random.Random(str(path.name))
    whole = path.read_bytes()
    errors = 0
    for _ in range(count):
        path.write_bytes(damaged(whole, chance))
        try:
            read()
        except ValueError as error:
            assert (named or path.name) in str(error)
            errors += 1
    path.write_bytes(whole)
    read()
    return errors


TSV = {
    "sst2": ("SST-2", "sentence\tlabel", "a good film\t1", "größer\t0"),
    "stsb": (
        "STS-B",
        "index\tsentence1\tsentence2\tscore",
        "0\tone\ttwo\t2.5",
        "1\tthree\tfour\t5",
    ),
    "cola": ("CoLA", None, "gj04\t1\t\tIt is.", "gj04\t0\t*\tIs it not."),
    "qnli": (
        "QNLI",
        "index\tquestion\tsentence\tlabel",
        "0\twho?\tme\tentailment",
        "1\twhat?\tthat\tnot_entailment",
    ),
}


@pytest.mark.parametrize("ending", [".tsv", ".tsv.gz"])
@pytest.mark.parametrize("task", TSV)
def test_tsv(tmp_path, task, ending):
    folder, header, *rows = TSV[task]
    lines = [line for line in (header, *rows * 5) if line is not None]
    data = ("\n".join(lines) + "\n").encode()
    path = tmp_path / folder / f"train{ending}"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)

    def read():
        _, splits = tasks.load(task, data_dir=tmp_path)
        assert len(splits["train"]) > 0

    # A text with other letters is still a text.
    assert check(path, 100, read) > 20


@pytest.mark.parametrize("name", ["config.json", "run.json"])
def test_json_of_a_run(tmp_path, name):
    config = {"seed": 1, "rate": 0.5, "sizes": [1, 2], "deep": {"key": None}}
    RunFolder(tmp_path, config).close()
    path = tmp_path / name
    untouched = path.read_bytes()

    def read():
        # It may write, too.
        before = path.read_bytes()
        try:
            RunFolder(tmp_path, config, quiet=True).close()
        finally:
            path.write_bytes(before)

    # Other settings name the folder, damage the file in it.
    assert check(path, 150, read, named=str(tmp_path)) > 20
    assert path.read_bytes() == untouched


class Student:
    """What a stage's folder wants of a model."""

    variables = ()


def test_json_of_a_stage(tmp_path):
    folder = RunFolder(tmp_path, quiet=True)
    place = folder.stage("one")
    description = {"name": "one", "steps": 12}
    result = StageResult({"loss": [0.5, 0.25]}, 3.5, {"f1": 0.5, "epoch": 2})
    place.finish(result, Student, description)

    def read():
        place.load(Student, description)

    path = tmp_path / "stages" / "one" / "result.json"
    # The history is not checked against anything.
    assert check(path, 200, read, named="one") > 50
    weights = tmp_path / "stages" / "one" / "student.safetensors"
    assert check(weights, 100, read) > 90
    folder.close()


def make_state():
    return {
        "format": 1,
        "model": [np.arange(12, dtype="float32").reshape(3, 4), np.ones(2)],
        "callbacks": [["KeepBest", {"best": None, "weights": None}]],
        "random": {"python": [3, np.arange(5, dtype="uint32"), None]},
    }


def test_packed_states():
    whole = pack(make_state())
    chance = random.Random(1)
    errors = 0
    for _ in range(1000):
        try:
            unpack(damaged(whole, chance))
        except ValueError as error:
            assert "no packed state" in str(error)
            errors += 1
    assert errors > 500


def test_checkpoints(tmp_path):
    Checkpoints(tmp_path).write(make_state())
    (path,) = tmp_path.iterdir()

    def read():
        Checkpoints(tmp_path).read()

    # Those that hit nothing: a cut at the end, a repeat of nothing.
    assert check(path, 200, read) > 190


def test_checkpoints_with_a_name_that_fits(tmp_path):
    whole = pack(make_state())
    chance = random.Random(2)
    for _ in range(100):
        data = damaged(whole, chance)
        sha256 = hashlib.sha256(data).hexdigest()
        path = tmp_path / f"checkpoint-000001-{sha256}.safetensors"
        path.write_bytes(data)
        try:
            Checkpoints(tmp_path).read()
        except ValueError as error:
            assert "damaged" in str(error)
        path.unlink()


@pytest.fixture
def hugging_face_folder(tmp_path):
    """A BERT of one layer and width 4 in Hugging Face's layout."""
    folder = tmp_path / "bert"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "it"]
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": len(words),
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "hidden_size": 4,
        "intermediate_size": 8,
        "max_position_embeddings": 16,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "labels.json").write_text('["negative", "positive"]')
    layer = "encoder.layer.0."
    attention = f"{layer}attention."
    shapes = {
        "embeddings.word_embeddings.weight": (8, 4),
        "embeddings.position_embeddings.weight": (16, 4),
        "embeddings.token_type_embeddings.weight": (2, 4),
        f"{layer}intermediate.dense.weight": (8, 4),
        f"{layer}intermediate.dense.bias": (8,),
        f"{layer}output.dense.weight": (4, 8),
        f"{layer}output.dense.bias": (4,),
        "pooler.dense.weight": (4, 4),
        "pooler.dense.bias": (4,),
    }
    for name in ("self.query", "self.key", "self.value", "output.dense"):
        shapes[f"{attention}{name}.weight"] = (4, 4)
        shapes[f"{attention}{name}.bias"] = (4,)
    for name in ("embeddings.", f"{attention}output.", f"{layer}output."):
        for part in ("weight", "bias"):
            shapes[f"{name}LayerNorm.{part}"] = (4,)
    tensors = {name: np.ones(s, "float32") for name, s in shapes.items()}
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    return folder


HUGGING_FACE_FILES = (
    "config.json",
    "labels.json",
    "tokenizer_config.json",
    "vocab.txt",
    "model.safetensors",
)


def check_hugging_face(folder, name, count):
    def read():
        teachers.load_teacher(str(folder), 2, sequence_length=8)

    return check(folder / name, count, read, named=folder.name)


@pytest.mark.parametrize("name", HUGGING_FACE_FILES)
def test_hugging_face_folders(hugging_face_folder, name):
    check_hugging_face(hugging_face_folder, name, 5)


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGGING_FACE_FILES)
def test_many_hugging_face_folders(hugging_face_folder, name):
    check_hugging_face(hugging_face_folder, name, 60)


def test_nothing_is_unpickled():
    """No source of the library reads what could run code."""
    forbidden = re.compile(
        r"\bpickle\b|\bmarshal\b|\bshelve\b|\bdill\b|joblib\.load"
        r"|allow_pickle=True|safe_mode=False|torch\.load|enable_unsafe"
        r"|\beval\(|\bexec\("
    )
    root = pathlib.Path(keras_distill.__file__).parent
    found = [
        f"{path.name}:{number}"
        for path in root.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if forbidden.search(line)
        and not any(words in line for words in ("without pickle", "run any"))
    ]
    assert not found
