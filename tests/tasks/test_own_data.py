"""People's own data, a file or a folder, as a task."""

import gzip
import json

import numpy as np
import pytest

from keras_distill import tasks

MAILS = "text,label\n" + "".join(
    f"mail {row},{'spam' if row % 4 == 0 else 'ham'}\n" for row in range(40)
)


@pytest.fixture
def write(tmp_path):
    """Writes a file and returns its path."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(text, list):
            text = "".join(json.dumps(row) + "\n" for row in text)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def load(write):
    """Opens a file that is written first."""

    def load(text, name="data.csv", **options):
        return tasks.load_data(write(name, text), **options)

    return load


def test_one_file_gives_train_and_dev(load, capsys):
    task, splits = load(MAILS, "mails.csv")
    assert task == tasks.ClassificationTask(
        "mails", ("text",), ("ham", "spam"), ("accuracy",), 64
    )
    told = capsys.readouterr().err.splitlines()
    [line] = told
    assert line.endswith(
        "mails.csv: classification of 'text' by 'label' with 2 labels: "
        "ham, spam"
    )
    assert list(splits) == ["train", "dev"]
    train, dev = splits["train"], splits["dev"]
    assert (len(train), len(dev)) == (36, 4)
    # Each row is in one of them, with its own label.
    rows = [
        (int(text.split()[1]), label)
        for part in (train, dev)
        for text, label in zip(part.texts[0], part.labels, strict=True)
    ]
    assert sorted(rows) == [(row, int(row % 4 == 0)) for row in range(40)]
    # A quarter of either is spam.
    assert (train.labels.sum(), dev.labels.sum()) == (9, 1)


def test_the_dev_split_is_seeded(load):
    def dev(**options):
        _, splits = load(MAILS, quiet=True, **options)
        return splits["dev"].texts[0]

    assert dev() == dev(seed=0) != dev(seed=1)
    assert len(dev(dev_share=0.25)) == 10
    for bad in ({"dev_share": 0}, {"dev_share": 1.0}, {"seed": -1}):
        with pytest.raises(ValueError, match=f"`{[*bad][0]}` must be"):
            dev(**bad)


def test_a_class_of_one_row_is_divided_at_random(load):
    _, splits = load(MAILS + "odd,other\nmail,ham\n")
    assert len(splits["train"]) + len(splits["dev"]) == 42


def test_quiet_says_nothing(load, capsys):
    load(MAILS, quiet=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbftext,label\r\na,x\r\nb,y\r\nc,x\r\n",
        "text;label\na;x\nb;y\nc;x\n",
        'Text ,LABEL\n"a",x\n"b", y\nc,x\n',
        "id,text,label\n1,a,x\n2,b,y\n3,c,x\n",
    ],
)
def test_csv_as_people_have_it(load, text):
    task, splits = load(text, seed=3)
    assert task.label_names == ("x", "y")
    texts = splits["train"].texts[0] + splits["dev"].texts[0]
    assert sorted(texts) == ["a", "b", "c"]


def test_a_compressed_file_gives_its_name(load):
    task, splits = load(gzip.compress(MAILS.encode()), "my.mails.csv.gz")
    assert task.name == "my.mails"
    assert len(splits["train"]) == 36


@pytest.mark.parametrize(
    ("header", "texts", "label"),
    [
        ("sentence1,Sentence2,label", ("sentence1", "Sentence2"), "label"),
        ("id,premise,hypothesis,class", ("premise", "hypothesis"), "class"),
        ("text,label,id", ("text",), "label"),
        # Of two columns the other one.
        ("mail,category", ("mail",), "category"),
    ],
)
def test_columns_that_the_header_shows(load, header, texts, label, capsys):
    width = header.count(",") + 1
    rows = [",".join([letter] * width) for letter in "abab"]
    task, _ = load("\n".join([header, *rows]))
    assert task.text_columns == texts
    assert task.sequence_length == 64 * len(texts)
    assert f"by '{label}'" in capsys.readouterr().err


SUBJECTS = "subject,body,label,target\na,b,x,1\nc,d,y,2\n"


@pytest.mark.parametrize(
    ("texts", "label", "message"),
    [
        (None, "label", "texts; name them by `text_columns` .--text-column."),
        ("body", None, "labels; name them by `label_column` .--label-column."),
        ("mail", "label", "no column 'mail'; the columns are: subject, body, "),
        ("body", "y", "no column 'y'; the columns are: subject, body, label"),
        ("body", "Body", "texts and labels must be of different columns"),
    ],
)
def test_columns_that_are_not_clear_are_asked_for(load, texts, label, message):
    with pytest.raises(ValueError, match=f"data.csv:1: .*{message}"):
        load(SUBJECTS, text_columns=texts, label_column=label)


def test_columns_go_by_name_in_any_case(load):
    task, splits = load(
        SUBJECTS, text_columns=("sUbject", "body"), label_column="LABEL"
    )
    assert task.text_columns == ("sUbject", "body")
    texts = [*splits["train"].texts, *splits["dev"].texts]
    assert sorted(texts) == [["a"], ["b"], ["c"], ["d"]]
    with pytest.raises(ValueError, match="one or two texts"):
        load(SUBJECTS, text_columns=("body", "body"))


def test_a_column_that_stands_there_twice(load):
    with pytest.raises(ValueError, match="'text' stands there twice"):
        load("text,text,label\na,b,x\n", text_columns="text")


def test_numbers_are_a_regression(load, capsys):
    rows = "".join(f"a {i},{i / 4}\n" for i in range(20))
    task, splits = load("sentence,score\n" + rows)
    assert task == tasks.RegressionTask(
        "data", ("sentence",), None, ("pearson_spearman",), 64
    )
    assert splits["train"].labels.dtype == np.float32
    assert "regression of 'sentence' by 'score'\n" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_whole_numbers_are_asked_about(load, kind):
    text = "text,label\n" + "".join(f"a {i},{i % 6}\n" for i in range(60))
    with pytest.raises(
        ValueError, match=r"data.csv: .* classes or scores.*--k"
    ):
        load(text)
    task, splits = load(text, kind=kind)
    assert task.kind == kind
    assert sorted(set(splits["train"].labels.tolist())) == [0, 1, 2, 3, 4, 5]


def test_classes_that_are_numbers_are_in_their_order(load):
    text = "text,label\na,10.0\nb,9\nc,10\nd,9.0\n"
    task, splits = load(text)
    assert task.label_names == ("9", "10")
    found = dict(
        pair
        for part in splits.values()
        for pair in zip(part.texts[0], part.labels.tolist(), strict=True)
    )
    assert found == {"a": 1, "b": 0, "c": 1, "d": 0}


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ("xxxx", {}, "one label only, 'x', in 4 rows"),
        ("xxxx", {"kind": "classification"}, "'x' alone; pass all"),
        ("xXxX", {}, "'X' and 'x' in column 'label' differ in case only"),
        (("", "", ""), {}, "the column 'label' holds no label"),
        ("xyxy", {"kind": "regresion"}, "`kind` must be one of"),
        ("xyxy", {"metrics": ("pearson",)}, "`metrics` must fit"),
        ("xyxy", {"label_names": ("x", "z")}, "data.csv:3: unknown label 'y'"),
        ("xyxy", {"encoding": "latin"}, None),
        (("x", "", "y"), {}, "data.csv:3: .*without a label"),
    ],
)
def test_what_labels_cannot_be(load, labels, options, message):
    text = "text,label\n" + "".join(f"a,{label}\n" for label in labels)
    if message is None:
        assert len(load(text, **options)[1]["train"]) == 3
        return
    with pytest.raises(ValueError, match=message):
        load(text, **options)[1]["train"]


def test_bad_rows_are_left_out_and_told_once(load, capsys):
    text = MAILS + ",ham\nno label,\n"
    with pytest.raises(ValueError, match="data.csv:42: the text in column"):
        load(text)[1]["train"]
    capsys.readouterr()
    _, splits = load(text, skip_bad_rows=True)
    assert len(splits["train"]) + len(splits["dev"]) == 40
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 and told[1].startswith("left out 2 rows of")


def test_a_folder_of_splits(write, tmp_path, capsys):
    write("mails/train.csv", MAILS)
    write("mails/valid.jsonl", [{"text": "a", "label": "spam"}])
    write("mails/test.tsv", "text\na prize\n")
    task, splits = tasks.load_data(tmp_path / "mails")
    assert (task.name, task.label_names) == ("mails", ("ham", "spam"))
    assert [*splits] == ["train", "dev", "test"]
    assert len(splits["train"]) == 40
    assert splits["dev"].labels.tolist() == [1]
    assert splits["test"].labels is None
    with pytest.raises(ValueError, match="for data without a dev split"):
        tasks.load_data(tmp_path / "mails", dev_share=0.2)
    # The same as `load_folder` has it, whose labels are known.
    _, known = tasks.load_folder(tmp_path / "mails", ("text",), ("ham", "spam"))
    assert known["train"].labels.tolist() == splits["train"].labels.tolist()


def test_a_folder_without_dev_gets_one(write, tmp_path):
    write("mails/train.csv", MAILS)
    write("mails/test.csv", "text,label\na,ham\n")
    _, splits = tasks.load_data(tmp_path / "mails")
    assert [*splits] == ["train", "dev", "test"]
    assert (len(splits["train"]), len(splits["dev"])) == (36, 4)
    assert splits["test"].labels.tolist() == [0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "is not there; .* holds "),
        ("data.xlsx", "write it as CSV, such as by `pandas.read_excel"),
        ("data.txt", "--kind tagging.* or rename it to .tsv"),
        ("folder/other.csv", "a file train that ends in .csv|holds other.csv"),
    ],
)
def test_paths_that_hold_no_data(write, tmp_path, name, message):
    path = tmp_path / name
    if name != "none.csv":
        path = write(name, MAILS)
    if path.parent.name == "folder":
        path = path.parent
    with pytest.raises(ValueError, match=message):
        tasks.load_data(path)


CONLL = "Anna B-PER\nsings O\n\nOslo B-LOC\n\nit O\n\n"
ROWS = [
    {"id": 1, "tokens": ["Anna", "sings"], "ner_tags": ["B-PER", "O"]},
    {"id": 2, "tokens": ["Oslo"], "ner_tags": ["S-LOC"]},
    {"id": 3, "tokens": ["it"], "ner_tags": ["O"]},
]
TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("names.conll", CONLL, {}),
        ("names.txt", CONLL, {"kind": "tagging"}),
        # The first line tells that there is no header.
        ("names.tsv", CONLL.replace(" ", "\t"), {}),
        ("names.jsonl", ROWS, {}),
        ("names.json", json.dumps(ROWS), {"kind": "tagging"}),
        (
            "names.jsonl",
            [{"w": row["tokens"], "t": row["ner_tags"]} for row in ROWS],
            {"text_columns": "W", "label_column": "t"},
        ),
    ],
)
def test_tagged_words(load, name, text, options, capsys):
    task, splits = load(text, name, **options)
    assert (task.kind, task.label_names) == ("tagging", TAGS)
    assert task.sequence_length == 128
    assert "tagging with 5 labels: O, B-LOC" in capsys.readouterr().err
    pairs = {
        tuple(words): labels.tolist()
        for part in splits.values()
        for words, labels in zip(part.words, part.labels, strict=True)
    }
    assert pairs == {("Anna", "sings"): [3, 0], ("Oslo",): [1], ("it",): [0]}


def test_tags_that_are_numbers_need_names(load):
    rows = [
        {**row, "ner_tags": [TAGS.index(tag.replace("S-", "B-")) for tag in t]}
        for row in ROWS
        for t in [row["ner_tags"]]
    ]
    with pytest.raises(ValueError, match="data.jsonl:1: the tag 3 is a number"):
        load(rows, "data.jsonl")
    task, splits = load(rows, "data.jsonl", label_names=TAGS)
    assert task.label_names == TAGS
    with pytest.raises(ValueError, match="the tag 3 is none of the 2, from 0"):
        load(rows, "data.jsonl", label_names=TAGS[:2])[1]["train"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": ["a", "b"], "ner_tags": ["O"]}, "2 words and 1 tags"),
        ({"tokens": [], "ner_tags": []}, "not a list of them"),
        ({"tokens": ["a", " "], "ner_tags": ["O", "O"]}, "word 2 is empty"),
        ({"tokens": "a b", "ner_tags": ["O", "O"]}, "not a list of them"),
        ({"tokens": ["a"], "ner_tags": ["PER"]}, "is no IOB tag"),
        ({"tokens": ["a"]}, "there is no 'ner_tags'"),
    ],
)
def test_bad_sentences_of_json(load, row, message, capsys):
    rows = [*ROWS, row]
    with pytest.raises(ValueError, match=f"data.jsonl:4: .*{message}"):
        load(rows, "data.jsonl")
    task, splits = load(rows, "data.jsonl", skip_bad_rows=True)
    assert len(splits["train"]) + len(splits["dev"]) == 3
    assert "left out 1 sentence of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "name", "options", "message"),
    [
        (CONLL, "a.conll", {"kind": "regression"}, "`kind` must be 'tagging'"),
        (CONLL, "a.conll", {"text_columns": "w"}, "they are found by themselv"),
        (ROWS, "a.jsonl", {"text_columns": ("id", "tokens")}, "the one column"),
        (
            [{"tokens": ["a"], "words": ["a"], "tags": ["O"]}],
            "a.jsonl",
            {},
            "a.jsonl:1: the columns tokens, words may all be meant",
        ),
    ],
)
def test_tagged_words_that_are_asked_for_otherwise(
    load, text, name, options, message
):
    with pytest.raises(ValueError, match=message):
        load(text, name, **options)


def test_load_iob_reads_json(write, tmp_path):
    write("en/train.jsonl", ROWS)
    write("en/test.jsonl", [{"tokens": ["it"], "ner_tags": None}])
    assert tasks.find_tags(tmp_path) == TAGS
    _, splits = tasks.load_iob(tmp_path, label_names=TAGS)
    assert splits["train"].words[0] == ["Anna", "sings"]
    assert splits["train"].labels[1].tolist() == [1]
    assert splits["test"].labels is None


TOPICS = "text,label\na,sport|law\nb,\nc,money\nd,law\ne,sport\n"


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("data.csv", TOPICS, {"label_separator": "|"}),
        (
            "data.jsonl",
            [
                {"text": "a", "label": ["sport", "law"]},
                {"text": "b", "label": []},
                {"text": "c", "label": ["money"]},
                {"text": "d", "label": ["law"]},
                {"text": "e", "label": ["sport"]},
            ],
            {},
        ),
        (
            "data.tsv",
            "text\tlabel\na\t['sport', 'law']\nb\t[]\nc\t['money']\n"
            'd\t["law"]\ne\t["sport"]\n',
            {"quoting": False},
        ),
        (
            "data.jsonl",
            [
                {"text": text, "label": row}
                for text, row in zip(
                    "abcde",
                    [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]],
                    strict=True,
                )
            ],
            {"label_names": ("law", "money", "sport")},
        ),
    ],
)
def test_several_labels_a_row(load, name, text, options, capsys):
    task, splits = load(text, name, **options)
    assert (task.kind, task.label_names) == (
        "multi_label",
        ("law", "money", "sport"),
    )
    assert task.metrics == ("micro_f1", "macro_f1", "subset_accuracy")
    assert "multi_label of 'text'" in capsys.readouterr().err
    rows = {
        text: labels.tolist()
        for part in splits.values()
        for text, labels in zip(part.texts[0], part.labels, strict=True)
    }
    expected = [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert rows == dict(zip("abcde", expected, strict=True))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (TOPICS, {}, "data.csv: .*'sport|law', whose parts are labels too"),
        (TOPICS, {"kind": "multi_label"}, '`label_separator="|"`'),
        (
            TOPICS,
            {"kind": "classification", "label_separator": "|"},
            "`label_separator` is for rows of several labels",
        ),
        (TOPICS, {"label_separator": ""}, "`label_separator` must be a str"),
        (
            "text,label\na,[law\nb,[]\n",
            {"quoting": True},
            "data.csv:2: .*'\\[law' are no list of JSON or Python",
        ),
        (
            'text,label\na,"[0, 1]"\nb,"[1, 0]"\n',
            {},
            "lists of 0 and 1; pass the names",
        ),
    ],
)
def test_several_labels_that_are_not_clear(load, text, options, message):
    with pytest.raises(ValueError, match=message):
        load(text, **options)


@pytest.mark.parametrize("name", ["data.csv", "data.jsonl"])
def test_ids_of_a_column(load, name):
    rows = [
        {"Key": f"{n}-{n % 3}", "text": f"mail {n}", "label": "ab"[n % 2]}
        for n in range(20)
    ]
    if name == "data.csv":
        lines = [",".join(map(str, row.values())) for row in rows]
        rows = "\n".join(["Key,text,label", *lines])
    _, splits = load(rows, name, id_column="key", quiet=True)
    assert len(splits["dev"]) == 2
    for examples in splits.values():
        for id_, text in zip(examples.ids, examples.texts[0], strict=True):
            number = int(text.removeprefix("mail "))
            assert id_ == f"{number}-{number % 3}"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("7,a,x\n8,b,y\n7,c,x", "data.csv:4: .* '7' is that of line 2 already"),
        ("7,a,x\n,b,y", "data.csv:3: the row's id is empty"),
    ],
)
def test_bad_ids(load, rows, message):
    text = f"id,text,label\n{rows}\n" + "".join(
        f"m{row},mail {row},{'xy'[row % 2]}\n" for row in range(20)
    )
    _, splits = load(text, id_column="id", quiet=True)
    with pytest.raises(ValueError, match=message):
        splits["train"]
    _, splits = load(text, id_column="id", quiet=True, skip_bad_rows=True)
    ids = [*splits["train"].ids, *splits["dev"].ids]
    assert len(ids) == len(set(ids)) == 20 + rows.count("\n")


def test_a_column_of_ids_must_be_there(load):
    _, splits = load(MAILS, id_column="key", quiet=True)
    with pytest.raises(ValueError, match="there is no column 'key'"):
        splits["train"]
    with pytest.raises(ValueError, match="`id_column` must be the name of"):
        load(MAILS, id_column=3)
    with pytest.raises(ValueError, match="`id_column` is for tables"):
        load("Anna B-PER\n\nOslo B-LOC\n", "names.conll", id_column="id")
