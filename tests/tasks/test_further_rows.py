"""More labelled rows of a task, as of an augmented file."""

import numpy as np
import pytest

from keras_distill import tasks


@pytest.mark.parametrize(
    "name, rows, texts, labels",
    [
        # TinyBERT's script leaves GLUE's columns: CoLA without a header,
        ("cola", ["gj04\t0\t*\tdull film"], (["dull film"],), [0]),
        # others with that of the task;
        (
            "mrpc",
            [
                "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String",
                '1\t7\t8\ta "film\tthe plot',
            ],
            (['a "film'], ["the plot"]),
            [1],
        ),
        ("sst2", ["sentence\tlabel", "a film\t1"], (["a film"],), [1]),
        (
            "rte",
            [
                "index\tsentence1\tsentence2\tlabel",
                "0\ta film\tthe plot\tnot_entailment",
            ],
            (["a film"], ["the plot"]),
            [1],
        ),
        # ours has the names of the texts, and of the labels.
        (
            "mrpc",
            ["sentence1\tsentence2\tlabel", "a film\tthe plot\tequivalent"],
            (["a film"], ["the plot"]),
            [1],
        ),
        (
            "cola",
            ["sentence\tlabel", '"dull" film\tunacceptable'],
            (['"dull" film'],),
            [0],
        ),
        (
            "stsb",
            ["sentence1\tsentence2\tlabel", "a film\tthe plot\t3.2"],
            (["a film"], ["the plot"]),
            [np.float32(3.2)],
        ),
    ],
)
def test_rows_of_the_script_and_of_ours(tmp_path, name, rows, texts, labels):
    path = tmp_path / "train_aug.tsv"
    path.write_text("\n".join(rows) + "\n")
    task = tasks.get_task(name)

    found = tasks.read_rows(task, path)
    assert found.texts == texts and found.labels.tolist() == labels


@pytest.mark.parametrize(
    "task, labels",
    [
        (tasks.get_task("rte"), np.array([0, 1])),
        (tasks.get_task("stsb"), np.array([3.2, 5], "float32")),
        (
            tasks.MultiLabelTask(
                "news", ("text",), ("law", "new, ö"), ("micro_f1",), 16
            ),
            np.array([[1, 0], [0, 0], [1, 1]], "float32"),
        ),
    ],
)
def test_labels_are_read_as_they_are_spelled(task, labels):
    parse = task.label_parser()

    for label in labels:
        read = parse(task.spell_label(label))
        assert np.array_equal(np.asarray(read, labels.dtype), label)


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.tsv", "sentence\tlabel\nx\tgood\n", r"a.tsv:2: unknown label"),
        ("a.tsv", "text\tlabel\nx\tnegative\n", r"a.tsv:1: there is no colum"),
        ("a.txt", "x\n", "`path` must be a file that ends in .tsv"),
    ],
)
def test_bad_files_are_named(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(ValueError, match=message):
        tasks.read_rows(tasks.get_task("sst2"), path)


def test_tags_have_no_such_rows(tmp_path):
    task = tasks.tagging_task("tags", tasks.WIKIANN_TAGS)

    with pytest.raises(ValueError, match="one answer for a whole text"):
        tasks.read_rows(task, tmp_path / "a.tsv")
