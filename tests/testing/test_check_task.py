"""Every kind passes the battery, and a broken one does not."""

import keras
import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from keras_distill import losses
from keras_distill import tasks
from keras_distill.tasks import kinds
from keras_distill.testing import check_task
from tests.ordinal_task import OrdinalTask

TEXTS = [
    "a great film",
    "the plot is bad and dull",
    "a very good story with a great ending",
    "sad",
    "the actor was not funny but it was a good movie",
    "dull dull dull",
]


def make_classification(cls=tasks.ClassificationTask):
    return cls(
        "moods", ("text",), ("a", "b", "c"), ("accuracy", "macro_f1"), 16
    )


def of_classes(labels, outputs):
    predicted = np.argmax(outputs, axis=1)
    return {
        "accuracy": np.mean(labels == predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
    }


def frozen(model):
    """A model whose head alone trains, which is quicker to compile."""
    model.backbone.trainable = False
    return model


CLASSES = tasks.Examples((TEXTS,), labels=[2, 0, 2, 0, 2, 1])


def test_classification(make_classifier):
    check_task(
        make_classification(),
        CLASSES,
        make_classifier(num_layers=1, num_classes=3),
        reference=of_classes,
        chance=0.5,
    )


def test_regression_of_pairs(make_classifier):
    check_task(
        tasks.RegressionTask("same", ("a", "b"), None, ("pearson",), 16),
        tasks.Examples((TEXTS, TEXTS[::-1]), labels=[0.5, 1, 5, 2, 4, 3]),
        frozen(make_classifier(num_layers=1, num_classes=1)),
        reference=lambda labels, outputs: {
            "pearson": stats.pearsonr(labels, outputs[:, 0]).statistic
        },
        chance=0.0,
        tolerance=1e-4,
    )


def test_ranking(make_classifier):
    task = tasks.RankingTask(
        "answers", ("question", "sentence"), None, ("accuracy", "mrr"), 16
    )
    labels = np.array([1, -1, 2, -1, -2, 2], "int32")

    def by_query(labels, outputs):
        ranks = []
        for query in (1, 2):
            rows = np.flatnonzero(abs(labels) == query)
            order = rows[np.argsort(-outputs[rows, 0])]
            ranks.append(1 + np.flatnonzero(labels[order] > 0)[0])
        ranks = np.array(ranks)
        return {"accuracy": np.mean(ranks == 1), "mrr": np.mean(1 / ranks)}

    check_task(
        task,
        tasks.Examples((TEXTS[::-1], TEXTS), labels),
        frozen(make_classifier(num_layers=1, num_classes=1)),
        reference=by_query,
        # One of three, two of three.
        chance=0.5,
    )


def test_several_labels(make_classifier):
    task = tasks.MultiLabelTask(
        "topics", ("text",), ("a", "b", "c"), ("subset_accuracy",), 16
    )
    labels = task.encode_labels([["a"], ["a"], [], ["b", "c"], [], []])
    check_task(
        task,
        tasks.Examples((TEXTS,), labels),
        frozen(make_classifier(num_layers=1, num_classes=3)),
        reference=lambda labels, outputs: {
            "subset_accuracy": np.mean(((outputs >= 0) == labels).all(axis=1))
        },
        chance=0.5,
    )


def test_tags(make_token_classifier):
    words = [text.split() for text in TEXTS]
    labels = [[1, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0][: len(row)] for row in words]

    def phrases(true, predicted):
        """Each word with B- begins one, of as many I- as follow."""
        found = []
        for rows in (true, predicted):
            found.append(set())
            for number, row in enumerate(rows):
                # An I- after no phrase begins one too.
                places = [
                    i
                    for i, tag in enumerate(row)
                    if tag == 1 or (tag == 2 and (i == 0 or row[i - 1] == 0))
                ]
                for start in places:
                    end = start + 1
                    while end < len(row) and row[end] == 2:
                        end += 1
                    found[-1].add((number, start, end))
        right = len(found[0] & found[1])
        precision, recall = right / max(1, len(found[1])), right / len(found[0])
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        return {
            "phrase_f1": f1,
            "phrase_precision": precision,
            "phrase_recall": recall,
        }

    check_task(
        tasks.tagging_task("names", ["O", "B-X", "I-X"]),
        tasks.TaggedExamples(words, labels),
        frozen(make_token_classifier(num_layers=1, num_classes=3)),
        reference=phrases,
        chance=0.0,
    )


def test_a_kind_of_ones_own(make_classifier):
    def within_one(labels, outputs):
        shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        expected = shares[:, 1] + 2 * shares[:, 2]
        return {"within_one": np.mean(abs(labels - np.rint(expected)) <= 1)}

    check_task(
        OrdinalTask(
            "stars", ("text",), ("bad", "fair", "good"), ("within_one",), 16
        ),
        tasks.Examples((TEXTS,), labels=[2, 0, 2, 0, 0, 1]),
        frozen(make_classifier(num_layers=1, num_classes=3)),
        reference=within_one,
        # "bad" or "fair" is the median: two are two classes off "bad".
        chance=4 / 6,
    )


# What goes wrong in a classification, member by member.


def _other_name(self):
    return {**tasks.Task.to_config(self), "name": "other"}


def _plus_one(self, labels):
    return np.asarray(labels) + 1


def _loses_rows(self, examples, share=0.1, seed=0, minimum=1):
    return examples, examples.take(1)


def _takes_all(self, thing, where=""):
    return None


def _by_length(self, model, tokenized, batch_size=64):
    outputs = tasks.TextTask.predict(self, model, tokenized, batch_size)
    return outputs[np.argsort(-tokenized.lengths)]


def _a_little_more(self, examples, outputs):
    scores = tasks.TextTask.score(self, examples, outputs)
    return {name: value + 0.01 for name, value in scores.items()}


class _Nothing(losses.LogitsDistillation):
    def per_example(self, teacher, student, mask=None):
        return keras.ops.zeros(len(teacher))


def _learns_nothing(self):
    return lambda labels, outputs: 0.0 * keras.ops.sum(outputs, axis=-1)


@pytest.fixture(scope="module")
def model(make_classifier):
    """One for all broken kinds: none of them gets to train it."""
    keras.utils.set_random_seed(7)
    model = frozen(make_classifier(num_layers=1, num_classes=3))
    generator = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(generator.normal(0.0, 0.5, weight.shape))
    return model


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("to_config", _other_name, "from JSON came .*'other'"),
        ("selected_by", lambda self, metric: self, "selected by 'accuracy'"),
        ("encode_labels", _plus_one, "encoding labels again"),
        ("texts", lambda self, examples: ([],), r"columns of \[0\] texts"),
        ("hold_out", _loses_rows, "loses rows, or has them twice"),
        ("check_model", _takes_all, "takes an encoder without a head"),
        ("check_teacher", _takes_all, "head of another kind of problem"),
        ("predict", _by_length, "depends on the order of rows"),
        ("score", _a_little_more, "as accuracy, the reference"),
        ("chance", lambda self, labels: 0.4, "0.4, where 0.5"),
        ("agreement", lambda self, one, other: 0.9, "themselves is 0.9"),
        ("output_distillation", lambda self: _Nothing(), "is not least"),
        ("label_loss", _learns_nothing, "does not lower `label_loss`"),
    ],
)
def test_a_broken_kind_is_found(monkeypatch, model, member, value, message):
    name = "ClassificationTask"
    cls = type(name, (tasks.ClassificationTask,), {member: value})
    monkeypatch.setitem(kinds.KINDS, "classification", cls)
    with pytest.raises(AssertionError, match=message):
        check_task(
            make_classification(cls),
            CLASSES,
            model,
            reference=of_classes,
            chance=0.5,
        )


def test_a_kind_that_is_not_registered():
    cls = type("Unknown", (tasks.ClassificationTask,), {"kind": "unknown"})
    with pytest.raises(AssertionError, match="'unknown' is not registered"):
        check_task(
            make_classification(cls), CLASSES, None, reference=None, chance=0
        )
    with pytest.raises(ValueError, match="which OrdinalTask has"):
        tasks.register_kind(type("Other", (OrdinalTask,), {"kind": "ordinal"}))
    with pytest.raises(ValueError, match="`kind` must be one of class"):
        tasks.Task.from_config({"kind": "unknown"})
