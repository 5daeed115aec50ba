"""Tagged sentences from files, one word a line."""

import gzip

import pytest

from keras_distill import tasks

ENGLISH = "Anna\tB-PER\nsings\tO\n\nOslo\tB-LOC\n"
GERMAN = "\n\nin\tO\nBad\tI-LOC\nEms\tI-LOC\n \n\nIBM\tB-ORG"


@pytest.fixture
def write(tmp_path):
    """Writes a file below `tmp_path`, compressed if it ends in .gz."""

    def write_file(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return write_file


def test_a_folder_per_language(write, tmp_path):
    write("en/train.tsv", ENGLISH)
    write("de/train.tsv.gz", GERMAN)
    write("de/dev.tsv", GERMAN)
    write("notes/readme.txt", "nothing to read")
    task, splits = tasks.load_iob(tmp_path)
    assert task.label_names == tasks.WIKIANN_TAGS
    assert list(splits) == ["train", "dev"]
    train = splits["train"]
    assert train.words == [
        ["in", "Bad", "Ems"],
        ["IBM"],
        ["Anna", "sings"],
        ["Oslo"],
    ]
    labels = [labels.tolist() for labels in train.labels]
    assert labels == [[0, 6, 6], [3], [1, 0], [5]]
    assert train.languages.tolist() == ["de", "de", "en", "en"]
    assert train.ids.tolist() == [0, 1, 2, 3]
    # English has no dev file.
    assert set(splits["dev"].languages) == {"de"}


def test_languages_in_the_order_asked_for(write, tmp_path):
    for language in ("de", "en", "fr"):
        write(f"{language}/test.tsv", ENGLISH)
    _, splits = tasks.load_iob(str(tmp_path), ["fr", "de"])
    assert splits["test"].languages.tolist() == ["fr", "fr", "de", "de"]


def test_one_folder_of_files_is_one_language(write, tmp_path):
    write("ja/train.tsv", ENGLISH)
    _, splits = tasks.load_iob(tmp_path / "ja")
    assert set(splits["train"].languages) == {"ja"}


def test_folders_by_language(write, tmp_path):
    write("one/en/train.tsv", ENGLISH)
    write("two/en/train.tsv", GERMAN)
    _, splits = tasks.load_iob(
        {"en": tmp_path / "one/en", "en_news": str(tmp_path / "two/en")}
    )
    assert splits["train"].languages.tolist() == ["en"] * 2 + ["en_news"] * 2


def test_tags_of_other_data_are_found(write, tmp_path):
    write("a/train.tsv", "7\tB-DAT\nJuly\tI-DAT\n")
    write("b/train.tsv", "Ulm\tB-CITY\n!\tO\n")
    names = tasks.find_tags(tmp_path)
    assert names == ("O", "B-CITY", "I-CITY", "B-DAT", "I-DAT")
    task, splits = tasks.load_iob(tmp_path, label_names=names, name="dates")
    assert task.name == "dates"
    assert splits["train"].labels[0].tolist() == [3, 4]
    with pytest.raises(ValueError, match=r"train.tsv:1: 'DAT' is no IOB tag"):
        tasks.find_tags(write("c/train.tsv", "7\tDAT\n").parent)
    with pytest.raises(ValueError, match="no train.tsv or train.tsv.gz"):
        tasks.find_tags(write("d/dev.tsv", "7\tO\n").parent)


def test_words_of_spaces_and_windows_line_ends(write):
    path = write("x/train.tsv", "\ufeff\u3000\tI-PER\r\na b\tO\r\n\r\nc\tO\r\n")
    _, splits = tasks.load_iob(path.parent)
    assert splits["train"].words == [["\u3000", "a b"], ["c"]]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("Anna\tB-PER\nsings O\n", 2, "found 1 columns"),
        ("Anna\tX\tB-PER\n", 1, "found 3 columns"),
        ("\nAnna\tB-PER\n\tO\n", 3, "the word is empty"),
        ("Anna\tB-MISC\n", 1, "unknown tag 'B-MISC'; the tags are: O, B-PER"),
        ("Anna\tb-per\n", 1, "unknown tag 'b-per'"),
        ("", 1, "the file holds no sentence"),
        ("\n \n\n", 1, "the file holds no sentence"),
        (b"Anna\tB-PER\n\xff\tO\n", 2, "not UTF-8"),
    ],
)
@pytest.mark.parametrize("name", ["train.tsv", "train.tsv.gz"])
def test_bad_lines_are_named(write, name, text, line, message):
    path = write(f"en/{name}", text)
    _, splits = tasks.load_iob(path.parent)
    with pytest.raises(ValueError) as error:
        splits["train"]
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)


def test_a_damaged_archive_is_named(write, tmp_path):
    path = write("en/train.tsv.gz", ENGLISH * 1000)
    path.write_bytes(path.read_bytes()[:-20])
    _, splits = tasks.load_iob(path.parent)
    with pytest.raises(ValueError, match="the compressed file is damaged"):
        splits["train"]


@pytest.mark.parametrize(
    ("data_dir", "languages", "message"),
    [
        ("nowhere", None, "which is not there; .* holds empty, en"),
        ("en/train.tsv", None, "which is a file"),
        ("empty", None, "`data_dir` must hold .* Received: 'empty'"),
        (".", ["en", "xx"], "xx'?, which is not there; .* holds empty, en"),
        (".", ["empty"], "a language without .* holds nothing"),
        (".", "en", "put it in a list"),
        ({"en": "en"}, ["en"], "leave it out"),
        ({}, None, "`data_dir` must hold"),
    ],
)
def test_missing_folders(
    write, tmp_path, monkeypatch, data_dir, languages, message
):
    write("en/train.tsv", ENGLISH)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        tasks.load_iob(data_dir, languages)


def test_a_missing_split_says_what_is_there(write):
    path = write("en/train.tsv", ENGLISH)
    _, splits = tasks.load_iob(path.parent)
    with pytest.raises(ValueError, match="no split 'dev' .*the splits are"):
        splits["dev"]
