"""Facts about the distillation of predictions."""

import dataclasses

import numpy as np
import pytest

from keras_distill import losses
from keras_distill.losses import LogitsDistillation
from keras_distill.testing import check_distillation_loss


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def kl(teacher, student, temperature):
    p, q = softmax(teacher / temperature), softmax(student / temperature)
    return temperature**2 * np.sum(p * (np.log(p) - np.log(q)), axis=-1)


def cross_entropy(teacher, student, temperature):
    p, q = softmax(teacher / temperature), softmax(student / temperature)
    return -np.sum(p * np.log(q), axis=-1)


def binary_kl(teacher, student, temperature):
    p, q = sigmoid(teacher / temperature), sigmoid(student / temperature)
    divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    return temperature**2 * np.sum(divergence, axis=-1)


def binary_cross_entropy(teacher, student, temperature):
    p, q = sigmoid(teacher / temperature), sigmoid(student / temperature)
    return -np.sum(p * np.log(q) + (1 - p) * np.log(1 - q), axis=-1)


def mean_squared_error(teacher, student, temperature):
    return np.mean((teacher - student) ** 2, axis=-1)


def reference_of(formula, temperature):
    """A reference for predictions of examples or of tokens."""

    def reference(teacher, student, mask):
        values = formula(teacher, student, temperature)
        if values.ndim == 1:
            return values
        mask = np.ones(values.shape) if mask is None else mask
        return np.sum(mask * values, axis=1) / np.sum(mask, axis=1)

    return reference


SOFT_TARGETS = [
    ("kl", False, kl),
    ("kl", True, binary_kl),
    ("cross_entropy", False, cross_entropy),
    ("cross_entropy", True, binary_cross_entropy),
]


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("kind, multi_label, formula", SOFT_TARGETS)
def test_values(kind, multi_label, formula, temperature, random):
    check_distillation_loss(
        LogitsDistillation(temperature, kind, multi_label),
        random.normal(size=(3, 4)),
        random.normal(size=(3, 4)),
        reference=reference_of(formula, temperature),
        zero_when_equal=kind == "kl",
    )


@pytest.mark.parametrize("kind, multi_label, formula", SOFT_TARGETS)
def test_values_of_token_predictions(kind, multi_label, formula, random, mask):
    check_distillation_loss(
        LogitsDistillation(2.0, kind, multi_label),
        random.normal(size=(3, 4, 5)),
        random.normal(size=(3, 4, 5)),
        mask,
        reference=reference_of(formula, 2.0),
        zero_when_equal=kind == "kl",
    )


@pytest.mark.parametrize("shape", [(3, 1), (3, 4), (3, 4, 5)])
def test_squared_error(shape, random, mask):
    check_distillation_loss(
        LogitsDistillation(loss="mse"),
        random.normal(size=shape),
        random.normal(size=shape),
        mask if len(shape) == 3 else None,
        reference=reference_of(mean_squared_error, 1.0),
    )


def half_sum_of_squares(teacher, student, temperature):
    return 0.5 * np.sum((teacher - student) ** 2, axis=-1)


@pytest.mark.parametrize("shape", [(3, 1), (3, 4), (3, 4, 5)])
def test_half_the_sum_of_squares(shape, random, mask):
    check_distillation_loss(
        LogitsDistillation(loss="half_sum_of_squares"),
        random.normal(size=shape),
        random.normal(size=shape),
        mask if len(shape) == 3 else None,
        reference=reference_of(half_sum_of_squares, 1.0),
    )


@pytest.mark.parametrize(
    "kind, expected", [("mse", 14 / 3), ("half_sum_of_squares", 7.0)]
)
def test_golden_values_of_xtremedistil(kind, expected):
    """The code of 2021 and the paper of 2020, for tokens and examples."""
    loss = LogitsDistillation(loss=kind)
    teacher, student = np.zeros((1, 3)), np.array([[1.0, 2.0, 3.0]])
    found = loss.per_example(teacher, student)
    np.testing.assert_allclose(found, [expected], rtol=1e-6)
    found = loss.per_example(
        np.zeros((1, 2, 3)), np.stack([student, 9 + student], 1), [[1, 0]]
    )
    np.testing.assert_allclose(found, [expected], rtol=1e-6)
    # Raw logits: a constant that a softmax would swallow counts.
    shifted = loss.per_example(teacher, student + 1)
    assert np.asarray(shifted)[0] > expected


