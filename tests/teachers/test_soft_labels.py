"""Soft labels of any system: what they must be, and their files."""

import json
import types

import numpy as np
import pytest

from keras_distill import tasks
from keras_distill import teachers

NLI = ("contradiction", "entailment", "neutral")
VALUES = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
EXAMPLES = tasks.Examples(
    (["a dog\truns", "a cat", "rain"], ["it moves", "a\nfish", "no sun"]),
    [1, 1, 2],
    ids=["u1", "u2", "u3"],
)


@pytest.fixture
def nli():
    return teachers.SoftLabels(["u1", "u2", "u3"], VALUES, NLI)


@pytest.mark.parametrize(
    ("name", "names_there"),
    [
        ("soft.jsonl", NLI),
        ("soft.jsonl.gz", NLI),
        ("soft.parquet", NLI),
        ("soft.tsv", None),
        ("soft.json", None),
    ],
)
def test_each_format_is_read_as_it_was_written(
    tmp_path, nli, name, names_there
):
    path = tmp_path / name
    nli.write(path, EXAMPLES if name == "soft.tsv" else None)

    read = teachers.SoftLabels.read(path)

    assert read.label_names == names_there
    assert read.ids.tolist() == ["u1", "u2", "u3"]
    np.testing.assert_array_equal(read.values, VALUES)
    assert read.problem_type == "single_label_classification"
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_scores_and_several_labels_are_read_as_they_were_written(tmp_path):
    scores = teachers.SoftLabels([7, 9], [3.5, -1.25])
    several = teachers.SoftLabels(
        [7, 9], [[0.9, 0.8], [0.0, 1.0]], ["sad", "dull"], multi_label=True
    )
    examples = tasks.Examples((["a", "b"],), [3.0, 0.0], ids=[9, 7])
    for ending in ("jsonl", "parquet", "json", "tsv"):
        path = tmp_path / f"scores.{ending}"
        scores.write(path, examples if ending == "tsv" else None)
        read = teachers.SoftLabels.read(path)
        assert read.problem_type == "regression", ending
        assert read.ids.tolist() == [7, 9], ending
        np.testing.assert_array_equal(read.values, [[3.5], [-1.25]])
    for ending in ("jsonl", "parquet", "json"):
        path = tmp_path / f"several.{ending}"
        several.write(path)
        read = teachers.SoftLabels.read(path, ["sad", "dull"], multi_label=True)
        np.testing.assert_array_equal(read.values, several.values)


def test_classes_are_put_into_the_order_that_is_asked_for(tmp_path, nli):
    nli.write(tmp_path / "soft.jsonl")
    asked = ("Entailment", "neutral", "contradiction")

    read = teachers.SoftLabels.read(tmp_path / "soft.jsonl", asked)

    assert read.label_names == asked
    np.testing.assert_array_equal(read.values, VALUES[:, [1, 2, 0]])


def test_files_of_mt_dnn(tmp_path):
    """As its scripts write them: the second class alone, scores in a row."""
    tsv = tmp_path / "rte.tsv"
    tsv.write_text("12\t1\ta dog\tit runs\t0.75\n3\t0\tno\tyes\t0.125\n")
    scores = tmp_path / "scores.json"
    scores.write_text(
        json.dumps(
            {
                "metrics": {"ACC": 50.0},
                "predictions": [1, 0],
                "uids": ["12", "3"],
                "scores": [0.25, 0.75, 0.875, 0.125],
            }
        )
    )
    lines = tmp_path / "rte.jsonl"
    lines.write_text(
        '{"uid": "12", "label": 1, "token_id": [3], "softlabel": [0.25, 0.75]}'
        '\n\n{"uid": "3", "label": 0, "softlabel": [0.875, 0.125]}\n'
    )
    for path in (tsv, scores, lines):
        read = teachers.SoftLabels.read(path, ("no", "yes"))
        assert read.ids.tolist() == [12, 3], path
        assert read.label_names == ("no", "yes")
        np.testing.assert_array_equal(
            read.values, [[0.25, 0.75], [0.875, 0.125]]
        )


