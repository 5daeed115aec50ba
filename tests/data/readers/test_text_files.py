"""Unlabelled texts in files of several kinds."""

import gzip
import re

import numpy as np
import pytest

from keras_distill.tasks import TextFiles


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text.encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return write


def test_a_text_a_line(write):
    path = write("a.log", "a film\n\n \t \r\n  good\tfilm \n")
    texts = TextFiles(path)
    assert list(texts) == [("a film",), ("good\tfilm",)]
    # Once more from the start.
    assert list(texts) == [("a film",), ("good\tfilm",)]
    examples = texts.load()
    assert examples.texts == (["a film", "good\tfilm"],)
    assert examples.labels is None
    assert texts.load(max_texts=1).texts == (["a film"],)


def test_a_folder_in_the_order_of_its_paths(write, tmp_path):
    write("b.txt.gz", "b\n")
    write("a/z.txt", "z\n")
    write("c.txt", "c")
    write(".hidden.txt", "no\n")
    write(".git/x.txt", "no\n")
    write("README.md", "no\n")
    write("data.tsv", "no\n")
    assert list(TextFiles(tmp_path)) == [("z",), ("b",), ("c",)]
    files = [tmp_path / "c.txt", str(tmp_path / "a")]
    assert list(TextFiles(files)) == [("c",), ("z",)]


def test_columns_by_name(write, tmp_path):
    write("a.tsv", 'id\tfirst\tsecond\n1\ta "b\tc\n')
    write("b.jsonl.gz", '{"second": "e", "first": "d"}\n')
    write("c.txt", "no\n")
    texts = TextFiles(tmp_path, columns=("first", "second"))
    assert texts.num_columns == 2
    assert list(texts) == [('a "b', "c"), ("d", "e")]
    assert texts.load().texts == (['a "b', "d"], ["c", "e"])
    assert list(TextFiles(tmp_path, columns=["second"])) == [("c",), ("e",)]


def test_columns_by_place_have_no_header(write):
    # A name that says nothing about columns.
    path = write("transfer.txt", "a\tb\t1\nc\td\t0\n")
    assert list(TextFiles(path, columns=(1, 0))) == [("b", "a"), ("d", "c")]


def test_sentences_and_words(write):
    path = write("a.txt", "Title\nOne two. Three. Four five six!\n")
    texts = TextFiles(path, split_sentences=True, min_words=2)
    assert list(texts) == [("One two.",), ("Four five six!",)]
    pairs = write("a.tsv", "a\tb\none\tone two\none two\tone two\n")
    found = TextFiles(pairs, columns=("a", "b"), min_words=2)
    assert list(found) == [("one two", "one two")]


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_progress_adds_up_to_the_size(write, tmp_path, name):
    write(name, "a film\n" * 5000)
    write("b.txt", "")
    texts = TextFiles(tmp_path)
    seen = []
    assert len(list(texts.read(seen.append))) == 5000
    assert sum(seen) == texts.size == (tmp_path / name).stat().st_size
    assert min(seen) >= 0
    assert len(seen) > 4


@pytest.mark.parametrize(
    "text, columns, message",
    [
        ("a\tb\nc\n", (0,), "a.txt:2: expected 2 columns (0, 1), found 1"),
        ("a\tb\n", (2,), "a.txt:1: there is no column '2'; the columns are"),
        ("a\tb\n \tc\n", (0,), "a.txt:2: the text in column 0 is empty"),
        ("a\tb\n\tc\n", ("a",), "a.txt:2: the text in column 'a' is empty"),
        ("a\tb\n", ("c",), "a.txt:1: there is no column 'c'"),
        ("", ("c",), "a.txt:1: the file is empty"),
    ],
)
def test_bad_data(write, text, columns, message):
    path = write("a.txt", text)
    with pytest.raises(ValueError) as error:
        list(TextFiles(path, columns=columns))
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_not_utf8(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"good\ncaf\xe9\n")
    with pytest.raises(ValueError, match=r"a\.txt:2: byte 4 of the line"):
        list(TextFiles(tmp_path))