def test_half_the_sum_is_no_mean_over_classes():
    with pytest.raises(ValueError, match='is a mean over classes.*loss="mse"'):
        LogitsDistillation(loss="half_sum_of_squares", normalization="official")


@pytest.mark.parametrize("kind, multi_label, formula", SOFT_TARGETS)
def test_official_values_are_means_over_classes(
    kind, multi_label, formula, random
):
    check_distillation_loss(
        LogitsDistillation(2.0, kind, multi_label, normalization="official"),
        random.normal(size=(3, 4)),
        random.normal(size=(3, 4)),
        reference=lambda teacher, student, mask: (
            formula(teacher, student, 2.0) / 4
        ),
        zero_when_equal=kind == "kl",
    )


def test_official_squared_error_is_a_mean_anyway():
    loss = LogitsDistillation(loss="mse", normalization="official")
    found = loss.per_example([[1.0, 2.0]], [[0.0, 0.0]])
    np.testing.assert_allclose(found, [2.5])


def test_golden_values_of_tinybert():
    zeros = np.zeros((1, 2))
    usual = LogitsDistillation(loss="cross_entropy")
    official = LogitsDistillation(
        loss="cross_entropy", normalization="official"
    )
    found = usual.per_example(zeros, zeros)
    np.testing.assert_allclose(found, [0.693147], atol=1e-6)
    found = official.per_example(zeros, zeros)
    np.testing.assert_allclose(found, [0.346574], atol=1e-6)


def test_temperature_2_is_the_cross_entropy_of_halved_logits(random):
    teacher, student = random.normal(size=(2, 3, 4))
    hot = LogitsDistillation(2.0, "cross_entropy")
    cold = LogitsDistillation(1.0, "cross_entropy")
    np.testing.assert_allclose(
        hot.per_example(teacher, student),
        cold.per_example(teacher / 2, student / 2),
        rtol=1e-6,
    )


def test_kl_has_the_factor_of_the_squared_temperature(random):
    teacher, student = random.normal(size=(2, 3, 4))
    hot = LogitsDistillation(3.0).per_example(teacher, student)
    cold = LogitsDistillation(1.0).per_example(teacher / 3, student / 3)
    np.testing.assert_allclose(hot, 9 * np.asarray(cold), rtol=1e-5)


def test_kl_is_the_cross_entropy_less_the_teachers_entropy(random):
    teacher, student = random.normal(size=(2, 3, 4))
    crossed = LogitsDistillation(loss="cross_entropy")
    entropy = np.asarray(crossed.per_example(teacher, teacher))
    np.testing.assert_allclose(
        LogitsDistillation().per_example(teacher, student),
        np.asarray(crossed.per_example(teacher, student)) - entropy,
        atol=1e-6,
    )


def test_plan_says_how_they_are_compared(describe_bert):
    model = describe_bert(num_classes=3)

    def note(*arguments):
        (match,) = LogitsDistillation(*arguments).match(model, model)
        assert (match.student, match.teacher) == ("logits", "logits")
        return match.note

    assert note() == "logits, 3 classes, kl of softmax, temperature 1"
    assert note(2.5, "cross_entropy", True) == (
        "logits, 3 classes, cross_entropy of sigmoid, temperature 2.5"
    )
    assert note(1.0, "mse") == "logits, 3 classes, mse"
    assert note(1.0, "half_sum_of_squares") == (
        "logits, 3 classes, half sum of squares"
    )


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_models_that_end_in_probabilities(activation, describe_bert):
    logits = describe_bert(name="ends_in_logits")
    probabilities = describe_bert(activation=activation, name="ends")
    for models, role in (
        ((probabilities, logits), "teacher"),
        ((logits, probabilities), "student"),
    ):
        with pytest.raises(
            ValueError, match=f"the {role} 'ends' ends in a {activation}"
        ):
            LogitsDistillation().match(*models)
    # A squared error is defined for probabilities just as well.
    for kind in ("mse", "half_sum_of_squares"):
        LogitsDistillation(loss=kind).match(probabilities, probabilities)


