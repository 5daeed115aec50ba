"""Tasks of one's own in a folder."""

import numpy as np
import pytest

from keras_distill import tasks

COLUMNS = {"text_columns": ("text",), "label_names": ("ham", "spam")}


@pytest.fixture
def folder(write_tsv, tmp_path):
    write_tsv(
        "mails/train.tsv", ["label", "text"], ["spam", "win"], ["0", "hi"]
    )
    write_tsv("mails/test.tsv.gz", ["text"], ["a prize"])
    (tmp_path / "mails" / "dev.jsonl").write_text(
        '{"text": "hello", "label": "ham"}\n{"text": "buy", "label": 1}\n'
    )
    return tmp_path / "mails"


def test_splits(folder):
    task, splits = tasks.load_folder(folder, **COLUMNS)
    assert task == tasks.Task(
        "mails", ("text",), ("ham", "spam"), ("accuracy",), 64
    )
    assert list(splits) == ["train", "dev", "test"]
    assert splits["train"].texts == (["win", "hi"],)
    assert splits["train"].labels.tolist() == [1, 0]
    assert splits["dev"].labels.tolist() == [0, 1]
    assert splits["test"].labels is None


def test_regression_of_pairs(write_tsv, tmp_path):
    write_tsv("pairs/train.tsv", ["a", "b", "y"], ["x", "z", "-1.5"])
    task, splits = tasks.load_folder(
        tmp_path / "pairs", ("a", "b"), None, label_column="y"
    )
    assert task.is_regression
    assert task.sequence_length == 128
    assert task.metrics == ("pearson_spearman",)
    assert splits["train"].labels.tolist() == [-1.5]
    assert splits["train"].labels.dtype == np.float32


def test_names_that_are_numbers_are_names(write_tsv, tmp_path):
    write_tsv("stars/train.tsv", ["text", "label"], ["a", "1"], ["b", "0"])
    _, splits = tasks.load_folder(tmp_path / "stars", ("text",), ("1", "0"))
    assert splits["train"].labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    "row, message",
    [
        (["eggs", "a"], "unknown label 'eggs'; the labels are: ham (or 0)"),
        (["ham", " "], "the text in column 'text' is empty"),
        (["ham"], "expected 2 columns"),
    ],
)
def test_bad_row(write_tsv, tmp_path, row, message):
    path = write_tsv("mails/train.tsv", ["label", "text"], ["ham", "a"], row)
    _, splits = tasks.load_folder(tmp_path / "mails", **COLUMNS)
    with pytest.raises(ValueError) as error:
        splits["train"]
    assert str(error.value).startswith(f"{path}:3: ")
    assert message in str(error.value)


@pytest.mark.parametrize("score", ["good", "inf", "nan"])
def test_bad_score(write_tsv, tmp_path, score):
    write_tsv("scores/train.tsv", ["text", "label"], ["a", score])
    _, splits = tasks.load_folder(tmp_path / "scores", ("text",), None)
    with pytest.raises(ValueError, match="train.tsv:2: .* not a finite number"):
        splits["train"]


def test_labels_may_lack_in_test_only(write_tsv, tmp_path):
    write_tsv("mails/dev.tsv", ["text"], ["a"])
    _, splits = tasks.load_folder(tmp_path / "mails", **COLUMNS)
    with pytest.raises(ValueError, match="there is no column 'label'"):
        splits["dev"]


def test_no_folder_and_no_files(tmp_path):
    with pytest.raises(ValueError, match="`data_dir` must be a folder"):
        tasks.load_folder(tmp_path / "none", **COLUMNS)
    (tmp_path / "train.csv").write_text("")
    with pytest.raises(ValueError) as error:
        tasks.load_folder(tmp_path, **COLUMNS)
    assert "looked for train, dev and test" in str(error.value)
    assert "found train.csv" in str(error.value)
