"""Files that are whole or not there."""

import errno
import os

import pytest

from keras_distill.io.saving import local_path
from keras_distill.io.saving import replaced_file
from keras_distill.io.saving import whole_file


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "deep" / "model.weights.h5"
    for content in ("one", "two"):
        with replaced_file(path) as temporary:
            # Keras looks at the ending.
            assert temporary.name.endswith(".weights.h5")
            temporary.write_text(content)
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == content
        assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("failing", [None, "fsync", "replace"])
def test_what_was_there_stays_when_it_fails(tmp_path, monkeypatch, failing):
    path = tmp_path / "file"
    path.write_text("one")

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if failing is not None:
        monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError, match="No space left"):
        with replaced_file(path) as temporary:
            temporary.write_text("tw")
            if failing is None:
                full()
    assert path.read_text() == "one"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_followed(tmp_path, is_there):
    target, link = tmp_path / "disk" / "file", tmp_path / "link"
    if is_there:
        target.parent.mkdir()
        target.write_text("one")
    link.symlink_to(target)
    with replaced_file(link) as temporary:
        temporary.write_text("two")
    assert link.is_symlink() and target.read_text() == "two"
    assert os.listdir(target.parent) == ["file"]


def test_a_tilde_is_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    with replaced_file("~/file") as temporary:
        temporary.write_text("one")
    with whole_file("~/one.txt", ".txt") as path:
        path.write_text("one")
    # Left to Keras, and still at home.
    with whole_file("~/two", ".txt") as path:
        assert path == str(tmp_path / "home" / "two")
    assert os.listdir(tmp_path) == ["home"]
    assert sorted(os.listdir("home")) == ["file", "one.txt"]


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="where a file is to be"):
        with replaced_file(tmp_path):
            pytest.fail("nothing is to be written")


def test_the_home_of_nobody_is_refused():
    with pytest.raises(ValueError, match="home directory.*'~no-such-user/x'"):
        local_path("~no-such-user/x")
