"""Ranking: candidates of one query stay together and are compared."""

import itertools

import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from keras_distill import Distiller
from keras_distill import tasks
from keras_distill.tasks import Examples
from keras_distill.teachers.cache.fingerprint import row_fingerprints

TASK = tasks.RankingTask(
    "answers", ("question", "sentence"), None, ("accuracy", "mrr"), 16
)
# Three queries, whose candidates stand in any order.
LABELS = np.array([1, 2, -1, -3, -2, 3, -1, -3, 3], "int32")
EXAMPLES = Examples(
    ([f"q{abs(label)}" for label in LABELS], list("abcdefghi")), LABELS
)


def loss_of(labels, scores):
    return float(
        TASK.label_loss()(
            keras.ops.convert_to_tensor(labels),
            keras.ops.convert_to_tensor(np.reshape(scores, (-1, 1)), "float32"),
        )
    )


def test_two_candidates_are_a_softplus():
    for right, wrong in ((0.3, -1.2), (-2.0, 5.0), (0.0, 0.0)):
        expected = np.log1p(np.exp(wrong - right))
        assert loss_of([4, -4], [right, wrong]) == pytest.approx(expected)
        assert loss_of([-4, 4], [wrong, right]) == pytest.approx(expected)


def test_the_loss_is_the_mean_over_queries():
    """However many candidates they have, and several right ones at once."""
    scores = np.random.default_rng(0).normal(size=9)
    values = []
    for query in (1, 2, 3):
        rows = np.flatnonzero(abs(LABELS) == query)
        shares = np.exp(log_softmax(scores[rows]))
        values.append(-np.log(shares[LABELS[rows] > 0].sum()))
    assert loss_of(LABELS, scores) == pytest.approx(np.mean(values), rel=1e-5)
    # A query without a right one counts nothing, nor do rows of no query.
    more = np.concatenate([LABELS, [-9, -9, 0]])
    scores = np.concatenate([scores, [3.0, 1.0, 2.0]])
    assert loss_of(more, scores) == pytest.approx(np.mean(values), rel=1e-5)
    assert loss_of([-9, -9], [1.0, 2.0]) == 0


def test_metrics_are_the_mean_over_orders_of_equal_scores():
    scores = np.array([2.0, 1, 2, 0, 1, 0, 2, 0, -1])
    found = TASK.measure(LABELS, scores)
    expected = {"accuracy": [], "mrr": []}
    for query in (1, 2, 3):
        rows = np.flatnonzero(abs(LABELS) == query)
        firsts = [
            next(i for i, row in enumerate(order) if LABELS[row] > 0)
            for order in itertools.permutations(rows)
            if (np.diff(scores[list(order)]) <= 0).all()
        ]
        expected["accuracy"].append(np.mean(np.equal(firsts, 0)))
        expected["mrr"].append(np.mean(1 / (1 + np.array(firsts))))
    assert found == pytest.approx({k: np.mean(v) for k, v in expected.items()})
    # One of three, one of two, two of four.
    assert TASK.chance(LABELS) == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)


def test_labels_are_made_of_texts_and_right_ones(tmp_path):
    table = {
        "question": ["who?", "when?", "who?", "when?"],
        "sentence": ["a", "b", "c", "d"],
        "label": [0, 1, 1, 0],
    }
    expected = [-1, 2, 1, -2]
    assert TASK.as_examples(table).labels.tolist() == expected
    words = {**table, "label": ["wrong", "right", "right", "wrong"]}
    assert TASK.as_examples(words).labels.tolist() == expected
    file = tmp_path / "train.tsv"
    rows = zip(*table.values(), strict=True)
    lines = ["\t".join(map(str, row)) for row in [table, *rows]]
    file.write_text("\n".join(lines) + "\n")
    task, splits = tasks.load_data(
        file,
        ("question", "sentence"),
        kind="ranking",
        dev_share=0.5,
        quiet=True,
    )
    assert task.metrics == ("accuracy", "mrr")
    # A question is on one side with all of its sentences.
    sides = [set(splits[name].texts[0]) for name in ("train", "dev")]
    assert sorted(map(len, sides)) == [1, 1] and sides[0] != sides[1]
    file.write_text("\n".join(lines[:2]) + "\n")
    with pytest.raises(
        ValueError, match=r"train.tsv: the query 'who\?' \(row 0"
    ):
        tasks.read_rows(TASK, file)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 0], "Received: 0 in row 1"),
        ([1.5, -1], "Received: 1.5 in row 0"),
        ([-1, -2], "none of them right"),
    ],
)
def test_labels_that_are_none(labels, message):
    with pytest.raises(ValueError, match=message):
        TASK.encode_labels(labels)
    with pytest.raises(ValueError, match=message):
        TASK.measure(labels, [[1.0], [2.0]])


def test_what_is_no_ranking():
    with pytest.raises(ValueError, match="`label_names` must be None for a r"):
        tasks.RankingTask("x", ("a", "b"), ("no", "yes"), ("mrr",), 16)
    with pytest.raises(ValueError, match="the query and the candidate"):
        tasks.RankingTask("x", ("a",), None, ("mrr",), 16)
    with pytest.raises(ValueError, match="for candidates of queries"):
        tasks.RankingTask("x", ("a", "b"), None, ("pearson",), 16)
    with pytest.raises(ValueError, match="`is_right` must hold 1 or 0"):
        TASK.label_rows(["a", "b"], [2, 0])


