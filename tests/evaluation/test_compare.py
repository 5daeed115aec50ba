import keras
import keras_hub
import numpy as np
import pytest
from scipy import special
from scipy import stats
from sklearn import metrics

from keras_distill import evaluation
from keras_distill import export
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.evaluation import figures
from keras_distill.tasks import Examples
from keras_distill.tasks import TaggedExamples
from keras_distill.tasks import Task
from tests.ordinal_task import OrdinalTask

TEXTS = [
    "a great film",
    "the plot is bad and dull",
    "a very good story with a great ending",
    "sad",
    "the actor was not funny but it was a good movie",
    "dull dull dull",
    "a funny movie",
]
LABELS = [1, 0, 1, 0, 1, 0, 1]
SENTIMENT = Task(
    "reviews",
    ("text",),
    ("negative", "positive"),
    ("accuracy", "f1", "macro_f1"),
    16,
)
FAST = {"latency_runs": 3, "throughput_runs": 2, "quiet": True}


def logits(model, *texts):
    """The outputs by the plain way: the preprocessor's padded ids, Keras."""
    columns = tuple(np.array(column) for column in texts)
    features = model.preprocessor(x=columns)
    return keras.ops.convert_to_numpy(model(features, training=False))


def test_an_ensemble_is_a_row(make_classifier, tokenizer, untimed, all_eager):
    """Its members have a tokenizer each; their sizes are added up."""
    words = tokenizer.get_vocabulary()
    other_tokenizer = keras_hub.models.BertTokenizer(
        [*words[:5], *words[:4:-1]], lowercase=True
    )
    members = [
        make_classifier(num_layers=1),
        make_classifier(num_layers=2, tokenizer=other_tokenizer),
    ]
    student = make_classifier(num_layers=1, hidden_dim=8)
    random = np.random.default_rng(0)
    for member in members:
        for weight in member.weights:
            weight.assign(0.3 * random.normal(size=weight.shape))
    comparison = evaluation.compare(
        {"teacher": teachers.TeacherEnsemble(members), "student": student},
        SENTIMENT,
        Examples((TEXTS,), np.array(LABELS)),
        **FAST,
    )
    mean = np.mean(
        [special.softmax(logits(one, TEXTS), axis=-1) for one in members],
        axis=0,
    )
    teacher, own = comparison.rows
    accuracy = metrics.accuracy_score(LABELS, mean.argmax(axis=-1))
    assert teacher.metrics["accuracy"] == accuracy
    assert own.agreement == np.mean(
        mean.argmax(axis=-1) == logits(student, TEXTS).argmax(axis=-1)
    )
    assert teacher.parameters.total == sum(
        member.count_params() for member in members
    )
    assert teacher.flops == sum(
        evaluation.count_flops(member, 16) for member in members
    )


