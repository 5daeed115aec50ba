"""Files that are whole or not there."""

import errno
import os

import pytest

from keras_distill.saving import replaced_file


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