def test_queries_are_held_out_whole():
    train, held_out = TASK.hold_out(EXAMPLES, share=0.3, seed=3)
    sides = [set(np.abs(part.labels)) for part in (train, held_out)]
    assert sides[0] | sides[1] == {1, 2, 3} and not sides[0] & sides[1]
    assert len(held_out) >= 3
    with pytest.raises(ValueError, match="a query to hold out and one to keep"):
        TASK.hold_out(EXAMPLES, share=0.9)


def test_joined_queries_are_told_apart():
    joined, splits = tasks.join_tasks(*[(TASK, {"train": EXAMPLES})] * 2)
    labels = splits["train"].labels
    assert labels.tolist() == [*LABELS, *(LABELS + 3 * np.sign(LABELS))]


def test_candidates_of_a_query_share_a_batch(tokenizer):
    rows = TASK.tokenize(EXAMPLES, tokenizer, 16)
    for size, expected in ((1, 2), (3, 2), (5, 2), (9, 1)):
        batches = list(rows.iterate(size))
        assert len(batches) == rows.num_batches(size) == expected
        queries = [set(np.abs(y)) for _, y in batches]
        assert sum(map(len, queries)) == 3 and set().union(*queries) == {
            1,
            2,
            3,
        }
    # Of some rows those that are left; without labels one by one.
    part = rows.select([8, 1, 5, 4])
    assert [y.tolist() for _, y in part.iterate(2)] == [[3, 3], [2, -2]]
    assert rows.with_labels(None).num_batches(4) == 3
    with pytest.raises(ValueError, match="`groups` must hold the number"):
        rows.with_groups([1, 2])
    with pytest.raises(ValueError, match="`drop_remainder` makes batches of o"):
        rows.iterate(4, drop_remainder=True)


def test_soft_choices_are_distilled_by_query():
    teacher, student = np.random.default_rng(1).normal(size=(2, 9, 1))
    kl, cross_entropy = (
        keras.ops.convert_to_numpy(
            TASK.output_distillation(2.0, loss).per_example(
                teacher.astype("float32"), student.astype("float32"), y=LABELS
            )
        )
        for loss in ("kl", "cross_entropy")
    )
    expected = {"kl": [], "cross_entropy": []}
    for query in (1, 2, 3):
        rows = np.flatnonzero(abs(LABELS) == query)
        p, q = (log_softmax(x[rows, 0] / 2) for x in (teacher, student))
        expected["kl"].append(4 * np.sum(np.exp(p) * (p - q)))
        expected["cross_entropy"].append(-np.sum(np.exp(p) * q))
        assert np.ptp(kl[rows]) < 1e-6
    assert np.mean(kl) == pytest.approx(np.mean(expected["kl"]), rel=1e-5)
    assert np.mean(cross_entropy) == pytest.approx(
        np.mean(expected["cross_entropy"]), rel=1e-5
    )


def test_a_distiller_adds_both_up(make_classifier):
    teacher, student = (
        make_classifier(num_layers=1, num_classes=1) for _ in range(2)
    )
    rows = TASK.tokenize(EXAMPLES, student.preprocessor)
    ((x, y),) = rows.iterate(len(rows))
    distiller = Distiller(
        teacher,
        student,
        TASK.output_distillation(soft_loss="cross_entropy"),
        student_loss_weight=0.25,
    )
    distiller.compile("sgd", TASK.label_loss(), run_eagerly=True)
    scores, soft = (
        keras.ops.convert_to_numpy(model(x, training=False))[:, 0]
        for model in (student, teacher)
    )
    queries = [np.flatnonzero(abs(y) == query) for query in (1, 2, 3)]
    expected = 0.25 * loss_of(y, scores) - 0.75 * np.mean(
        [
            np.sum(np.exp(log_softmax(soft[one])) * log_softmax(scores[one]))
            for one in queries
        ]
    )
    found = keras.ops.convert_to_numpy(
        distiller.compute_loss(x, y, training=False)
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert "over the candidates of a query" in distiller.plan()[0]
    # Predictions come as the rows stand.
    found = distiller.predict(rows, batch_size=4, verbose=0)
    np.testing.assert_allclose(found[:, 0], scores[_places(y)], rtol=1e-4)


def _places(labels):
    """Where each row of `EXAMPLES` stands in a batch of them all."""
    order = np.concatenate(
        [np.flatnonzero(abs(LABELS) == query) for query in (1, 2, 3)]
    )
    assert (LABELS[order] == labels).all()
    return np.argsort(order)


def test_rows_are_told_apart_in_their_order(tokenizer):
    """By caches, which know nothing of queries."""
    rows = TASK.tokenize(EXAMPLES, tokenizer, 16)
    np.testing.assert_array_equal(
        row_fingerprints(rows), row_fingerprints(rows.with_labels(None))
    )