def test_rows_hold_each_models_quality_size_and_speed(
    make_classifier, tmp_path
):
    models = {
        "teacher": make_classifier(num_layers=2),
        "baseline": make_classifier(num_layers=1, sequence_length=8),
        "student": make_classifier(num_layers=1, hidden_dim=8),
    }
    teacher = models["teacher"]
    teacher.compile("adam", "mse")
    optimizer = teacher.optimizer
    before = [weight.copy() for weight in teacher.get_weights()]
    examples = Examples((TEXTS,), np.array(LABELS))
    shipped = {}
    if keras.backend.backend() == "tensorflow":
        shipped["student"] = export.to_saved_model(
            models["student"], tmp_path / "1", task=SENTIMENT
        )
    comparison = evaluation.compare(
        models,
        SENTIMENT,
        examples,
        batch_size=4,
        further_splits={"again": examples.take(4)},
        saved_models=shipped,
        **FAST,
    )

    assert [row.name for row in comparison.rows] == list(models)
    assert comparison.num_examples == 7
    assert comparison.timed == ("SavedModel" if shipped else "model")
    theirs = logits(teacher, TEXTS).argmax(axis=-1)
    for row in comparison.rows:
        ours = logits(models[row.name], TEXTS).argmax(axis=-1)
        assert row.metrics == {
            "accuracy": metrics.accuracy_score(LABELS, ours),
            "f1": metrics.f1_score(LABELS, ours, zero_division=0.0),
            "macro_f1": metrics.f1_score(
                LABELS, ours, average="macro", zero_division=0.0
            ),
        } | {
            "accuracy_again": np.mean(ours[:4] == LABELS[:4]),
            "f1_again": metrics.f1_score(
                LABELS[:4], ours[:4], zero_division=0.0
            ),
            "macro_f1_again": metrics.f1_score(
                LABELS[:4], ours[:4], average="macro", zero_division=0.0
            ),
        }
        assert row.agreement == np.mean(ours == theirs)
        assert 0 < row.latency.p50_ms <= row.latency.p95_ms
        assert 0 < row.latency.model_p50_ms
        assert row.throughput.examples_per_second > 0
    assert "macro F1" in comparison.to_markdown()
    # Texts that the baseline reads, too.
    assert comparison.sequence_length == 8
    assert [row.flops for row in comparison.rows] == [
        evaluation.count_flops(model, 8) for model in models.values()
    ]

    first, _, student = comparison.rows
    assert first.agreement == 1.0
    assert set(first.kept.values()) <= {1.0, None}
    assert first.ratios == evaluation.comparison.Ratios(1, 1, 1, 1, 1)
    assert student.ratios.encoder == (
        first.parameters.encoder / student.parameters.encoder
    )
    assert student.ratios.latency == (
        first.latency.p50_ms / student.latency.p50_ms
    )
    assert student.ratios.throughput == (
        student.throughput.examples_per_second
        / first.throughput.examples_per_second
    )

    # The models are left as they were.
    assert teacher.optimizer is optimizer
    assert teacher.preprocessor.sequence_length == 16
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_pairs_and_regression(make_classifier, untimed):
    task = Task("pairs", ("first text", "second"), None, ("pearson",), 16)
    texts = (TEXTS, TEXTS[::-1])
    models = {
        "big": make_classifier(num_layers=1, num_classes=1),
        "small": make_classifier(num_layers=1, num_classes=1, hidden_dim=8),
        "constant": make_classifier(num_layers=1, num_classes=1, hidden_dim=8),
    }
    head = models["constant"].get_layer("logits")
    head.set_weights([np.zeros_like(weight) for weight in head.get_weights()])
    big, small = (
        logits(models[name], *texts)[:, 0] for name in ("big", "small")
    )
    # Of what is worse than none, nothing is kept.
    scores = -big
    comparison = evaluation.compare(
        models, task, Examples(texts, scores), reference="big", **FAST
    )
    # Outputs of an untrained head differ little: float32 shows.
    assert comparison.kind == "regression"
    assert comparison.row("big").metrics["pearson"] == pytest.approx(
        -1.0, abs=1e-3
    )
    assert comparison.row("small").metrics["pearson"] == pytest.approx(
        stats.pearsonr(scores, small).statistic, abs=1e-3
    )
    assert comparison.row("small").agreement == pytest.approx(
        stats.pearsonr(big, small).statistic, abs=1e-3
    )
    assert comparison.row("big").agreement == pytest.approx(1.0)
    # A constant agrees with nothing.
    rows = comparison.to_dict()["rows"]
    assert [row["agreement"] is None for row in rows] == [False, False, True]
    assert [row["kept"] for row in rows] == [{"pearson": None}] * 3


@pytest.mark.tensorflow("writes a SavedModel")
def test_a_saved_model_of_other_texts(make_classifier, tmp_path):
    model = make_classifier(num_layers=1)
    path = export.to_saved_model(model, tmp_path / "1", label_names=["a", "b"])
    task = Task("films", ("review",), ("a", "b"), ("accuracy",), 16)
    examples = Examples((TEXTS,), np.array(LABELS))
    with pytest.raises(ValueError, match=r"which takes \['text'\]"):
        evaluation.compare(
            {"teacher": model},
            task,
            examples,
            saved_models={"teacher": path},
            **FAST,
        )
    with pytest.raises(ValueError, match=r"named as `models` are.*'student'"):
        evaluation.compare(
            {"teacher": model}, task, examples, saved_models={"student": path}
        )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"reference": "expert"}, "`reference` must be one of `models`"),
        ({"batch_size": 0}, "`batch_size` must be an int of 1"),
        ({"latency_runs": 0}, "`latency_runs` must be an int of 1"),
        ({"throughput_runs": -1}, "Received: throughput_runs=-1"),
    ],
)
def test_bad_arguments(make_classifier, arguments, message):
    examples = Examples((TEXTS,), np.array(LABELS))
    models = {"teacher": make_classifier(num_layers=1)}
    with pytest.raises(ValueError, match=message):
        evaluation.compare(models, SENTIMENT, examples, **arguments)


def test_bad_examples(make_classifier):
    models = {"teacher": make_classifier(num_layers=1)}
    with pytest.raises(ValueError, match="`examples` must have labels"):
        evaluation.compare(models, SENTIMENT, Examples((TEXTS,)))
    with pytest.raises(ValueError, match="at least one example"):
        evaluation.compare(models, SENTIMENT, Examples(([],)))


