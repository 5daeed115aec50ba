"""Losses and metrics on the labels, against what the student gives."""

import keras
import pytest

from keras_distill.features import describe
from keras_distill.fitting.compile_checks import check_compiled

K = keras.losses
M = keras.metrics


@pytest.fixture(scope="module")
def described():
    """Describes a student of one output by its width and activation."""
    known = {}

    def make(width, activation=None):
        key = width, activation
        if key not in known:
            x = keras.Input((4,))
            head = keras.layers.Dense(width, activation, name="head")
            known[key] = describe(keras.Model(x, head(x), name="small"))
        return known[key]

    return make


@pytest.mark.parametrize(
    ("width", "activation", "loss", "message"),
    [
        (
            3,
            None,
            "sparse_categorical_crossentropy",
            "'small' gives logits.*SparseCategoricalCrossentropy\\(from_logits"
            "=True\\)",
        ),
        (3, None, K.SparseCategoricalCrossentropy(), "gives logits"),
        (3, None, K.SparseCategoricalCrossentropy, "gives logits"),
        (3, None, K.sparse_categorical_crossentropy, "gives logits"),
        (3, None, ["categorical_crossentropy"], "gives logits"),
        (3, None, {"head": K.CategoricalFocalCrossentropy()}, "gives logits"),
        (1, None, "bce", "BinaryCrossentropy\\(from_logits=True\\)"),
        (3, None, "kl_divergence", "gives logits"),
        (
            3,
            "softmax",
            K.SparseCategoricalCrossentropy(from_logits=True),
            "ends in a softmax.*activation=None",
        ),
        (
            1,
            "sigmoid",
            K.BinaryCrossentropy(from_logits=True),
            "ends in a sigmoid",
        ),
        (
            1,
            None,
            K.SparseCategoricalCrossentropy(from_logits=True),
            "single output.*num_classes=2",
        ),
        (1, "sigmoid", "categorical_crossentropy", "single output"),
    ],
)
def test_a_loss_that_can_only_be_wrong_is_refused(
    described, width, activation, loss, message
):
    with pytest.raises(ValueError, match=message):
        check_compiled(described(width, activation), loss)


@pytest.mark.parametrize(
    ("width", "activation", "loss"),
    [
        (3, None, K.SparseCategoricalCrossentropy(from_logits=True)),
        (3, "softmax", "sparse_categorical_crossentropy"),
        (1, "sigmoid", "binary_crossentropy"),
        (1, None, "mse"),
        (3, None, "mse"),
        (3, None, "hinge"),
        (3, "relu", "categorical_crossentropy"),
        (3, None, lambda y, outputs: keras.ops.mean(outputs)),
        (3, None, None),
        (3, None, "no_such_loss"),
    ],
)
def test_a_loss_that_may_be_right_is_taken(described, width, activation, loss):
    check_compiled(described(width, activation), loss)


@pytest.mark.parametrize(
    ("metric", "way_out"),
    [
        ("accuracy", r"BinaryAccuracy\(threshold=0.0\)"),
        ("binary_accuracy", r"BinaryAccuracy\(threshold=0.0\)"),
        (M.BinaryAccuracy(), r"BinaryAccuracy\(threshold=0.0\)"),
        ("AUC", r"AUC\(from_logits=True\)"),
        ("auc", r"AUC\(from_logits=True\)"),
        (M.AUC(), r"AUC\(from_logits=True\)"),
        (M.AUC, r"AUC\(from_logits=True\)"),
        (M.Precision(), r"Precision\(thresholds=0.0\)"),
        ("recall", r"Recall\(thresholds=0.0\)"),
        (M.BinaryCrossentropy(), r"BinaryCrossentropy\(from_logits=True\)"),
    ],
)
def test_metrics_of_probabilities_are_refused_beside_a_loss_of_logits(
    described, metric, way_out
):
    loss = K.BinaryCrossentropy(from_logits=True)
    with pytest.raises(ValueError, match=f"gives logits.*{way_out}"):
        check_compiled(described(1), loss, [[metric]])


