"""The articles of TensorFlow Datasets' Wikipedia, without its download."""

import types

import pytest
import tensorflow_datasets as tfds

from keras_distill import corpora


class _Builder:
    """What `tfds.builder` gives, with three articles."""

    ARTICLES = ["Kino.\n\nEs ist Kunst. So ist es.\nTee", "  \n", "Wasser"]

    def __init__(self, name, data_dir=None):
        if "nope" in name:
            raise ValueError("BuilderConfig nope not found")
        self.info = types.SimpleNamespace(
            full_name=f"{name}:1.0.0",
            splits={"train": types.SimpleNamespace(num_examples=3)},
        )

    def download_and_prepare(self):
        pass

    def as_dataset(self, split):
        assert split == "train"
        rows = [{"text": text.encode(), "title": b""} for text in self.ARTICLES]
        return types.SimpleNamespace(as_numpy_iterator=lambda: iter(rows))


@pytest.fixture(autouse=True)
def builder(monkeypatch, tmp_path):
    monkeypatch.setattr(tfds, "builder", _Builder)
    monkeypatch.chdir(tmp_path)


def test_an_article_is_a_document():
    assert list(corpora.read_documents("wikipedia/20230601.de")) == [
        ["Kino.", "Es ist Kunst.", "So ist es.", "Tee"],
        ["Wasser"],
    ]


def test_a_folder_of_this_name_comes_first(tmp_path):
    (tmp_path / "wikipedia").mkdir()
    (tmp_path / "wikipedia/a.txt").write_text("Mine\n")
    assert list(corpora.read_documents("wikipedia")) == [["Mine"]]


def test_its_name_and_version_tell_it_apart(tmp_path, word_tokenizer):
    made = [
        corpora.tokenize_corpus(f"wikipedia/{name}", word_tokenizer, tmp_path)
        for name in ("20230601.de", "20230601.fr")
    ]
    assert made[0].pieces.tolist() == made[1].pieces.tolist()
    assert made[0].fingerprint != made[1].fingerprint


def test_what_cannot_be_prepared():
    with pytest.raises(ValueError, match="could not prepare 'wikipedia/nope'"):
        corpora.read_documents("wikipedia/nope")
