"""A folder is replaced whole or not at all."""

import os

import pytest

from keras_distill.export.new_folder import new_folder


def test_the_folder_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "serving" / "1"
    with new_folder(path) as folder:
        (folder / "model").write_text("first")
        assert not path.exists()
    assert (path / "model").read_text() == "first"
    assert os.listdir(path.parent) == ["1"]


def test_replaces_an_earlier_folder(tmp_path):
    path = tmp_path / "1"
    for content in ["first", "second"]:
        with new_folder(path) as folder:
            (folder / content).write_text(content)
    assert os.listdir(path) == ["second"]
    assert os.listdir(tmp_path) == ["1"]


def test_a_failure_leaves_the_earlier_folder_and_no_litter(tmp_path):
    path = tmp_path / "1"
    with new_folder(path) as folder:
        (folder / "model").write_text("first")
    with pytest.raises(OSError, match="No space left"):
        with new_folder(path) as folder:
            (folder / "model").write_text("half of the sec")
            raise OSError(28, "No space left on device")
    assert (path / "model").read_text() == "first"
    assert os.listdir(tmp_path) == ["1"]


def test_a_failing_rename_puts_the_earlier_folder_back(tmp_path, monkeypatch):
    path = tmp_path / "1"
    with new_folder(path) as folder:
        (folder / "model").write_text("first")
    rename = os.rename

    def fail_on_the_new_folder(source, target):
        if source.name == "fresh":
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_on_the_new_folder)
    with pytest.raises(OSError, match="Input/output error"):
        with new_folder(path):
            pass
    assert (path / "model").read_text() == "first"
    assert os.listdir(tmp_path) == ["1"]


def test_the_folder_may_be_read_by_the_same_users_as_its_siblings(tmp_path):
    sibling = tmp_path / "sibling"
    sibling.mkdir()
    with new_folder(tmp_path / "1"):
        pass
    assert (tmp_path / "1").stat().st_mode == sibling.stat().st_mode