def test_bad_models(make_classifier):
    examples = Examples((TEXTS,), np.array(LABELS))
    three = {"teacher": make_classifier(num_layers=1, num_classes=3)}
    with pytest.raises(ValueError, match="must have 2 outputs"):
        evaluation.compare(three, SENTIMENT, examples)
    backbone = make_classifier(num_layers=1).backbone
    bare = keras_hub.models.BertTextClassifier(backbone, num_classes=2)
    with pytest.raises(ValueError, match="has no preprocessor"):
        evaluation.compare({"teacher": bare}, SENTIMENT, examples)


def test_models_of_another_kind_are_refused(make_token_classifier):
    models = {"teacher": make_token_classifier(num_classes=2)}
    with pytest.raises(ValueError, match="must be a TextClassifier.*a Token"):
        evaluation.compare(
            models, SENTIMENT, Examples((TEXTS,), np.array(LABELS)), **FAST
        )


def test_tags(make_token_classifier):
    task = tasks.tagging_task("names", ["O", "B-PER", "I-PER"])
    models = {
        name: make_token_classifier(num_classes=3, num_layers=1)
        for name in ("teacher", "student")
    }
    examples = TaggedExamples(
        [text.split() for text in TEXTS],
        [[1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0][: len(t.split())] for t in TEXTS],
    )
    comparison = evaluation.compare(models, task, examples, **FAST)

    assert comparison.kind == "tagging"
    found = {}
    for name, model in models.items():
        tokenized = tasks.TokenizedTags(examples, model.preprocessor)
        found[name] = tasks.predict_tags(model, tokenized)
        scores = tasks.evaluate_tags(task, examples.labels, found[name])
        scores.pop("languages")
        assert comparison.row(name).metrics == scores
    same = [
        theirs == ours
        for pair in zip(*found.values(), strict=True)
        for theirs, ours in zip(*pair, strict=True)
    ]
    assert comparison.row("student").agreement == np.mean(same) < 1
    assert comparison.row("student").throughput.examples_per_second > 0
    assert "Share of the words" in str(
        [figure.note for figure in figures.all_figures(comparison.to_dict())]
    )


def test_several_labels(make_classifier, untimed):
    task = tasks.MultiLabelTask(
        "topics", ("text",), ("a", "b", "c"), ("micro_f1",), 16
    )
    labels = task.encode_labels([["a"], [], ["b", "c"], ["c"], [], ["a"], []])
    model = make_classifier(num_layers=1, num_classes=3)
    comparison = evaluation.compare(
        {"teacher": model}, task, Examples((TEXTS,), labels), **FAST
    )
    row = comparison.row("teacher")
    assert row.agreement == 1.0
    assert row.metrics["micro_f1"] == metrics.f1_score(
        labels, logits(model, TEXTS) >= 0, average="micro"
    )


@pytest.mark.tensorflow("writes a SavedModel")
def test_a_kind_of_ones_own(make_classifier, tmp_path):
    import tensorflow as tf

    task = OrdinalTask(
        *("stars", ("text",), ("bad", "fair", "good")),
        *(("within_one", "weighted_kappa"), 16),
    )
    model = make_classifier(num_layers=1, num_classes=3)
    path = export.to_saved_model(model, tmp_path / "1", task=task)
    labels = [2, 0, 2, 0, 1, 0, 2]
    comparison = evaluation.compare(
        {"teacher": model},
        task,
        Examples((TEXTS,), labels),
        saved_models={"teacher": path},
        **FAST,
    )

    assert comparison.kind == "ordinal"
    shares = special.softmax(logits(model, TEXTS), axis=1)
    expected = shares @ [0, 1, 2]
    assert comparison.row("teacher").metrics["within_one"] == np.mean(
        abs(labels - expected.round()) <= 1
    )
    assert "weighted kappa" in comparison.to_markdown()
    served = tf.saved_model.load(str(path)).signatures["serving_default"]
    answer = served(text=tf.constant(TEXTS))
    np.testing.assert_allclose(answer["expected"], expected, atol=1e-5)


def test_candidates_of_queries_are_compared_in_any_order(make_classifier):
    task = tasks.RankingTask(
        "answers", ("question", "sentence"), None, ("accuracy",), 16
    )
    labels = np.array([1, 2, -1, -2, 3, -3, -1], "int32")
    examples = Examples((TEXTS[::-1], TEXTS), labels)
    model = make_classifier(num_layers=1, num_classes=1)
    comparison = evaluation.compare(
        {"teacher": model}, task, examples, batch_size=4, **FAST
    )
    scores = logits(model, *examples.texts)[:, 0]
    best = [
        labels[np.where(abs(labels) == query, scores, -np.inf).argmax()] > 0
        for query in (1, 2, 3)
    ]
    (row,) = comparison.rows
    assert row.metrics == {"accuracy": pytest.approx(np.mean(best))}
    assert row.throughput.examples_per_second > 0
