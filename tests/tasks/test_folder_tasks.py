"""Inference and BoolQ from folders."""

import json

import pytest

from keras_distill import tasks

NLI = ("litl", "wiki_crowd_nli", "cad_snli")


@pytest.fixture
def data_dir(tmp_path):
    """A folder with two rows of each task."""
    for place, name in enumerate(NLI):
        rows = [
            {"premise": f"{name} p", "hypothesis": "h", "label": label}
            for label in ("contradiction", "entailment", "neutral")[place:]
        ]
        write(tmp_path / "nli" / name / "train.jsonl", rows)
    write(tmp_path / "nli" / "litl" / "dev.jsonl", rows)
    write(
        tmp_path / "superglue" / "BoolQ" / "dev.jsonl",
        [
            {"question": "q", "passage": "p", "idx": 0, "label": True},
            {"question": "r", "passage": "s", "idx": 1, "label": False},
        ],
    )
    return tmp_path


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("below", ["", "nli", "nli/litl"])
def test_inference(data_dir, below):
    task, splits = tasks.load("litl", data_dir / below)
    assert task.label_names == tasks.get_task("mnli").label_names
    assert list(splits) == ["train", "dev"]
    assert splits["train"].labels.tolist() == [2, 0, 1]
    assert splits["train"].texts == (["litl p"] * 3, ["h"] * 3)


@pytest.mark.parametrize("below", ["", "superglue", "superglue/BoolQ"])
def test_boolq(data_dir, below):
    task, splits = tasks.load("boolq", data_dir / below)
    assert task.text_columns == ("question", "passage")
    assert splits["dev"].texts == (["q", "r"], ["p", "s"])
    assert splits["dev"].labels.tolist() == [1, 0]


def test_joined(data_dir):
    name = "+".join(NLI)
    task, splits = tasks.load(name, data_dir)
    assert task.name == name
    assert task == tasks.get_task(name)
    assert list(splits) == ["train", "dev"]
    train = splits["train"]
    assert train.labels.tolist() == [2, 0, 1, 0, 1, 1]
    assert train.ids.tolist() == list(range(6))
    assert train.texts[0][2:4] == ["litl p", "wiki_crowd_nli p"]
    assert len(splits["dev"]) == 1


def test_another_folder_is_refused(data_dir):
    with pytest.raises(ValueError) as error:
        tasks.load("litl", data_dir / "superglue")
    assert "must hold the folder litl or be it" in str(error.value)
    assert "which holds BoolQ" in str(error.value)
    with pytest.raises(ValueError, match="`data_dir` must be a folder"):
        tasks.load("litl", data_dir / "none")


def test_a_folder_is_needed(tmp_path):
    with pytest.raises(ValueError, match="boolq is read from a folder"):
        tasks.load("boolq")
    with pytest.raises(ValueError, match="give `data_dir`"):
        tasks.load("boolq", tfds_data_dir=tmp_path)
