"""What TensorFlow Datasets' own GLUE builder yields, without its download.

The builder reads made-up files in place of those that it would fetch.
"""

import dataclasses
import tempfile

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_distill import tasks
from keras_distill.tasks import glue_tfds

pytestmark = pytest.mark.tensorflow("reading rows is the same on each backend")

ROWS = 5
PAIR = ("index", "sentence1", "sentence2")


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header, *rows] if header else rows
    path.write_text("".join("\t".join(line) + "\n" for line in lines))


def text(split, row, column=1):
    return f"{split} row {row} text {column}"


def write_standard(folder, columns, label_column, label):
    """Files with a header, two texts or one, and a label but in test."""
    for split in ("train", "dev", "test"):
        labelled = split != "test"
        header = ["index", *columns] + [label_column] * labelled
        rows = [
            [str(row)]
            + [text(split, row, place + 1) for place in range(len(columns))]
            + [label(row)] * labelled
            for row in range(ROWS)
        ]
        write(folder / f"{split}.tsv", header, rows)


def write_cola(folder):
    for split in ("train", "dev"):
        rows = [["x", str(r % 2), "", text(split, r)] for r in range(ROWS)]
        write(folder / "CoLA" / f"{split}.tsv", None, rows)
    rows = [[str(row), text("test", row)] for row in range(ROWS)]
    write(folder / "CoLA" / "test.tsv", ["index", "sentence"], rows)


def write_mnli(folder):
    names = ("entailment", "neutral", "contradiction")
    for split in (
        "train",
        "dev_matched",
        "dev_mismatched",
        "test_matched",
        "test_mismatched",
    ):
        labelled = not split.startswith("test")
        rows = [
            [str(row), text(split, row), text(split, row, 2)]
            + [names[row % 3]] * labelled
            for row in range(ROWS)
        ]
        header = [*PAIR] + ["gold_label"] * labelled
        write(folder / "MNLI" / f"{split}.tsv", header, rows)


def write_mrpc(folder):
    """The original corpus, of which the builder takes rows 1 and 3 as dev."""
    header = ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"]
    for split, mark in (("train", "\ufeff"), ("test", "")):
        rows = [
            [str(r % 2), f"{r}1", f"{r}2", text(split, r), text(split, r, 2)]
            for r in range(ROWS)
        ]
        write(folder / split, [mark + header[0], *header[1:]], rows)
    write(folder / "dev_ids", None, [["11", "12"], ["31", "32"]])


def write_ax(folder):
    rows = [
        [str(row), text("test", row), text("test", row, 2)]
        for row in range(ROWS)
    ]
    write(folder / "AX.tsv", PAIR, rows)


WRITERS = {
    "cola": write_cola,
    "sst2": lambda folder: write_standard(
        folder / "SST-2", ["sentence"], "label", lambda row: str(row % 2)
    ),
    "mrpc": write_mrpc,
    "stsb": lambda folder: write_standard(
        folder / "STS-B",
        ["sentence1", "sentence2"],
        "score",
        lambda row: f"{row / 2:.3f}",
    ),
    "qqp": lambda folder: write_standard(
        folder / "QQP",
        ["question1", "question2"],
        "is_duplicate",
        lambda row: str(row % 2),
    ),
    "mnli": write_mnli,
    "qnli": lambda folder: write_standard(
        folder / "QNLI",
        ["question", "sentence"],
        "label",
        lambda row: ("entailment", "not_entailment")[row % 2],
    ),
    "rte": lambda folder: write_standard(
        folder / "RTE",
        ["sentence1", "sentence2"],
        "label",
        lambda row: ("entailment", "not_entailment")[row % 2],
    ),
    "wnli": lambda folder: write_standard(
        folder / "WNLI",
        ["sentence1", "sentence2"],
        "label",
        lambda row: str(row % 2),
    ),
    "ax": write_ax,
}


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path, monkeypatch):
    """TFDS leaves an empty temporary folder per builder behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads a task from TFDS, whose downloads are files in `tmp_path`."""
    sources = tmp_path / "sources"

    def download(self, url):
        if isinstance(url, dict):
            return {name: str(sources / name) for name in url}
        return str(sources / "AX.tsv")

    def download_and_extract(self, url):
        return str(sources)

    manager = tfds.download.DownloadManager
    monkeypatch.setattr(manager, "download", download)
    monkeypatch.setattr(manager, "download_and_extract", download_and_extract)

    def load_task(name):
        WRITERS[name](sources)
        return tasks.load(name, tfds_data_dir=str(tmp_path / "tfds"))

    return load_task


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"mrpc", "mnli", "ax"}))
def test_splits_texts_and_labels(load, name):
    task, splits = load(name)
    assert list(splits) == ["train", "dev", "test"]
    expected = np.arange(ROWS)
    expected = expected / 2 if task.kind == "regression" else expected % 2
    for split in splits:
        examples = splits[split]
        for place, column in enumerate(examples.texts):
            assert column == [text(split, r, place + 1) for r in range(ROWS)]
        assert examples.ids.tolist() == list(range(ROWS))
        if split == "test":
            assert examples.labels is None
        else:
            np.testing.assert_array_equal(examples.labels, expected)
            dtype = np.float32 if task.kind == "regression" else np.int32
            assert examples.labels.dtype == dtype


