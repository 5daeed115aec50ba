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
        ("Anna\tB-PER\nsings\n", 2, "found 1 columns"),
        ("Anna\tB-PER\nsings\tX\tO\n", 2, "found 3 columns"),
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


SENTENCES = [["Anna", "sings"], ["Oslo"]]
TAGS = [["B-PER", "O"], ["B-LOC"]]

CONLL_2003 = """\
-DOCSTART- -X- -X- O

Anna NNP B-NP B-PER
sings VBZ B-VP O

-DOCSTART- -X- -X- O

Oslo NNP B-NP B-LOC
"""
CONLLU = """\
# sent_id = 1
# text = Anna sings
1-2\tAnnasings\t_\t_\t_\t_\t_\t_\t_\t_
1\tAnna\tAnna\tPROPN\t_\t_\t2\tsubj\t_\tB-PER
2\tsings\tsing\tVERB\t_\t_\t0\troot\t_\tO

# sent_id = 2
1\tOslo\tOslo\tPROPN\t_\t_\t0\troot\t_\tB-LOC
"""


def read(path, split="train", **how):
    """The words and the tags of a split."""
    _, splits = tasks.load_iob(path.parent, **how)
    labels = splits[split].labels
    if labels is None:
        return splits[split].words, None
    names = how.get("label_names", tasks.WIKIANN_TAGS)
    return splits[split].words, [[names[i] for i in row] for row in labels]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.txt", "Anna B-PER\nsings O \n\nOslo B-LOC\n\n"),
        ("train.tsv", "Anna\tB-PER\nsings  O\n\nOslo\tB-LOC\t\n"),
        ("train.conll", CONLL_2003),
        ("train.conllu", CONLLU),
        ("train.conllu", "0\tAnna\tB-PER\n1\tsings\tO\n\n0\tOslo\tB-LOC\n"),
        (
            "train.bio",
            "# id 5\nAnna _ _ B-PER\nsings _ _ O\n\n# id 6\nOslo _ _ B-LOC",
        ),
        ("train.txt", "en:Anna\tB-PER\nen:sings\tO\n\nen:Oslo\tB-LOC\n"),
        ("train.tsv", "B-PER\tAnna\nO\tsings\n\nB-LOC\tOslo\n"),
        ("train.tsv", "Anna\tU-PER\nsings\tO\n\nOslo\tS-LOC\n"),
        ("train.csv", "Anna,B-PER\nsings,O\n\nOslo,B-LOC\n"),
        (
            "train.csv",
            "Sentence #,Word,POS,Tag\nSentence: 1,Anna,N,B-PER\n"
            ",sings,V,O\nSentence: 2,Oslo,N,B-LOC\n",
        ),
        (
            "train.tsv",
            "Anna\tB-PER\r\nsings\tO\r\n\r\nOslo\tB-LOC".encode("utf-16"),
        ),
    ],
)
def test_layouts_are_known(write, name, text):
    assert read(write(f"en/{name}", text)) == (SENTENCES, TAGS)


def test_phrases_of_several_words_in_other_schemes(write):
    text = "a\tB-X\nb\t{0}-X\nc\t{1}-X\nd\tO\ne\t{2}-X\nf\tB-X\ng\t{1}-X\n"
    names = ("O", "B-X", "I-X")
    tags = [["B-X", "I-X", "I-X", "O", "B-X", "B-X", "I-X"]]
    for places in ("IES", "ILU", "MES"):
        path = write("en/train.tsv", text.format(*places))
        assert tasks.find_tags(path.parent) == names
        assert read(path, label_names=names)[1] == tags


def test_signs_that_are_words(write):
    text = "#\tO\n#Oslo\tB-LOC\n\n-\tO\na:b\tO\n"
    words, _ = read(write("en/train.tsv", text))
    assert words == [["#", "#Oslo"], ["-", "a:b"]]


def test_two_columns_of_tags(write):
    text = "1\tAnna\tB-PER\tB-LOC\n2\tsings\tO\tO\n"
    path = write("de/train.tsv", text)
    with pytest.raises(ValueError, match="columns 2, 3 .* `tag_column` says"):
        read(path)
    assert read(path, tag_column=2)[1] == [["B-PER", "O"]]
    assert read(path, tag_column=-1)[1] == [["B-LOC", "O"]]
    for argument, message in (
        ({"tag_column": 4}, "one of 4 columns"),
        ({"tag_column": "ner"}, "the place of a column"),
        ({"tag_column": 1, "word_column": 1}, "two columns"),
    ):
        with pytest.raises(ValueError, match=message):
            read(path, **argument)


def test_of_several_columns_the_known_tags_are_read(write):
    # Chunks are the last here.
    path = write("en/train.txt", "Anna B-PER B-NP\nsings O B-VP\n")
    assert read(path)[1] == [["B-PER", "O"]]


@pytest.mark.parametrize("text", ["Anna\nsings\n", "Anna\t_\nsings\t_\n"])
def test_only_test_may_lack_tags(write, text):
    assert read(write("en/test.txt", text), "test") == (
        [["Anna", "sings"]],
        None,
    )
    with pytest.raises(ValueError, match="train.txt:1: the words have no tags"):
        read(write("en/train.txt", text))
    write("de/test.tsv", ENGLISH)
    with pytest.raises(ValueError, match="but those of other languages have"):
        tasks.load_iob(write("en/test.txt", text).parents[1])[1]["test"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Anna\tPER\nsings\tO\n", "1: unknown tag 'PER'.*no B- or I- before"),
        ("Anna\tB_PER\nsings\tO\n", "1: unknown.*Did you mean 'B-PER'"),
        ("Anna\tb-per\nsings\tO\n", "1: unknown.*Did you mean 'B-PER'"),
        ("1\ta\tb" + "\t_" * 7, "ten columns of CoNLL-U none holds IOB"),
    ],
)
def test_other_tags_are_named(write, text, message):
    with pytest.raises(ValueError, match=message):
        read(write("en/train.tsv", text))


def test_types_that_differ_in_case_are_not_learnt_as_two(write):
    path = write("en/train.tsv", "Anna\tB-PER\nOla\tB-Per\n")
    with pytest.raises(ValueError, match=r"train.tsv:2: the type 'Per'.*tsv:1"):
        tasks.find_tags(path.parent)


def test_sentences_with_a_bad_line_are_left_out_and_told(write, capsys):
    text = ENGLISH.encode() + b"\na\n\nb\tB-X\n\nc\tO\nd\xff\tO\n"
    path = write("en/train.tsv", text)
    assert read(path, skip_bad_rows=True) == (SENTENCES, TAGS)
    told = capsys.readouterr().err
    assert told.startswith(f"left out 3 sentences of {path}: ")
    for line, message in ((6, "found 1 columns"), (8, "unknown tag 'B-X'")):
        assert f"line {line} (" in told and message in told
    with pytest.raises(ValueError, match="no sentence that can be read, of 1"):
        read(write("de/train.tsv", "a\tB-X\n"), skip_bad_rows=True)


def test_files_of_tables_are_named(write):
    with pytest.raises(ValueError, match="train.parquet; write it as CSV"):
        read(write("en/train.parquet", "x"))