def test_places_do_not_suit_json(write):
    path = write("a.jsonl", '{"text": "a"}\n')
    with pytest.raises(ValueError, match="have names, not places"):
        list(TextFiles(path, columns=(0,)))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"columns": ()}, "`columns` must be a tuple of one or two"),
        ({"columns": ("a", "b", "c")}, "`columns` must be a tuple"),
        ({"columns": ("a", 1)}, "`columns` must be a tuple"),
        ({"columns": "text"}, "`columns` must be a tuple"),
        ({"columns": (0, 1), "split_sentences": True}, "is for single texts"),
        ({"min_words": 0}, "`min_words` must be an int of 1 or more"),
        ({"path": "no/such/file"}, "no file or folder 'no/such/file'"),
        ({"columns": ("a",)}, "no file that ends in .tsv, .csv, .jsonl"),
    ],
)
def test_bad_arguments(write, tmp_path, arguments, message):
    write("a.txt", "a\n")
    with pytest.raises(ValueError) as error:
        TextFiles(**{"path": tmp_path, **arguments})
    assert message in str(error.value)


def test_a_table_needs_columns(write):
    path = write("a.tsv.gz", "a\tb\n")
    with pytest.raises(ValueError, match="`columns` must say which"):
        TextFiles(path)


def test_no_text(write):
    texts = TextFiles(write("a.txt", "one\n\n"), min_words=2)
    assert list(texts) == []
    with pytest.raises(ValueError, match="no text of 2 or more words"):
        texts.load()
    with pytest.raises(ValueError, match="`max_texts` must be an int of 1"):
        texts.load(max_texts=0)


@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a.jsonl", "a.jsonl.gz"])
def test_damage_is_told_with_the_file_and_the_line(write, name):
    lines = {
        "a.txt": "a good film\ncafé\n",
        "a.tsv": "first\tsecond\na good film\tcafé\n",
        "a.jsonl": '{"first": "a good film", "second": "café \\u00e9"}\n',
    }[name.removesuffix(".gz")]
    path = write(name, lines * 3)
    whole = path.read_bytes()
    columns = None if name == "a.txt" else ("first", "second")
    random = np.random.RandomState(0)
    told = 0
    for case in range(300):
        damaged = bytearray(whole)
        place = random.randint(len(whole))
        if case % 3:
            damaged[place] = random.randint(256)
        else:
            del damaged[place : place + random.randint(1, 9)]
        path.write_bytes(damaged)
        try:
            texts = list(TextFiles(path, columns=columns))
        except ValueError as error:
            told += 1
            assert re.match(rf"{re.escape(str(path))}:\d+: ", str(error))
        else:
            assert all(text.strip() for row in texts for text in row)
    assert told > 20


@pytest.mark.parametrize("name", ["a.csv", "a.JSON", "a.csv.gz"])
def test_tables_are_never_read_as_lines(write, name):
    with pytest.raises(ValueError, match="`columns` must say which"):
        TextFiles(write(name, "text\na\n"))


@pytest.mark.parametrize(
    "name, message",
    [
        ("a.parquet", "as CSV, TSV or JSON. .*read_parquet"),
        ("a.conll", "words and tags; read it with .*load_iob"),
    ],
)
def test_other_kinds_of_files(write, name, message):
    with pytest.raises(ValueError, match=message):
        TextFiles(write(name, "a\n"), columns=("text",))


def test_other_encodings_and_bad_rows(tmp_path, capsys):
    path = tmp_path / "a.csv"
    path.write_bytes('text\ncafé\n""\nb\n'.encode("cp1252"))
    texts = TextFiles(path, ("text",), encoding="cp1252", skip_bad_rows=True)
    assert list(texts) == list(texts) == [("café",), ("b",)]
    # Once, however often it is read.
    assert capsys.readouterr().err.count("left out 1 row of") == 1
