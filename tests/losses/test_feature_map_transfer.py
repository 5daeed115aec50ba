"""Facts about the transfer of feature maps."""

import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill import losses
from keras_distill.losses import FeatureMapTransfer
from keras_distill.losses import HiddenStatesDistillation
from keras_distill.losses import functional
from keras_distill.losses.objective import Objective
from keras_distill.testing import check_distillation_loss

# Of MobileBERT's formulas in float64: one example, three tokens, four wide.
INDEX = np.arange(12).reshape(1, 3, 4)
TEACHER, STUDENT = 3 * np.sin(0.9 * INDEX) + 1, 2 * np.cos(0.4 * INDEX)
GOLDEN = {"normalized": 3.00794102564484, "mean": 5.1057642234255205}
GOLDEN["variance"] = 1.4114188023202914


def standardized(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)


def of_real_tokens(weights):
    def reference(teacher, student, mask):
        normalized = standardized(teacher) - standardized(student)
        means = teacher.mean(axis=-1) - student.mean(axis=-1)
        variances = teacher.var(axis=-1) - student.var(axis=-1)
        values = weights[0] * np.mean(normalized**2, axis=-1)
        values += weights[1] * means**2 + weights[2] * np.abs(variances)
        mask = np.ones(values.shape) if mask is None else mask
        return (values * mask).sum(axis=1) / mask.sum(axis=1)

    return reference


@pytest.mark.parametrize("weights", [(100.0, 5000.0, 5.0), (0, 0, 2)])
def test_values_over_real_tokens(weights, random, mask):
    teacher, student = random.normal(size=(2, 3, 4, 5))
    check_distillation_loss(
        FeatureMapTransfer(layer_map.last, weights),
        teacher,
        student,
        mask,
        reference=of_real_tokens(weights),
    )


def test_golden_values_of_mobilebert():
    for place, expected in enumerate(GOLDEN.values()):
        weights = np.eye(3)[place].tolist()
        found = FeatureMapTransfer(weights=weights).per_example(
            TEACHER, STUDENT
        )
        np.testing.assert_allclose(found, [expected], rtol=1e-6)
    found = HiddenStatesDistillation().per_example(TEACHER, STUDENT)
    np.testing.assert_allclose(found, [8.006052780577468], rtol=1e-6)


def test_golden_sum_of_a_layer_of_24(describe_bert):
    """Weighted and added as a `Distiller` adds its losses up."""
    model = describe_bert(1, hidden_dim=4, num_heads=2)
    objective = Objective(
        [
            FeatureMapTransfer(),
            losses.AttentionDistillation(loss="cross_entropy"),
        ],
        [1 / 24, 1 / 24],
        model,
        model,
    )
    index = np.arange(18).reshape(1, 2, 3, 3)
    features = [
        {"hidden_states.1": states, "attention_scores.1": scores}
        for states, scores in (
            (TEACHER, 2 * np.sin(0.7 * index)),
            (STUDENT, 1.5 * np.cos(0.5 * index)),
        )
    ]
    # Twice the example is the same mean.
    for times in (1, 2):
        teacher, student = (
            {name: np.repeat(x, times, axis=0) for name, x in part.items()}
            for part in features
        )
        total = objective.total(objective.terms(teacher, student, {}))
        np.testing.assert_allclose(total, 1076.5733158247992, rtol=1e-6)


def test_official_values_count_padding():
    """Of a fixed length: at padding that is equal the mean is half."""
    official = FeatureMapTransfer(normalization="official")
    more = [(0, 0), (0, 3), (0, 0)]
    mask = np.array([[1] * 3 + [0] * 3])
    long = official.per_example(
        np.pad(TEACHER, more), np.pad(STUDENT, more), mask
    )
    short = official.per_example(TEACHER, STUDENT)
    np.testing.assert_allclose(long, 0.5 * np.asarray(short), rtol=1e-6)
    assert official.reads_padding
    assert not FeatureMapTransfer().reads_padding


def test_the_parts_see_different_things(random):
    """Direction, shift and spread."""
    teacher = random.normal(size=(1, 1, 8))
    shifted, stretched = (
        teacher + 2,
        teacher.mean() + 3 * (teacher - teacher.mean()),
    )

    def parts(student):
        return [
            float(np.squeeze(formula(teacher, student)))
            for formula in (
                functional.normalized_mean_squared_error,
                functional.squared_mean_error,
                functional.absolute_variance_error,
            )
        ]

    np.testing.assert_allclose(parts(shifted), [0, 4, 0], atol=1e-5)
    spread = 8 * teacher.var()
    np.testing.assert_allclose(parts(stretched), [0, 0, spread], atol=1e-5)


def test_pairs_and_plan(describe_bert):
    teacher, student = describe_bert(4, 8), describe_bert(2, 4)
    matches = FeatureMapTransfer().match(teacher, student)
    assert [(match.student, match.teacher) for match in matches] == [
        ("hidden_states.1", "hidden_states.2"),
        ("hidden_states.2", "hidden_states.4"),
    ]
    # One projection for all parts and layers.
    assert {match.projection for match in matches} == {
        losses.Projection("feature_map", 4, 8)
    }
    assert matches[0].note == (
        "hidden states, 4 -> 8 linear, 100 normalized + 5000 mean + "
        "5 variance, masked"
    )
    (match,) = FeatureMapTransfer(
        weights=(1, 0, 2), normalization="official"
    ).match(describe_bert(1), describe_bert(1))
    assert match.note == (
        "hidden states, 8 wide, 1 normalized + 2 variance, with padding"
    )
    with pytest.raises(ValueError, match='4 wide.*projection="auto"'):
        FeatureMapTransfer(projection=None).match(teacher, student)


@pytest.mark.parametrize(
    "weights", [(1, 2), (0, 0, 0), (1, -1, 1), (1, "2", 3), 100]
)
def test_weights_that_are_none(weights):
    with pytest.raises(ValueError, match="`weights` must be three numbers"):
        FeatureMapTransfer(weights=weights)


def test_the_first_token_is_no_feature_map():
    with pytest.raises(ValueError, match="`normalization` must be one of"):
        FeatureMapTransfer(normalization="first_token")
