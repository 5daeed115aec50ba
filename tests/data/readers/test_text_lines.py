"""Lines of files in any encoding."""

import codecs
import gzip

import pytest

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.text_lines import read_lines

TEXT = "text\nsmall café ਊ\r\n\nlast"
LINES = [(1, "text"), (2, "small café ਊ"), (3, ""), (4, "last")]


@pytest.fixture
def write(tmp_path):
    def write(data, name="a.txt"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        return path

    return write


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize(
    "mark, encoding",
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_a_mark_says_the_encoding(write, name, mark, encoding):
    # The letter ਊ holds the byte of a line feed in UTF-16.
    path = write(mark + TEXT.encode(encoding), name)
    assert list(read_lines(path)) == LINES
    # A mark is right whatever is said.
    assert list(read_lines(path, encoding="utf-8")) == LINES


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_characters_without_mark(write, encoding):
    path = write(TEXT.encode(encoding))
    with pytest.raises(ValueError, match=f':1: .*pass encoding="{encoding}"'):
        list(read_lines(path))
    assert list(read_lines(path, encoding=encoding)) == LINES


def test_a_named_encoding(write):
    path = write("a\ncafé\n".encode("cp1252"))
    message = r"a\.txt:2: byte 4 of the line is not UTF-8.* cp1252.*'café'"
    with pytest.raises(ValueError, match=message):
        list(read_lines(path))
    lines = list(read_lines(path, encoding="cp1252"))
    assert lines == [(1, "a"), (2, "café")]
    with pytest.raises(ValueError, match="pass the file's own `encoding`"):
        list(read_lines(path, encoding="ascii"))


@pytest.mark.parametrize("encoding", ["klingon", "base64", 8])
def test_unknown_encodings(write, encoding):
    with pytest.raises(ValueError, match="`encoding` must be an encoding"):
        list(read_lines(write(b"a\n"), encoding=encoding))


def test_line_ends(write):
    mac = write(b"a\rb\rc\r")
    assert list(read_lines(mac)) == [(1, "a"), (2, "b"), (3, "c")]
    # A return among feeds is part of its text.
    mixed = write(b"a \r b\nc\r\n")
    assert list(read_lines(mixed)) == [(1, "a \r b"), (2, "c")]
    assert list(read_lines(write(b""))) == []


def test_bad_lines_are_left_out_and_told(write, capsys):
    path = write(b"a\n\xff\nb\0c\nd\n")
    with pytest.raises(ValueError, match=r"b\.txt:3: .* is NUL"):
        list(read_lines(write(b"a\na\nb\0c\n", "b.txt")))
    bad = BadRows(path, skip=True, unit="lines")
    assert list(read_lines(path, bad=bad)) == [(1, "a"), (4, "d")]
    bad.tell()
    told = capsys.readouterr().err
    assert told.startswith(f"left out 2 lines of {path}: line 2 (byte 1 of")
    assert "line 3 (character 2 of the line is NUL" in told


def test_the_first_of_many_are_told(capsys):
    bad = BadRows("a.tsv", skip=True)
    bad.tell()
    for line in range(1, 2001):
        bad.add(line, "short.")
    bad.tell()
    assert capsys.readouterr().err == (
        "left out 2,000 rows of a.tsv: line 1 (short), line 2 (short), "
        "line 3 (short) and 1,997 more\n"
    )


@pytest.mark.parametrize(
    "data, what",
    [
        (gzip.compress(b"a\n", mtime=0), "end in .gz"),
        (b"PK\x03\x04", "xlsx"),
        (b"PAR1", "Parquet"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_files_without_text(write, data, what):
    with pytest.raises(ValueError, match=rf"a\.csv:1: .*{what}"):
        list(read_lines(write(data, "a.csv")))