LINE = '{"id": 1, "probabilities": {"no": 0.2, "yes": 0.8}}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": 2, "probabilities": {"no": 0.2, "yes": 0.7}}', "sum to 0.9"),
        ('{"id": 2, "probabilities": {"no": NaN, "yes": 1}}', "finite"),
        ('{"id": 2, "probabilities": {"no": -0.5, "yes": 1.5}}', "from 0 to 1"),
        ('{"id": 2, "probabilities": {"no": 1}}', "classes no, those before"),
        ('{"id": 2, "probabilities": [0.5, 0.5]}', "classes without names"),
        ('{"id": 2, "probabilities": {"no": true, "yes": 0}}', "a number"),
        ('{"id": 1, "probabilities": {"no": 1, "yes": 0}}', "1 stands twice"),
        ('{"id": "b", "probabilities": {"no": 1, "yes": 0}}', "all numbers or"),
        ('{"id": 2.5, "probabilities": {"no": 1, "yes": 0}}', "whole number"),
        ('{"id": 2}', "one of 'probabilities', 'softlabel', 'score'"),
        ('{"probabilities": {"no": 1, "yes": 0}}', "one of 'id', 'uid'"),
        ('{"id": 2, "probabilities": {}}', "an object of each class"),
        ("[1, 2]", "JSON object"),
        ('{"id": 2', "no JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, message):
    path = tmp_path / "soft.jsonl"
    path.write_text(f"{LINE}\n{text}\n")

    with pytest.raises(ValueError, match=message) as error:
        teachers.SoftLabels.read(path)

    assert f"{path}:3: " in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "1\t0\tone\t0.5 0.5\n2\t0\t0.5 0.5\n", r"a.tsv:2: .*3 fiel"),
        ("a.tsv", "1\t0\tone\tmuch\n", r"a.tsv:1: the soft label must be a"),
        ("a.tsv", "1\t0\tone\t0.5 0.5\n2\t0\ttwo\t1\n", r"a.tsv:2: a row must"),
        ("a.json", '{"uids": [1, 2], "scores": [0.5]}', "as many scores"),
        ("a.json", '[{"id": 1}]', "end in .jsonl|ends in .jsonl"),
        (
            "a.json",
            '{"uids": [4, 5], "scores": [0.5, 0.5, 0.5, 0.25]}',
            "row 1: .*sum to 0.75",
        ),
        ("a.parquet", "no", "is no Parquet file"),
        ("a.csv", "", "end in one of .jsonl"),
        ("a.jsonl", "\n", "no row"),
    ],
)
def test_a_bad_file_is_named(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(ValueError, match=message) as error:
        teachers.SoftLabels.read(path)

    assert name in str(error.value)


def test_a_missing_value_of_parquet_is_named(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "soft.parquet"
    columns = {"id": [1, 2], "no": [0.5, None], "yes": [0.5, 1.0]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)

    with pytest.raises(ValueError, match=r"soft.parquet, row 1: 'no' must be"):
        teachers.SoftLabels.read(path)


def test_other_classes_than_the_datas_are_refused_by_file(tmp_path, nli):
    nli.write(tmp_path / "soft.parquet")

    with pytest.raises(
        ValueError, match="soft.parquet are contradiction.*of o"
    ):
        teachers.SoftLabels.read(tmp_path / "soft.parquet", ("yes", "no"))


def test_what_a_format_cannot_hold_leaves_the_file_as_it_was(tmp_path, nli):
    path = tmp_path / "soft.tsv"
    path.write_text("before")
    for examples in (None, EXAMPLES.take(2), tasks.Examples(EXAMPLES.texts)):
        with pytest.raises(ValueError, match="TSV|Missing: 'u3'"):
            nli.write(path, examples)
    with pytest.raises(ValueError, match="for MT-DNN's TSV"):
        nli.write(tmp_path / "soft.jsonl", EXAMPLES)
    unnamed = teachers.SoftLabels(["u1"], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="without `label_names`"):
        unnamed.write(tmp_path / "soft.parquet")

    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_rounded_rows_sum_to_1(nli):
    rounded = teachers.SoftLabels([1], [[0.3334, 0.3333, 0.3334]])

    np.testing.assert_allclose(rounded.values.sum(axis=1), 1, rtol=1e-15)
    with pytest.raises(ValueError, match="row 0: .*sum to 0.9"):
        teachers.SoftLabels([1], [[0.3, 0.3, 0.3]])


def test_logits_give_the_probabilities_back(nli):
    logits = nli.logits()
    softmax = np.exp(logits.astype("float64"))
    softmax /= softmax.sum(axis=1, keepdims=True)

    assert logits.dtype == "float32"
    np.testing.assert_allclose(softmax, VALUES, atol=3e-7)
    several = teachers.SoftLabels([1], [[0.2, 1.0]], multi_label=True)
    sigmoid = 1 / (1 + np.exp(-several.logits().astype("float64")))
    np.testing.assert_allclose(sigmoid, [[0.2, 1.0]], atol=3e-7)
    scores = teachers.SoftLabels([1], [2.5])
    np.testing.assert_array_equal(scores.logits(), [[2.5]])


def test_rows_are_selected_with_their_ids(nli):
    some = nli.select([2, 0])
    assert some.ids.tolist() == ["u3", "u1"]
    assert some.label_names == NLI
    np.testing.assert_array_equal(some.values, VALUES[[2, 0]])


def test_what_a_model_gave_becomes_soft_labels(nli):
    again = teachers.SoftLabels.from_logits(nli.ids, nli.logits() + 3, NLI)
    np.testing.assert_allclose(again.values, VALUES, atol=3e-7)
    several = teachers.SoftLabels.from_logits([1], [[0.0, 2.0]], None, True)
    np.testing.assert_allclose(
        several.values, [[0.5, 1 / (1 + np.exp(-2.0))]], rtol=1e-12
    )
    scores = teachers.SoftLabels.from_logits([1, 2], [[0.5], [3.0]])
    assert scores.problem_type == "regression"


def test_labels_stand_in_where_no_answer_is(nli):
    some = nli.select([2, 0])
    filled = some.filled(EXAMPLES)
    assert filled.ids.tolist() == ["u3", "u1", "u2"]
    np.testing.assert_array_equal(filled.values, [*VALUES[[2, 0]], [0, 1, 0]])
    assert filled.label_names == NLI
    assert nli.filled(EXAMPLES) is nli
    # The examples' classes, in another order than the columns.
    named = types.SimpleNamespace(
        ids=EXAMPLES.ids,
        labels=np.array([2, 2, 1]),
        label_names=("neutral", "contradiction", "entailment"),
    )
    other = some.filled(named)
    np.testing.assert_array_equal(other.values[2], [0, 1, 0])
    scores = teachers.SoftLabels([1], [2.5]).filled(
        tasks.Examples((["a", "b"],), [0.5, 4.0], ids=[1, 2])
    )
    np.testing.assert_array_equal(scores.values, [[2.5], [4.0]])
    several = teachers.SoftLabels([1], [[0.2, 1.0]], multi_label=True).filled(
        tasks.Examples((["a", "b"],), [[0, 1], [1, 1]], ids=[1, 2])
    )
    np.testing.assert_array_equal(several.values, [[0.2, 1.0], [1, 1]])
    assert several.problem_type == "multi_label_classification"
    texts = teachers.SoftLabels(["1"], [2.5]).filled(
        tasks.Examples((["a", "b"],), [0.5, 4.0], ids=[1, 2])
    )
    assert texts.ids.tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "must have labels .* Received: none, for the id u2"),
        ([1, 3, 2], "must have labels below 3, .* Received: 3"),
        ([1, 2, -1], "must have labels below 3, .* Received: -1"),
    ],
)
def test_labels_that_cannot_stand_in(nli, labels, message):
    ranked = tasks.Examples((["a", "b"],), [1, -1], ids=[1, 2])
    with pytest.raises(ValueError, match="a query of a ranking, is no score"):
        teachers.SoftLabels([1], [2.5]).filled(ranked)
    rows = tasks.Examples(EXAMPLES.texts, labels, ids=EXAMPLES.ids)
    with pytest.raises(ValueError, match=message):
        nli.select([0]).filled(rows)
