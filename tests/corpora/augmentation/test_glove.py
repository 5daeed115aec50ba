"""Neighbours among word vectors, and the files that these come from."""

import gzip

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from keras_distill.corpora import augmentation
from keras_distill.corpora.augmentation import glove

TEXT = "film 1 0\nthe 0.9 0.1\nmovie 0.9 0.2\n, 0.9 0.3\nplot 0 1\n"


def test_neighbours_are_the_nearest_words_by_cosine():
    random = np.random.default_rng(0)
    words = [f"word{chr(97 + i)}" for i in range(20)]
    vectors = random.normal(size=(20, 5))
    found = augmentation.WordNeighbors(words, vectors).find(words, count=3)

    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T - 2 * np.eye(20)
    for row, word in enumerate(words):
        nearest = np.argsort(-cosines[row])[:3]
        assert found[word] == [words[place] for place in nearest]


def test_only_words_that_may_be_replaced_are_neighbours(neighbors):
    found = neighbors.find(["plot", "Meyrick", "unknown"], count=9)

    # Neither the word itself nor a stop word, a digit or a sign.
    assert sorted(found["plot"]) == sorted(
        "film movie meyrick actor great dull".split()
    )
    assert found["Meyrick"][0] == "actor"
    assert found["unknown"] == []


def test_chunks_change_nothing(neighbors, monkeypatch):
    words = ["film", "plot", "great"]
    whole = neighbors.find(words, count=2)
    monkeypatch.setattr(glove, "_PRODUCTS", 1)

    assert neighbors.find(words, count=2) == whole


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
def test_reads_gloves_text_format(tmp_path, name):
    path = tmp_path / name
    data = TEXT.encode()
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)

    found = augmentation.load_glove(path)
    assert len(found) == 5
    assert found.find(["film"], count=1) == {"film": ["movie"]}
    first = augmentation.load_glove(path, max_words=2)
    assert len(first) == 2 and first.find(["film"], 1) == {"film": []}


def test_reads_the_folder_of_the_package(tmp_path):
    np.save(tmp_path / "emb.npy", np.array([[1, 0], [0.9, 0.2]], "float32"))
    table = pyarrow.table({"index": ["film", "movie"]})
    pyarrow.parquet.write_table(table, tmp_path / "index.parquet")

    found = augmentation.load_glove(tmp_path)
    assert found.find(["movie"], count=1) == {"movie": ["film"]}


@pytest.mark.parametrize(
    "text, message",
    [
        ("2 50\n" + TEXT, r"vectors.txt:1: 2 50 is a header as word2vec"),
        (TEXT + "dull 1\n", r"vectors.txt:6: the line has 1 numbers, .* has 2"),
        (TEXT + "dull 1 x\n", r"vectors.txt:6: the line holds something else"),
        ("film\n", r"vectors.txt:1: the line has 0 numbers"),
        ("", r"vectors.txt:1: the file is empty"),
    ],
)
def test_bad_lines_are_named(tmp_path, text, message):
    path = tmp_path / "vectors.txt"
    path.write_text(text)

    with pytest.raises(ValueError, match=message):
        augmentation.load_glove(path)


def test_what_is_not_there_is_said(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="no word vectors in .*GloVe's text"):
        augmentation.load_glove(tmp_path / "none.txt")
    with pytest.raises(ValueError, match="one .npy and one .parquet"):
        augmentation.load_glove(tmp_path)
    monkeypatch.setattr(glove, "_PACKAGE", "no-such-package")
    with pytest.raises(ValueError, match="not installed. Install it with"):
        augmentation.load_glove()