def test_metrics_that_fit_are_taken(described):
    check_compiled(
        described(1),
        K.BinaryCrossentropy(from_logits=True),
        [
            [M.BinaryAccuracy(threshold=0.0), M.AUC(from_logits=True)],
            {"head": M.Precision(thresholds=0.0)},
        ],
    )
    check_compiled(
        described(3),
        K.SparseCategoricalCrossentropy(from_logits=True),
        ["accuracy", None, [M.SparseTopKCategoricalAccuracy(2)]],
    )
    # A number from 0 to 1 that was learnt with a squared error.
    check_compiled(described(1), "mse", [[M.BinaryAccuracy()]])
    check_compiled(described(1, "sigmoid"), "bce", ["accuracy", "AUC"])


def test_a_metric_of_logits_on_probabilities_is_refused(described):
    with pytest.raises(ValueError, match=r"ends in a sigmoid.*AUC\(\)"):
        check_compiled(
            described(1, "sigmoid"), "bce", [[M.AUC(from_logits=True)]]
        )


def test_the_accuracy_of_many_yes_or_no_labels_is_warned_of(described):
    loss = K.BinaryCrossentropy(from_logits=True)
    with pytest.warns(UserWarning, match=r"BinaryAccuracy\(threshold=0.0\)"):
        check_compiled(described(3), loss, ["accuracy"])


def test_a_check_takes_no_name_away(described):
    check_compiled(described(1, "sigmoid"), "bce", [["AUC", "Precision"]])
    assert M.AUC().name == "auc"


def test_each_output_has_its_own_loss():
    x = keras.Input((4,))
    student = describe(
        keras.Model(
            x,
            {
                "tag": keras.layers.Dense(3, name="tag")(x),
                "score": keras.layers.Dense(1, "sigmoid", name="score")(x),
            },
        )
    )
    right = {
        "tag": K.SparseCategoricalCrossentropy(from_logits=True),
        "score": "bce",
    }
    check_compiled(student, right, [{"tag": "accuracy", "score": ["AUC"]}])
    with pytest.raises(ValueError, match="output 'tag' of the student"):
        check_compiled(student, {**right, "tag": "categorical_crossentropy"})
    with pytest.raises(ValueError, match="output 'score'.*ends in a sigmoid"):
        check_compiled(student, K.BinaryCrossentropy(from_logits=True))


def test_logits_are_seen_through_layers_that_pass_them_on():
    x = keras.Input((4,))
    logits = keras.layers.Dense(3)(x)
    logits = keras.layers.Dropout(0.1)(
        keras.layers.Activation("linear")(logits)
    )
    inner = keras.Model(x, logits)
    student = describe(keras.Model(x, inner(x)))
    with pytest.raises(ValueError, match="gives logits"):
        check_compiled(student, "sparse_categorical_crossentropy")


def test_nothing_is_said_of_what_nothing_is_known_of():
    x = keras.Input((4,))
    own = keras.layers.Lambda(keras.ops.softmax)(keras.layers.Dense(3)(x))
    check_compiled(describe(keras.Model(x, own)), "categorical_crossentropy")


def test_a_distiller_and_a_stage_refuse_at_compile(make_classifier):
    from keras_distill import Distiller
    from keras_distill import losses
    from keras_distill import stages
    from keras_distill import tasks

    teacher = make_classifier(num_layers=1)
    student = make_classifier(num_layers=1, hidden_dim=8)
    distiller = Distiller(teacher, student, losses.LogitsDistillation())
    with pytest.raises(ValueError, match="from_logits=True"):
        distiller.compile("adam", "sparse_categorical_crossentropy")
    examples = tasks.Examples((["a film"] * 2,), [0, 1])
    stage = stages.Stage(
        "labels",
        student,
        tasks.TokenizedExamples(examples, student.preprocessor.tokenizer, 8),
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        epochs=1,
    )
    with pytest.raises(ValueError, match="from_logits=True"):
        stage.build()
