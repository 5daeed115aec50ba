"""Tasks that give every word a tag; phrases found, missed and made up."""

import sys

import numpy as np
import pytest

from keras_distill import tasks

TASK = tasks.tagging_task("ner", tasks.WIKIANN_TAGS)
O, B_PER, I_PER, B_ORG, I_ORG, B_LOC, I_LOC = range(7)  # noqa: E741


@pytest.fixture(autouse=True)
def seqeval():
    return pytest.importorskip("seqeval.metrics", reason="needs seqeval")


def test_whole_phrases_count():
    true = [[B_PER, I_PER, O, B_LOC], [B_ORG, I_ORG, I_ORG]]
    predicted = [[B_PER, I_PER, O, B_ORG], [B_ORG, I_ORG, O]]
    scores = tasks.evaluate_tags(TASK, true, predicted)
    # One of three is right, of three that were predicted.
    assert scores["phrase_f1"] == pytest.approx(1 / 3)
    assert scores["languages"]["und"]["phrases"] == 3


def test_equal_to_seqeval_on_tags(seqeval):
    generator = np.random.default_rng(3)
    true = [generator.integers(0, 7, size) for size in (3, 9, 1, 14)]
    predicted = [
        np.where(generator.random(len(row)) < 0.6, row, O) for row in true
    ]
    named = [
        [[TASK.label_names[i] for i in row] for row in rows]
        for rows in (true, predicted)
    ]
    scores = tasks.evaluate_tags(TASK, true, predicted)
    for name in ("f1", "precision", "recall"):
        expected = getattr(seqeval, f"{name}_score")(*named)
        assert 0 < expected < 1
        assert scores[f"phrase_{name}"] == pytest.approx(expected)


def test_languages_weigh_the_same():
    true = [[B_PER], [B_PER], [B_PER], [B_LOC]]
    predicted = [[B_PER], [B_PER], [B_PER], [O]]
    scores = tasks.evaluate_tags(
        TASK, true, predicted, np.array(["sv", "sv", "sv", "de"])
    )
    assert list(scores["languages"]) == ["sv", "de"]
    assert scores["languages"]["sv"] == {
        "phrase_f1": 1.0,
        "phrase_precision": 1.0,
        "phrase_recall": 1.0,
        "phrases": 3,
    }
    assert scores["languages"]["de"]["phrase_f1"] == 0.0
    assert scores["phrase_f1"] == 0.5


def test_a_phrase_may_begin_with_inside():
    true = [[O, I_LOC, I_LOC, I_PER]]
    predicted = [[O, B_LOC, I_LOC, B_PER]]
    assert tasks.evaluate_tags(TASK, true, predicted)["phrase_f1"] == 1.0


def test_words_that_were_cut_off_are_no_phrase():
    scores = tasks.evaluate_tags(TASK, [[B_PER, O, B_LOC]], [[B_PER, O, -1]])
    assert scores["phrase_precision"] == 1.0
    assert scores["phrase_recall"] == 0.5


def test_without_a_phrase_all_is_zero():
    scores = tasks.evaluate_tags(TASK, [[O, O]], [[O, O]])
    assert scores["phrase_f1"] == 0.0


@pytest.mark.parametrize(
    ("labels", "predictions", "languages", "message"),
    [
        (None, [[0]], None, "the split is unlabelled"),
        ([], [], None, "at least one"),
        ([[0]], [[0], [0]], None, r"Received: \[1, 2, 1\]"),
        ([[0]], [[0]], ["en", "de"], r"Received: \[1, 1, 2\]"),
        ([[0], [0, 0]], [[0], [0]], None, "1 for the 2 words of sentence 1"),
    ],
)
def test_what_does_not_fit_is_refused(labels, predictions, languages, message):
    with pytest.raises(ValueError, match=message):
        tasks.evaluate_tags(TASK, labels, predictions, languages)


def test_without_seqeval(monkeypatch):
    monkeypatch.setitem(sys.modules, "seqeval.metrics", None)
    with pytest.raises(ImportError, match="pip install"):
        tasks.evaluate_tags(TASK, [[0]], [[0]])


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        (
            [[0], [7]],
            [[0], [0]],
            "`labels` .* 0 to 6.* Received: 7 in sentence 1",
        ),
        ([[0], [-1]], [[0], [0]], "`labels` .* Received: -1 in sentence 1"),
        ([[0]], [[7]], "`predictions` .* -1 to 6.* Received: 7 in sentence 0"),
    ],
)
def test_classes_that_are_no_tag(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        tasks.evaluate_tags(TASK, labels, predictions)


def test_columns_are_read_by_position(series):
    labels = series([[1], [3]], index=[1, 0])
    languages = series(["en", "de"], index=["b", "a"])
    scores = tasks.evaluate_tags(TASK, labels, [[1], [0]], languages)
    assert scores["languages"]["en"]["phrase_f1"] == 1.0
    assert scores["languages"]["de"]["phrase_f1"] == 0.0


def test_wikiann_has_tfds_order_of_tags():
    assert tasks.WIKIANN_TAGS == (
        "O",
        "B-PER",
        "I-PER",
        "B-ORG",
        "I-ORG",
        "B-LOC",
        "I-LOC",
    )
    task = tasks.tagging_task("wikiann", tasks.WIKIANN_TAGS)
    assert task.num_outputs == 7
    assert task.selection_metric == "phrase_f1"


@pytest.mark.parametrize(
    "names",
    [
        ["B-PER", "I-PER"],
        ["O", "PER"],
        ["O", "B-"],
        ["O", "E-PER"],
    ],
)
def test_other_tags_are_refused(names):
    with pytest.raises(ValueError, match="`label_names` must name each tag"):
        tasks.tagging_task("mine", names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["O", "B-PER", "B-PER"], "'B-PER' twice"),
        ({"O", "B-PER"}, "has no order"),
        (["O", None], "name 1 is of type NoneType"),
    ],
)
def test_tags_have_an_order(names, message):
    with pytest.raises(ValueError, match=message):
        tasks.tagging_task("mine", names)


@pytest.mark.parametrize(
    "labels", [[["B-PER", "O"], [b"I-LOC"]], [[1, 0], [6]]]
)
def test_tags_are_encoded(labels):
    encoded = TASK.encode_labels(labels)
    assert [row.tolist() for row in encoded] == [[1, 0], [6]]
    assert encoded[0].dtype == np.int32


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["O"], ["PER"]], "Received: 'PER' in sentence 1"),
        ([[7]], "Received: 7 in sentence 0"),
    ],
)
def test_tags_that_are_none(labels, message):
    with pytest.raises(ValueError, match=message):
        TASK.encode_labels(labels)


def test_plain_sentences_are_split_at_spaces():
    examples = TASK.as_examples(["Anna sings", "Oslo"])
    assert examples.words == [["Anna", "sings"], ["Oslo"]]
    assert TASK.texts(examples) == (["Anna sings", "Oslo"],)
    with pytest.raises(ValueError, match="`text_columns` must be one name"):
        tasks.TaggingTask("mine", ("a", "b"), ("O", "B-X"), ("phrase_f1",), 16)
