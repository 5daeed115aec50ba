"""Tab-separated files, good and bad."""

import gzip

import pytest

from keras_distill.data.readers import tsv


def test_quotes_and_carriage_returns_are_text(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_bytes(b'text\tlabel\r\nan "open quote\t1\r\na \r b \x0b\t0\n')
    assert list(tsv.read_columns(path, ["text", "label"])) == [
        (2, ['an "open quote', "1"]),
        (3, ["a \r b \x0b", "0"]),
    ]


def test_byte_order_mark_is_dropped(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_bytes("\ufeffQuality\ttext\n1\tcaf\u00e9\n".encode())
    assert tsv.read_header(path) == ["Quality", "text"]
    rows = list(tsv.read_columns(path, ["text", "Quality"]))
    assert rows == [(2, ["café", "1"])]


def test_given_header_reads_the_first_line(write_tsv):
    path = write_tsv("dev.tsv", ["gj04", "1"], ["gj05", "0"])
    rows = list(tsv.read_columns(path, ["label"], header=["source", "label"]))
    assert rows == [(1, ["1"]), (2, ["0"])]


def test_compressed_file(write_tsv):
    path = write_tsv("dev.tsv.gz", ["text"], ["a"])
    assert list(tsv.read_columns(path, ["text"])) == [(2, ["a"])]


def test_plain_file_goes_first(write_tsv, tmp_path):
    assert tsv.find_file(tmp_path, "dev") is None
    compressed = write_tsv("dev.tsv.gz", ["text"])
    assert tsv.find_file(tmp_path, "dev") == compressed
    plain = write_tsv("dev.tsv", ["text"])
    assert tsv.find_file(tmp_path, "dev") == plain


def read_all(path, columns=("text",), header=None):
    return list(tsv.read_columns(path, columns, header))


def check_message(path, line, message, **arguments):
    with pytest.raises(ValueError) as error:
        read_all(path, **arguments)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["train.tsv", "train.tsv.gz"])
def test_empty_file(write_tsv, name):
    check_message(write_tsv(name), 1, "the file is empty")


def test_no_rows(write_tsv):
    check_message(write_tsv("a.tsv", ["text"]), 2, "the file has no rows")


def test_no_rows_without_header(write_tsv):
    path = write_tsv("a.tsv")
    check_message(path, 1, "the file has no rows", header=["text"])


def test_missing_column(write_tsv):
    path = write_tsv("a.tsv", ["text", "id"], ["a", "1"])
    check_message(
        path,
        1,
        "there is no column 'label'; the columns are: text, id.",
        columns=["text", "label"],
    )


def test_empty_lines_and_a_tab_at_the_end_are_no_more(write_tsv):
    path = write_tsv(
        "a.tsv", ["text", "label"], ["a", "1", ""], [""], ["b", "0"]
    )
    path.write_bytes(path.read_bytes() + b"\n")
    assert read_all(path) == [(2, ["a"]), (4, ["b"])]


def test_names_differ_in_case_and_spaces(write_tsv):
    path = write_tsv("a.tsv", ["Text ", "label"], ["a", "1"])
    assert read_all(path) == [(2, ["a"])]
    path = write_tsv("b.tsv", ["Text ", "text "], ["a", "1"])
    check_message(path, 1, "the column 'text' stands there twice")


@pytest.mark.parametrize("row", [["a"], ["a", "1", "2"]])
def test_wrong_number_of_columns(write_tsv, row):
    path = write_tsv("a.tsv", ["text", "label"], ["a", "1"], row)
    check_message(
        path, 3, f"expected 2 columns (text, label), found {len(row)}"
    )


def test_not_utf8(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes(b"text\ngood\ncaf\xe9\n")
    check_message(path, 3, "byte 4 of the line is not UTF-8")


@pytest.mark.parametrize("damage", ["cut", "changed", "not compressed"])
def test_damaged_gz(tmp_path, damage):
    whole = gzip.compress(b"text\n" + b"a good film\n" * 100, mtime=0)
    data = {
        "cut": whole[:-12],
        "changed": whole[:-6] + b"\x00\x00" + whole[-4:],
        "not compressed": b"text\na\n",
    }[damage]
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.tsv\.gz:\d+: the compressed"):
        read_all(path)
