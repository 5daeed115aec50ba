"""Documents and their sentences out of files of plain text."""

import gzip

import pytest

from keras_distill import corpora
from keras_distill.corpora import documents


@pytest.fixture
def write(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = data.encode() if isinstance(data, str) else data
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return write


def test_documents_end_at_empty_lines_and_files(write, tmp_path):
    write("b.txt.gz", "Tee\r\n \t \r\n\r\nDas ist gut.\r\nSehr gut")
    write("a/1.txt", "\n\nFilm\nIt is art. So it is.\n\n\nTea\n")
    write("notes.md", "no\n")
    assert list(corpora.read_documents(tmp_path)) == [
        ["Film", "It is art.", "So it is."],
        ["Tea"],
        ["Tee"],
        ["Das ist gut.", "Sehr gut"],
    ]


def test_other_encodings(write):
    path = write("a.txt", "a café\n".encode("cp1252"))
    assert list(corpora.read_documents(path, "cp1252")) == [["a café"]]
    with pytest.raises(ValueError, match=r"a\.txt:1: byte 6 of the line"):
        list(corpora.read_documents(path))


def test_a_document_without_end_goes_on_as_another(write, monkeypatch):
    monkeypatch.setattr(documents, "_LONGEST", 9)
    path = write("a.txt", "one two\nthree\nfour\n")
    assert list(corpora.read_documents(path)) == [
        ["one two", "three"],
        ["four"],
    ]


def test_no_text(write, tmp_path):
    with pytest.raises(ValueError, match="no file or folder"):
        corpora.read_documents(tmp_path / "absent")
    with pytest.raises(ValueError, match="no file that ends in .txt"):
        corpora.read_documents(tmp_path)
    path = write("a.txt", " \n\n")
    with pytest.raises(ValueError, match="no text in .*a.txt: all lines are"):
        list(corpora.read_documents(path))
    with pytest.raises(ValueError, match="`encoding` must be an encoding"):
        corpora.read_documents(path, "no-such")
