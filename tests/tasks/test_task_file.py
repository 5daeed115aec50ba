"""A task of one's own in a small JSON file."""

import json

import pytest

from keras_distill import tasks
from recipes.common import reading

ROWS = "win a prize,spam\nsee you at noon,ham\n"


@pytest.fixture
def describe(tmp_path):
    """Writes a description beside `mails.csv`; returns its path."""
    (tmp_path / "mails.csv").write_text("body,label\n" + ROWS * 5)

    def write(name="junk.json", **fields):
        path = tmp_path / name
        path.write_text(json.dumps({"data": "mails.csv", **fields}))
        return path

    return write


def test_all_that_it_says_counts(describe, tmp_path, capsys):
    """From another folder than the current one."""
    other = "label,body,key\nspam,free,a\nham,lunch,b\nspam,win,c\n"
    (tmp_path / "held_out.csv").write_text(other)
    path = describe(
        data={"train": "mails.csv", "dev": str(tmp_path / "held_out.csv")},
        name="mails",
        kind="classification",
        text_columns="body",
        label_column="label",
        id_column="key",
        label_names=["spam", "ham"],
        metrics=["macro_f1", "accuracy"],
        sequence_length=32,
    )
    task, splits = tasks.load_task_file(path)
    assert task == tasks.ClassificationTask(
        "mails", ("body",), ("spam", "ham"), ("macro_f1", "accuracy"), 32
    )
    assert list(splits) == ["train", "dev"]
    assert splits["dev"].labels.tolist() == [0, 1, 0]
    assert splits["dev"].ids.tolist() == ["a", "b", "c"]
    assert "classification of 'body' by 'label'" in capsys.readouterr().err
    # The same by a few lines of Python.
    again, _ = tasks.load_data(
        {"train": tmp_path / "mails.csv", "dev": tmp_path / "held_out.csv"},
        label_names=("spam", "ham"),
        metrics=("macro_f1", "accuracy"),
        sequence_length=32,
        name="mails",
        quiet=True,
    )
    assert again == task


def test_in_the_place_of_a_name(describe):
    path = str(describe(dev_share=0.4, seed=3))
    task, splits = tasks.load(path)
    assert task == tasks.get_task(path)
    assert (task.name, len(splits["dev"])) == ("junk", 4)
    joined, both = tasks.load(f"{path}+{describe('more.json')}")
    assert joined.name == "junk+more"
    assert len(both["train"]) == 6 + 9
    # So do the recipes.
    reading.check_task(path)
    with pytest.raises(ValueError, match="says itself where its data lie"):
        tasks.load(path, data_dir="glue")
    with pytest.raises(ValueError, match="which is not there"):
        reading.check_task("other.json")


def test_a_ranking(describe, tmp_path):
    rows = [("q", "a", 1), ("q", "b", 0), ("r", "c", 0), ("r", "d", 1)]
    lines = ["query\tanswer\tlabel", *("\t".join(map(str, r)) for r in rows)]
    (tmp_path / "answers.tsv").write_text("\n".join(lines) + "\n")
    path = describe(
        data="answers.tsv",
        kind="ranking",
        text_columns=["query", "answer"],
        dev_share=0.5,
    )
    task, splits = tasks.load_task_file(path, quiet=True)
    assert (task.kind, task.sequence_length) == ("ranking", 128)
    assert len(set(map(abs, splits["train"].labels))) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lable_names": ["a"]}, "no field 'lable_names' .did you mean 'label"),
        ({"kind": 3}, "the field 'kind' must be a string. Received: 3"),
        ({"metrics": "accuracy"}, "'metrics' must be a list of strings"),
        ({"sequence_length": True}, "'sequence_length' must be a whole number"),
        ({"dev_share": "0.1"}, "'dev_share' must be a number"),
        ({"quoting": "no"}, "'quoting' must be true or false"),
        ({"text_columns": [1]}, "'text_columns' must be a string or a list of"),
        ({"data": 3}, "'data' must be a string, or an object of strings"),
        # What `load_data` has to say, by the same words.
        ({"kind": "sorting"}, "`kind` must be one of classification"),
        ({"metrics": ["pearson"]}, "`metrics` must fit the labels"),
        ({"label_column": "place"}, "there is no 'place'|no column 'place'"),
        ({"data": "none.csv"}, "'data' must be a file or a folder.*not there"),
        ({"data": {"dev": "mails.csv"}}, "'data' must name files of train"),
        ({"data": {"train": "x.csv"}}, "'data' must name files.*x.csv' for tr"),
        ({"data": {"train": "a", "new": "b"}}, "'data' must name files of tra"),
    ],
)
def test_bad_fields(describe, fields, message):
    path = describe(**fields)
    with pytest.raises(ValueError, match=f"junk.json: .*(?:{message})"):
        tasks.load_task_file(path, quiet=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{\n", ":2: the file is not JSON"),
        ("[1]", "the file must hold one object, such as"),
        ("{}", "the field 'data' is missing"),
    ],
)
def test_files_that_describe_nothing(tmp_path, content, message):
    path = tmp_path / "task.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"task.json.*{message}"):
        tasks.load_task_file(path)
