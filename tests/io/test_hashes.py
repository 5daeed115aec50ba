"""What objects hold tells them apart, and nothing else does."""

import dataclasses
import hashlib
import json
import os
import pathlib

import keras
import numpy as np
import pytest

from keras_distill.io import FileHashes
from keras_distill.io import content_hash


@dataclasses.dataclass
class Rows:
    texts: list
    scores: object = None


def of(*values, **options):
    return content_hash(*values, **options).hexdigest()


def circle():
    rows = Rows(["a"])
    rows.scores = rows
    return rows


@pytest.mark.parametrize(
    "values",
    [
        (1, 2, 1.0, True, "1", b"1", None, np.int64(3)),
        ("ab", ["a", "b"], ("a", "b"), {"a": "b"}, {"a", "b"}),
        (np.zeros(3), np.zeros((3, 1)), np.zeros(3, "float32"), [0, 0, 0]),
        (np.array(["a", "b"], object), np.array(["a", "c"], object)),
        (Rows(["a"]), Rows(["b"]), Rows(["a"], 1), circle()),
        ("\ud800", "\ud801"),
        (keras.ops.ones(2), keras.ops.zeros(2)),
    ],
)
def test_what_differs_has_another_hash(values):
    assert len({of(value) for value in values}) == len(values)


def test_what_is_the_same_has_the_same_hash():
    for make in (
        lambda: {"b": [1, "x"], "a": {2, 3}},
        lambda: Rows(["a"], np.arange(3)),
        circle,
        object,
    ):
        assert of(make()) == of(make())
    assert of(np.float32(0.5)) == of(0.5)
    # In memory they lie otherwise.
    array = np.arange(6).reshape(2, 3)
    assert of(array.T) == of(np.ascontiguousarray(array.T))
    assert of(keras.ops.ones(2)) == of(np.ones(2, "float32"))


def test_tables_of_pandas_have_content():
    pandas = pytest.importorskip("pandas")
    tables = [
        pandas.DataFrame({name: ["good", text]})
        for name, text in (("a", "bad"), ("a", "worse"), ("b", "bad"))
    ]
    assert len({of(table) for table in tables}) == 3
    assert of(tables[0]) == of(tables[0].copy())


def test_files_count_with_their_content(tmp_path):
    file = tmp_path / "train.tsv"
    for place in (file, tmp_path, str(file), Rows(["x"], file)):
        hashes = []
        for text in ("one", "two", "one"):
            file.write_text(text)
            hashes.append(of(place, files=FileHashes().of))
        assert hashes[0] == hashes[2] != hashes[1]
    # Not with the place where they lie.
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "train.tsv").write_text("one")
    both = (str(file), str(moved / "train.tsv"))
    assert len({of(one, files=FileHashes().of) for one in both}) == 1
    assert len({of(one) for one in both}) == 2
    assert of("no\0name", files=FileHashes().of) == of("no\0name")


def test_a_hash_of_a_file_is_kept_while_it_is_untouched(tmp_path, monkeypatch):
    file = tmp_path / "large"
    file.write_bytes(b"1" * 1000)
    hashes = FileHashes()
    first = hashes.of(file)
    kept = hashes.content()
    assert (
        kept == {str(file): [1000, os.stat(file).st_mtime_ns, first]}
        and hashes.content() is None
    )
    path = tmp_path / "hashes.json"
    path.write_text(json.dumps(kept))
    opened, digest = [], hashlib.file_digest

    def noted(file, name):
        opened.append(file.name)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", noted)
    again = FileHashes(path)
    assert again.of(str(file)) == first and not opened
    assert again.content() is None
    # A nanosecond later, with the same size.
    stat = os.stat(file)
    file.write_bytes(b"2" * 1000)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert again.of(file) != first and len(opened) == 1


@pytest.mark.parametrize("text", ["{", "[1]", "7", '{"a": 1}', "[" * 100_000])
def test_damaged_hashes_are_made_anew(tmp_path, text):
    path = tmp_path / "hashes.json"
    path.write_text(text)
    hashes = FileHashes(path)
    file = pathlib.Path(__file__)
    assert hashes.of(file) == FileHashes().of(file)
    assert str(file) in hashes.content()