def test_mrpc_divides_the_original_corpus(load):
    _, splits = load("mrpc")
    assert splits["train"].ids.tolist() == [0, 2, 4]
    assert splits["train"].labels.tolist() == [0, 0, 0]
    assert splits["dev"].ids.tolist() == [1, 3]
    assert splits["dev"].labels.tolist() == [1, 1]
    assert splits["dev"].texts[1] == [text("train", 1, 2), text("train", 3, 2)]
    assert len(splits["test"]) == ROWS
    assert splits["test"].labels is None


def test_mnli_has_matched_and_mismatched_splits(load):
    task, splits = load("mnli")
    for split in ("train", "dev_matched", "dev_mismatched"):
        assert splits[split].texts[0][4] == text(split, 4)
        assert splits[split].labels.tolist() == [0, 1, 2, 0, 1]
    for split in ("test_matched", "test_mismatched"):
        assert splits[split].texts[1][0] == text(split, 0, 2)
        assert splits[split].labels is None
    assert len(splits) == 5
    assert task.label_names[2] == "contradiction"


def test_ax_is_unlabelled(load):
    task, splits = load("ax")
    assert list(splits) == ["test"]
    assert splits["test"].texts[0] == [text("test", r) for r in range(ROWS)]
    assert splits["test"].labels is None
    assert task.num_outputs == 3


def test_every_tasks_labels_are_in_the_builders_order(tmp_path):
    for name in WRITERS:
        builder = tfds.builder(f"glue/{name}", data_dir=str(tmp_path))
        task = tasks.get_task(name)
        label = builder.info.features["label"]
        if task.kind == "regression":
            assert not isinstance(label, tfds.features.ClassLabel)
        else:
            assert tuple(label.names) == task.label_names
        assert set(task.text_columns) <= set(builder.info.features)


def test_other_label_order_is_refused(load, tmp_path):
    task, _ = load("sst2")
    turned = dataclasses.replace(task, label_names=task.label_names[::-1])
    splits = glue_tfds.open_tfds(turned, str(tmp_path / "tfds"))
    with pytest.raises(ValueError, match="labels .'negative', 'positive'."):
        splits["train"]


def test_without_network(tmp_path, monkeypatch):
    def fail(self, url):
        raise ConnectionError("no route to host")

    manager = tfds.download.DownloadManager
    monkeypatch.setattr(manager, "download_and_extract", fail)
    _, splits = tasks.load("rte", tfds_data_dir=str(tmp_path))
    with pytest.raises(ValueError) as error:
        splits["dev"]
    assert "could not prepare glue/rte" in str(error.value)
    assert "no route to host" in str(error.value)
    assert "give `data_dir`" in str(error.value)
