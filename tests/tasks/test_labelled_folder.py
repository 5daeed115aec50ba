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
    assert task.kind == "regression"
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
    (tmp_path / "notes.md").write_text("")
    with pytest.raises(ValueError) as error:
        tasks.load_folder(tmp_path, **COLUMNS)
    assert "looked for train, dev and test" in str(error.value)
    assert "found notes.md" in str(error.value)


@pytest.fixture
def read(tmp_path):
    """Reads a split of a folder with one file."""

    def read(name, text, split="train", **how):
        (tmp_path / name).write_text(text)
        return tasks.load_folder(tmp_path, **COLUMNS, **how)[1][split]

    return read


@pytest.mark.parametrize(
    "name, text",
    [
        ("train.csv", 'text,label\n"a, b",ham\nc,spam\n\n'),
        ("Train.CSV", 'text;label\n"a, b"; 0\nc;1.0\n'),
        ("train.tsv", "text\tlabel\na, b\tham\nc\tspam\n\n"),
        (
            "train.json",
            '[{"text": "a, b", "label": 0}, {"text": "c", "label": 1}]',
        ),
    ],
)
def test_files_as_people_have_them(read, name, text):
    examples = read(name, text)
    assert examples.texts == (["a, b", "c"],)
    assert examples.labels.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["validation", "valid", "val"])
def test_other_names_of_dev(read, name):
    assert len(read(f"{name}.csv", "text,label\na,ham\n", "dev")) == 1


@pytest.mark.parametrize("mark", ["-", "-1", ""])
def test_rows_without_a_label(read, mark, capsys):
    text = f"text,label\na,{mark}\nb,{mark}\n"
    assert read("test.csv", text, "test").labels is None
    with pytest.raises(ValueError, match="train.csv:2: .* without a label"):
        read("train.csv", text)
    with pytest.raises(ValueError, match="no row that can be read, of 2"):
        read("train.csv", text, skip_bad_rows=True)
    mixed = text + "c,ham\n"
    with pytest.raises(ValueError, match="test.csv:2: .* without a label"):
        read("test.csv", mixed, "test")
    capsys.readouterr()
    left = read("test.csv", mixed, "test", skip_bad_rows=True)
    assert left.texts == (["c"],)
    assert left.labels.tolist() == [0]
    assert "left out 2 rows of" in capsys.readouterr().err


def test_null_is_no_label(read):
    text = '{"text": "a", "label": null}\n'
    assert read("test.jsonl", text, "test").labels is None
    with pytest.raises(ValueError, match="train.jsonl:1: .*without a label"):
        read("train.jsonl", text)


def test_another_case_is_named(read):
    with pytest.raises(ValueError, match="train.csv:2: .*Did you mean 'ham'"):
        read("train.csv", "text,label\na,Ham\n")


def test_bad_rows_are_left_out_and_told(read, capsys):
    text = "text\tlabel\na\tham\nb\n\tham\nc\teggs\nd\tspam\n"
    assert read("train.tsv", text, skip_bad_rows=True).texts == (["a", "d"],)
    told = capsys.readouterr().err
    assert told.startswith("left out 3 rows of")
    assert "line 3 (expected 2 columns (text, label), found 1" in told
    assert "line 4 (the text in column 'text' is empty" in told
    assert "line 5 (unknown label 'eggs'" in told
    with pytest.raises(ValueError, match="`skip_bad_rows` must be True or"):
        read("train.tsv", text, skip_bad_rows="yes")


@pytest.mark.parametrize(
    "name, message",
    [
        ("train.xlsx", "write it as CSV, such as by `pandas.read_excel"),
        ("train.parquet", "write it as CSV, such as by `pandas.read_parquet"),
        ("train.txt", "rename it to .tsv"),
        ("train.csv.zip", "unpack it"),
    ],
)
def test_files_that_are_not_read_are_named(read, name, message):
    with pytest.raises(ValueError, match=rf"{name}; {message}"):
        read(name, "")


def test_two_files_of_a_split(write_tsv, read, tmp_path):
    rows = ["text", "label"], ["a", "ham"]
    write_tsv("train.tsv.gz", *rows)
    write_tsv("train.tsv", *rows)
    assert len(tasks.load_folder(tmp_path, **COLUMNS)[1]["train"]) == 1
    with pytest.raises(ValueError, match="Received: train.csv and train.tsv"):
        read("train.csv", "text,label\na,ham\n")


def test_a_file_for_the_folder(write_tsv):
    path = write_tsv("mails/train.tsv", ["text", "label"], ["a", "ham"])
    with pytest.raises(ValueError, match="a file; give the folder '.*mails'"):
        tasks.load_folder(path, **COLUMNS)
