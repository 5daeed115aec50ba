"""CSV and TSV files as people write them."""

import csv

import pytest

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.delimited import read_columns
from keras_distill.data.readers.delimited import read_names


@pytest.fixture
def read(tmp_path):
    """Reads a file of this text: its rows and how many were left out."""

    def read(text, name="a.csv", columns=("text", "label"), skip=False, **how):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        bad = BadRows(path, skip)
        rows = list(read_columns(path, columns, bad, **how))
        return rows if not skip else (rows, bad.count)

    return read


def test_quoted_fields(read):
    text = 'text,label\r\n"a, ""b""\r\nc",0\r\n\r\nd,1\r\n'
    assert read(text) == [(2, ['a, "b"\nc', "0"]), (5, ["d", "1"])]
    assert read(text, columns=["label"]) == [(2, ["0"]), (5, ["1"])]
    # Python's own limit is 131,072 characters.
    long = "x, " * 50_000
    assert read(f'text,label\n"{long}",0\n') == [(2, [long, "0"])]
    assert csv.field_size_limit() == 131_072


@pytest.mark.parametrize(
    "text",
    [
        "id;text;label\n1;a, b;0\n",
        "sep=;\nid;text;label\n1;a, b;0\n",
        "id\ttext\tlabel\n1\ta, b\t0\n",
        '"sep=|"\nid|text|label\n1|a, b|0\n',
    ],
)
def test_the_header_shows_the_delimiter(read, tmp_path, text):
    assert [values for _, values in read(text)] == [["a, b", "0"]]
    assert read_names(tmp_path / "a.csv") == ["id", "text", "label"]


def test_without_a_header(read):
    rows = read("a;0\nb;1\n", columns=(1, 0))
    assert rows == [(1, ["0", "a"]), (2, ["1", "b"])]


def test_names_may_differ_in_case_and_spaces(read):
    assert read("Text , LABEL\na,0\n") == [(2, ["a", "0"])]
    with pytest.raises(ValueError, match="a.csv:1: .* 'text' stands there tw"):
        read("text,Text,text,label\na,b,c,0\n")
    with pytest.raises(ValueError, match="a.csv:1: there is no column 'label'"):
        read("text,stars\na,0\n")


def test_delimiters_at_the_end_and_empty_rows(read):
    assert read("text,label,\na,0\n,,\nb,1,\n") == [
        (2, ["a", "0"]),
        (4, ["b", "1"]),
    ]
    # In one column an empty line may be an empty text, but not at the end.
    rows = read("text\na\n\nb\n\n", columns=["text"])
    assert rows == [(2, ["a"]), (3, [""]), (4, ["b"])]


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("text,label\na, b,0\nc,1\n", 2, "texts? with commas in it must be in"),
        ("text,label\na,0\nb\n", 3, "expected 2 columns .* found 1"),
        ('text,label\n"a,0\nc,1\nd,1\n', 2, "is opened and never closed"),
        ('text,label\n"a,0\n"c, d",1\n', 2, "a field that goes on"),
        ('text,label\n"a" b,0\nc,1\n', 2, "a field that goes on"),
        ("text,label\n", 2, "the file has no rows"),
        ("\n\n", 1, "the file is empty"),
    ],
)
def test_bad_rows_are_named(read, text, line, message):
    with pytest.raises(ValueError, match=rf"a\.csv:{line}: .*{message}"):
        read(text)


def test_a_bad_row_takes_no_other_with_it(read):
    text = 'text,label\n"a,0\nb,1\n"c,1\n"d, e",0\nf,1\n'
    rows, left_out = read(text, skip=True)
    assert rows == [(3, ["b", "1"]), (5, ["d, e", "0"]), (6, ["f", "1"])]
    assert left_out == 2


@pytest.mark.parametrize(
    "text, texts",
    [
        # Only quoting can mean these.
        ('text\tlabel\n"a\tb"\t0\n', ["a\tb"]),
        ('text\tlabel\n"a\nb"\t0\n', ["a\nb"]),
        ('text\tlabel\n"a ""b"""\t0\n', ['a "b"']),
        ('"text"\t"label"\n"a"\t0\n', ["a"]),
        # No writer that quotes leaves these.
        ('text\tlabel\na "b" c\t0\n', ['a "b" c']),
        ('text\tlabel\n"a" b\t0\n"c"\t1\n', ['"a" b', '"c"']),
        ('text\tlabel\n"a b\t0\nc\t1\n', ['"a b', "c"]),
        ('text\tlabel\na"\t0\n"b\t1\n', ['a"', '"b']),
        ("text\tlabel\na\t0\n", ["a"]),
    ],
)
def test_tsv_shows_whether_it_is_quoted(read, text, texts):
    rows = read(text, "a.tsv", columns=["text"])
    assert [row[0] for _, row in rows] == texts


def test_tsv_that_may_be_either(read):
    text = 'text\tlabel\nb\t0\n"A film."\t0\n'
    with pytest.raises(ValueError, match=r"a\.tsv:3: .*quoting=False"):
        read(text, "a.tsv")
    assert read(text, "a.tsv", quoting=True)[1] == (3, ["A film.", "0"])
    assert read(text, "a.tsv", quoting=False)[1] == (3, ['"A film."', "0"])
    with pytest.raises(ValueError, match="`quoting` must be True, False or"):
        read(text, "a.tsv", quoting=csv.QUOTE_NONE)


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
@pytest.mark.parametrize(
    "quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]
)
def test_what_python_writes_is_read(tmp_path, name, quoting):
    rows = [['a "b"', 0], ["c\td", 1], ["e\nf", 0], ["g, h", 1], ["i", 0]]
    path = tmp_path / name
    with open(path, "w", newline="") as file:
        delimiter = "\t" if name == "a.tsv" else ","
        writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
        writer.writerows([["text", "label"], *rows])
    found = read_columns(path, ["text", "label"], BadRows(path))
    assert [[text, int(label)] for _, (text, label) in found] == rows
