"""Splits are read when they are asked for."""

import pytest

from keras_distill.tasks import Splits


def test_reads_on_access_and_once():
    read = []

    def reader(name):
        return lambda: read.append(name) or name.upper()

    splits = Splits({"train": reader("train"), "dev": reader("dev")}, "a test")
    assert list(splits) == ["train", "dev"]
    assert len(splits) == 2
    assert "train" in splits and "test" not in splits
    assert read == []
    assert splits["dev"] == "DEV"
    assert splits["dev"] == "DEV"
    assert read == ["dev"]


def test_missing_split_says_what_there_is():
    splits = Splits({"train": list}, "a folder")
    with pytest.raises(ValueError) as error:
        splits["dev"]
    assert str(error.value) == (
        "There is no split 'dev' in a folder; the splits are: train."
    )
    assert splits.get("dev") is None
