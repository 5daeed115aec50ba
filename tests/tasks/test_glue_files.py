"""GLUE from a folder of TSV files."""

import numpy as np
import pytest

from keras_distill import tasks

# One train file per task: header or None, rows, texts, labels.
FILES = {
    "cola": (
        "CoLA/train.tsv",
        [["x01", "0", "*", "Film the good."], ["x02", "1", "", "It ended."]],
        (["Film the good.", "It ended."],),
        [0, 1],
    ),
    "sst2": (
        "SST-2/train.tsv",
        [["sentence", "label"], ["a dull plot ", "0"], ["good fun ", "1"]],
        (["a dull plot ", "good fun "],),
        [0, 1],
    ),
    "mrpc": (
        "MRPC/train.tsv",
        [
            ["\ufeffQuality", "#1 ID", "#2 ID", "#1 String", "#2 String"],
            ["1", "11", "12", 'He said "no.', "He refused."],
            ["0", "13", "14", "Rain fell.", "Snow fell."],
        ],
        (['He said "no.', "Rain fell."], ["He refused.", "Snow fell."]),
        [1, 0],
    ),
    "stsb": (
        "STS-B/train.tsv",
        [
            "index genre filename year old_index source1 source2 "
            "sentence1 sentence2 score".split(),
            "0|g|f|y|1|s|t|A cat.|A dog.|1.250".split("|"),
            "1|g|f|y|2|s|t|Sun.|The sun.|5.000".split("|"),
        ],
        (["A cat.", "Sun."], ["A dog.", "The sun."]),
        [1.25, 5.0],
    ),
    "qqp": (
        "QQP/train.tsv",
        [
            ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"],
            ["5", "1", "2", "Who?", "Who is it?", "1"],
            ["6", "3", "4", "When?", "Where?", "0"],
        ],
        (["Who?", "When?"], ["Who is it?", "Where?"]),
        [1, 0],
    ),
    "mnli": (
        "MNLI/train.tsv",
        [
            "index genre sentence1 sentence2 label1 gold_label".split(),
            "0|g|It rains.|It is dry.|neutral|contradiction".split("|"),
            "1|g|It rains.|It is wet.|entailment|entailment".split("|"),
            "2|g|It rains.|It is May.|neutral|neutral".split("|"),
        ],
        (["It rains."] * 3, ["It is dry.", "It is wet.", "It is May."]),
        [2, 0, 1],
    ),
    "qnli": (
        "QNLI/train.tsv",
        [
            ["index", "question", "sentence", "label"],
            ["0", "Who sang?", "Mary sang.", "entailment"],
            ["1", "Who sang?", "It was late.", "not_entailment"],
        ],
        (["Who sang?"] * 2, ["Mary sang.", "It was late."]),
        [0, 1],
    ),
    "rte": (
        "RTE/train.tsv",
        [
            ["index", "sentence1", "sentence2", "label"],
            ["0", "Mary sang.", "A song.", "not_entailment"],
            ["1", "Mary sang.", "Mary sang.", "entailment"],
        ],
        (["Mary sang."] * 2, ["A song.", "Mary sang."]),
        [1, 0],
    ),
    "wnli": (
        "WNLI/train.tsv",
        [
            ["index", "sentence1", "sentence2", "label"],
            ["0", "The cup fell on it.", "The cup fell.", "1"],
            ["1", "The cup fell on it.", "It fell.", "0"],
        ],
        (["The cup fell on it."] * 2, ["The cup fell.", "It fell."]),
        [1, 0],
    ),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_reads_the_layout_of_each_task(write_tsv, tmp_path, name, ending):
    file, rows, texts, labels = FILES[name]
    write_tsv(file + ending, *rows)
    task, splits = tasks.load(name, tmp_path)
    assert task.name == name
    assert list(splits) == ["train"]
    train = splits["train"]
    assert train.texts == texts
    assert train.labels.tolist() == labels
    assert train.labels.dtype == (np.float32 if name == "stsb" else np.int32)
    assert train.ids.tolist() == list(range(len(labels)))


def test_the_tasks_own_folder(write_tsv, tmp_path):
    write_tsv("mine/train.tsv", *FILES["sst2"][1])
    _, splits = tasks.load("sst2", str(tmp_path / "mine"))
    assert len(splits["train"]) == 2


_PAIR = ["index", "sentence1", "sentence2"]
# The header of each official test file, and the places of its texts.
TEST_FILES = {
    "cola": ("CoLA/test.tsv", ["index", "sentence"], [1]),
    "sst2": ("SST-2/test.tsv", ["index", "sentence"], [1]),
    "mrpc": (
        "MRPC/test.tsv",
        ["index", "#1 ID", "#2 ID", "#1 String", "#2 String"],
        [3, 4],
    ),
    "stsb": ("STS-B/test.tsv", FILES["stsb"][1][0][:-1], [7, 8]),
    "qqp": ("QQP/test.tsv", ["id", "question1", "question2"], [1, 2]),
    "mnli": (
        "MNLI/test_mismatched.tsv",
        "index promptID pairID genre sentence1_binary_parse "
        "sentence2_binary_parse sentence1_parse sentence2_parse sentence1 "
        "sentence2".split(),
        [8, 9],
    ),
    "qnli": ("QNLI/test.tsv", ["index", "question", "sentence"], [1, 2]),
    "rte": ("RTE/test.tsv", _PAIR, [1, 2]),
    "wnli": ("WNLI/test.tsv", _PAIR, [1, 2]),
    "ax": ("diagnostic/diagnostic.tsv", _PAIR, [1, 2]),
}


@pytest.mark.parametrize("name", TEST_FILES)
def test_official_test_files(write_tsv, tmp_path, name):
    file, header, places = TEST_FILES[name]
    # Rows keep the index that the server knows them by, and none is left out.
    rows = [
        [index, *(f"{column} {index}" for column in header[1:])]
        for index in ("7", "3", "0")
    ]
    rows[1][places[-1]] = ""
    write_tsv(file, header, *rows)
    split = file.split("/")[1].removesuffix(".tsv")
    split = "test" if split == "diagnostic" else split
    _, splits = tasks.load(name, tmp_path)
    assert list(splits) == [split]
    test = splits[split]
    assert test.texts == tuple([row[place] for row in rows] for place in places)
    assert test.ids.tolist() == [7, 3, 0]
    assert test.labels is None


def test_an_index_that_is_no_number(write_tsv, tmp_path):
    path = write_tsv("RTE/test.tsv", _PAIR, ["a", "b", "c"])
    check_message(
        lambda: tasks.load("rte", tmp_path)[1]["test"],
        f"{path}:2: the row's index 'a' is not a whole number.",
    )


def test_mrpc_as_microsoft_gave_it(write_tsv, tmp_path):
    header = FILES["mrpc"][1][0]
    rows = [
        ["1", "11", "12", 'He said "no.', "He refused."],
        ["0", "13", "14", "Rain fell.", "Snow fell."],
        ["1", "15", "16", "It rained.", "Rain fell."],
    ]
    write_tsv("MRPC/msr_paraphrase_train.txt", header, *rows)
    assert len(tasks.load("mrpc", tmp_path)[1]["train"]) == 3
    write_tsv("MRPC/dev_ids.tsv", ["13", "14"])
    write_tsv("MRPC/msr_paraphrase_test.txt", header, rows[2])
    _, splits = tasks.load("mrpc", tmp_path)
    assert list(splits) == ["train", "dev", "test"]
    assert splits["train"].texts[0] == ['He said "no.', "It rained."]
    assert splits["train"].labels.tolist() == [1, 1]
    assert splits["dev"].texts == (["Rain fell."], ["Snow fell."])
    assert splits["test"].labels.tolist() == [1]
    # What GLUE's script made of them goes first.
    write_tsv("MRPC/train.tsv", header, rows[1])
    _, splits = tasks.load("mrpc", tmp_path)
    assert list(splits) == ["train", "test"]
    assert splits["train"].labels.tolist() == [0]


def test_labelled_test_file(write_tsv, tmp_path):
    write_tsv("MRPC/test.tsv", *FILES["mrpc"][1])
    assert tasks.load("mrpc", tmp_path)[1]["test"].labels.tolist() == [1, 0]


def test_mnli_splits(write_tsv, tmp_path):
    rows = FILES["mnli"][1]
    for split in ("train", "dev_matched", "dev_mismatched"):
        write_tsv(f"MNLI/{split}.tsv", *rows)
    _, splits = tasks.load("mnli", tmp_path)
    assert list(splits) == ["train", "dev_matched", "dev_mismatched"]


@pytest.mark.parametrize("file", ["test", "AX", "diagnostic"])
def test_ax_has_only_a_test_split(write_tsv, tmp_path, file):
    rows = [["index", "sentence1", "sentence2"], ["0", "A cat.", "A dog."]]
    write_tsv(f"AX/{file}.tsv", *rows)
    task, splits = tasks.load("ax", tmp_path)
    assert list(splits) == ["test"]
    assert splits["test"].texts == (["A cat."], ["A dog."])
    assert splits["test"].labels is None
    assert task.label_names == tasks.get_task("mnli").label_names


def test_names_and_numbers_are_labels(write_tsv, tmp_path):
    write_tsv(
        "RTE/train.tsv",
        ["index", "sentence1", "sentence2", "label"],
        ["0", "a", "b", "1"],
        ["1", "a", "b", "entailment "],
        ["2", "a", "b", "1.0"],
    )
    assert tasks.load("rte", tmp_path)[1]["train"].labels.tolist() == [1, 0, 1]


def test_a_file_that_nobody_asks_for_is_not_opened(write_tsv, tmp_path):
    write_tsv("SST-2/train.tsv", *FILES["sst2"][1])
    (tmp_path / "SST-2" / "test.tsv.gz").write_bytes(b"not compressed")
    assert len(tasks.load("sst2", tmp_path)[1]["train"]) == 2


def check_message(function, *parts):
    with pytest.raises(ValueError) as error:
        function()
    for part in parts:
        assert part in str(error.value)


def test_missing_folder(tmp_path):
    absent = tmp_path / "absent"
    check_message(
        lambda: tasks.load("sst2", absent),
        "`data_dir` must be a folder",
        str(absent),
        "not there",
    )


def test_file_for_a_folder(write_tsv):
    path = write_tsv("train.tsv", *FILES["sst2"][1])
    check_message(lambda: tasks.load("sst2", path), "which is a file")


def test_folder_of_other_tasks(write_tsv, tmp_path):
    write_tsv("CoLA/train.tsv", *FILES["cola"][1])
    check_message(
        lambda: tasks.load("sst2", tmp_path),
        "must hold the folder SST-2 or be it",
        "holds CoLA.",
    )


def test_another_tasks_folder_is_refused(write_tsv, tmp_path):
    # RTE and WNLI have the same columns, but number their labels otherwise.
    write_tsv("WNLI/train.tsv", *FILES["wnli"][1])
    check_message(
        lambda: tasks.load("rte", tmp_path / "WNLI"),
        "must hold the folder RTE or be it",
    )


def test_folder_without_files(tmp_path):
    (tmp_path / "SST-2").mkdir()
    check_message(
        lambda: tasks.load("sst2", tmp_path),
        "looked for train.tsv, dev.tsv, test.tsv",
        "found nothing",
    )


def test_long_folders_are_listed_in_short(write_tsv, tmp_path):
    for number in range(20):
        write_tsv(f"file{number:02}.txt", ["a"])
    check_message(
        lambda: tasks.load("sst2", tmp_path), "file11.txt and 8 more."
    )


def test_missing_file(write_tsv, tmp_path):
    write_tsv("SST-2/train.tsv", *FILES["sst2"][1])
    check_message(
        lambda: tasks.load("sst2", tmp_path)[1]["dev"],
        "no split 'dev'",
        "holds train.tsv",
    )


def read_sst2(write_tsv, tmp_path, *rows, name="train"):
    path = write_tsv(f"SST-2/{name}.tsv", *rows)
    return path, lambda: tasks.load("sst2", tmp_path)[1][name]


@pytest.mark.parametrize("name", ["train", "dev"])
def test_labels_are_missing(write_tsv, tmp_path, name):
    path, read = read_sst2(
        write_tsv, tmp_path, ["index", "sentence"], ["0", "a"], name=name
    )
    check_message(read, f"{path}:1: there is no column 'label'")


@pytest.mark.parametrize("text", ["", "  "])
def test_empty_text(write_tsv, tmp_path, text):
    path, read = read_sst2(
        write_tsv, tmp_path, ["sentence", "label"], ["a", "1"], [text, "1"]
    )
    check_message(read, f"{path}:3: the text in column 'sentence' is empty")


@pytest.mark.parametrize("label", ["2", "-1", "", "Positive", "1.5"])
def test_unknown_label(write_tsv, tmp_path, label):
    path, read = read_sst2(
        write_tsv, tmp_path, ["sentence", "label"], ["a", label]
    )
    check_message(
        read,
        f"{path}:2: unknown label {label!r}; the labels are: "
        "negative (or 0), positive (or 1).",
    )


def test_mnli_without_gold_label(write_tsv, tmp_path):
    write_tsv(
        "MNLI/train.tsv",
        ["sentence1", "sentence2", "gold_label"],
        ["a", "b", "-"],
    )
    check_message(
        lambda: tasks.load("mnli", tmp_path)[1]["train"],
        "train.tsv:2: unknown label '-'",
        "contradiction (or 2)",
    )


@pytest.mark.parametrize("score", ["good", "", "nan", "-0.5", "5.5"])
def test_bad_score(write_tsv, tmp_path, score):
    write_tsv(
        "STS-B/train.tsv",
        ["sentence1", "sentence2", "score"],
        ["a", "b", "0.000"],
        ["a", "b", score],
    )
    check_message(
        lambda: tasks.load("stsb", tmp_path)[1]["train"],
        f"train.tsv:3: the score {score!r} is not a number from 0 to 5.",
    )


def test_short_rows_are_left_out_if_asked_for(write_tsv, tmp_path, capsys):
    header, *rows = FILES["qqp"][1]
    path = write_tsv("QQP/train.tsv", header, rows[0], ["7", "5", "6", "x"])
    check_message(
        lambda: tasks.load("qqp", tmp_path)[1]["train"], f"{path}:3: "
    )
    _, splits = tasks.load("qqp", tmp_path, skip_bad_rows=True)
    assert splits["train"].labels.tolist() == [1]
    assert f"left out 1 row of {path}: line 3 (" in capsys.readouterr().err


def test_a_test_file_whose_labels_are_marks(write_tsv, tmp_path):
    rows = [["sentence", "label"], ["a", "-1"], ["b", "-1"]]
    write_tsv("SST-2/test.tsv", *rows)
    assert tasks.load("sst2", tmp_path)[1]["test"].labels is None


def test_what_is_about_files_needs_files():
    for argument in ({"skip_bad_rows": True}, {"encoding": "cp1252"}):
        with pytest.raises(ValueError, match="about files in `data_dir`"):
            tasks.load("sst2", **argument)


def test_another_encoding(tmp_path):
    (tmp_path / "SST-2").mkdir()
    path = tmp_path / "SST-2" / "train.tsv"
    path.write_bytes("sentence\tlabel\ncafé\t1\n".encode("cp1252"))
    _, splits = tasks.load("sst2", tmp_path, encoding="cp1252")
    assert splits["train"].texts == (["café"],)


def test_splits_that_other_libraries_wrote(write_tsv, tmp_path):
    folder = tmp_path / "MRPC"
    folder.mkdir()
    (folder / "train.csv").write_text(
        'sentence1,sentence2,label,idx\n"a, b",c,1,0\nd,"say ""e""",0,1\n'
    )
    (folder / "validation.jsonl").write_text(
        '{"sentence1": "a", "sentence2": "b", "label": 0, "idx": 0}\n'
    )
    (folder / "test.json").write_text(
        '[{"sentence1": "a", "sentence2": "b", "label": -1}]'
    )
    _, splits = tasks.load("mrpc", tmp_path)
    assert splits["train"].texts == (["a, b", "d"], ["c", 'say "e"'])
    assert splits["train"].labels.tolist() == [1, 0]
    assert splits["dev"].labels.tolist() == [0]
    assert splits["test"].labels is None
    # GLUE's own file goes first.
    write_tsv("MRPC/train.tsv", *FILES["mrpc"][1])
    assert tasks.load("mrpc", tmp_path)[1]["train"].texts == FILES["mrpc"][2]
    mnli = tmp_path / "MNLI" / "validation_matched.csv"
    mnli.parent.mkdir()
    mnli.write_text("premise,hypothesis,label\na,b,2\n")
    assert list(tasks.load("mnli", tmp_path)[1]) == ["dev_matched"]