def test_one_class_has_no_softmax(describe_bert):
    model = describe_bert(num_classes=1)
    with pytest.raises(ValueError, match='softmax is always 1.*loss="mse"'):
        LogitsDistillation().match(model, model)
    LogitsDistillation(loss="mse").match(model, model)
    LogitsDistillation(loss="half_sum_of_squares").match(model, model)
    LogitsDistillation(multi_label=True).match(model, model)


def test_classes_that_differ(describe_bert):
    with pytest.raises(ValueError, match="teacher has shape.*3.*student.*2"):
        LogitsDistillation().match(
            describe_bert(num_classes=3), describe_bert(num_classes=2)
        )


@pytest.mark.parametrize("shape", [(None,), (None, 2, 3, 4)])
def test_outputs_without_an_axis_of_classes(shape, describe_bert):
    model = describe_bert()
    model = dataclasses.replace(model, shapes={"logits": shape})
    with pytest.raises(ValueError, match=r"\(batch, tokens, classes\)"):
        LogitsDistillation(loss="mse").match(model, model)


@pytest.fixture
def describe_outputs(describe_bert):
    """Describes a model by its outputs and their numbers of classes."""

    def describe(**num_classes):
        return dataclasses.replace(
            describe_bert(),
            shapes={f"output.{k}": (None, n) for k, n in num_classes.items()},
            output_activations={f"output.{k}": None for k in num_classes},
        )

    return describe


def test_outputs_that_both_models_have(describe_outputs):
    teacher = describe_outputs(start=2, end=3, topic=4)
    student = describe_outputs(end=3, start=2)
    matches = LogitsDistillation().match(teacher, student)
    assert [match.student for match in matches] == [
        "output.end",
        "output.start",
    ]
    (match,) = LogitsDistillation(outputs=["start"]).match(teacher, student)
    assert (match.student, match.teacher) == ("output.start", "output.start")


def test_outputs_that_are_missing(describe_outputs):
    teacher, student = describe_outputs(start=2, end=3), describe_outputs(end=3)
    loss = LogitsDistillation(outputs=["start"])
    with pytest.raises(ValueError, match=r"found no output.*outputs=.*start"):
        loss.match(teacher, student)
    with pytest.raises(ValueError, match="found no output"):
        LogitsDistillation().match(describe_outputs(a=2), describe_outputs(b=2))


def test_models_that_nothing_is_known_of(describe_bert, describe_opaque):
    (match,) = LogitsDistillation().match(describe_bert(), describe_opaque)
    assert match == losses.Match(
        "logits", "logits", "logits, kl of softmax, temperature 1"
    )
    matches = LogitsDistillation(outputs=["start", "end"]).match(
        describe_opaque, describe_opaque
    )
    assert [match.teacher for match in matches] == [
        "output.start",
        "output.end",
    ]


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_temperature_must_be_positive(temperature):
    with pytest.raises(
        ValueError, match="`temperature` must be a number above 0"
    ):
        LogitsDistillation(temperature)


@pytest.mark.parametrize("kind", ["mse", "half_sum_of_squares"])
@pytest.mark.parametrize(
    "options", [{"temperature": 2.0}, {"multi_label": True}]
)
def test_squared_error_has_no_soft_targets(options, kind):
    with pytest.raises(ValueError, match=f'`loss="{kind}"` compares the outp'):
        LogitsDistillation(loss=kind, **options)


@pytest.mark.parametrize(
    "option, value", [("loss", "kld"), ("normalization", "mean")]
)
def test_unknown_options(option, value):
    with pytest.raises(ValueError, match=f"`{option}` must be one of.*{value}"):
        LogitsDistillation(**{option: value})
