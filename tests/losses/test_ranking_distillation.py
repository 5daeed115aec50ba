"""A student's scores are compared among the candidates of a query alone."""

import functools
import json

import keras
import numpy as np
import pytest

from keras_distill.losses import LogitsDistillation
from keras_distill.losses import RankingDistillation
from keras_distill.losses import functional
from keras_distill.testing import gradient

LABELS = np.array([1, -1, 2, -2, -2], "int32")
TEACHER = np.array([[2.0], [1.0], [0.5], [-1.0], [0.0]], "float32")


def per_example(student, loss="kl", **options):
    return keras.ops.convert_to_numpy(
        RankingDistillation(loss=loss, **options).per_example(
            TEACHER, student, y=LABELS
        )
    )


def test_a_query_may_be_shifted():
    shifted = TEACHER + np.array([[3.0]] * 2 + [[-7.0]] * 3, "float32")
    np.testing.assert_allclose(per_example(shifted), np.zeros(5), atol=1e-6)
    np.testing.assert_allclose(
        per_example(shifted, "cross_entropy"),
        per_example(TEACHER, "cross_entropy"),
        rtol=1e-5,
    )
    # Without labels all are candidates of one query, where that counts.
    whole = keras.ops.convert_to_numpy(
        RankingDistillation().per_example(TEACHER, shifted)
    )
    assert np.ptp(whole) < 1e-6 < np.min(whole)


def test_the_difference_of_the_two_is_constant():
    """So is the gradient the same, at a temperature of 1."""
    students = np.random.default_rng(0).normal(size=(2, 5, 1))
    gaps = [
        per_example(student, "cross_entropy") - per_example(student)
        for student in students.astype("float32")
    ]
    np.testing.assert_allclose(*gaps, rtol=1e-5)
    found = [
        gradient(
            lambda x, loss=loss: RankingDistillation(loss=loss).per_example(
                TEACHER, x, y=LABELS
            ),
            students[0],
        )
        for loss in ("kl", "cross_entropy")
    ]
    np.testing.assert_allclose(*found, atol=1e-6)


def test_gradients_are_finite_where_nothing_counts():
    scores = np.array([50.0, -50.0, 80.0, 0.0], "float32")
    for labels in np.array([[-1, -1, 2, -2], [0, 0, 0, 0]]):
        found = gradient(
            functools.partial(functional.ranking_cross_entropy, labels), scores
        )
        assert np.isfinite(found).all()
        assert (found[labels == -1] == 0).all()
        assert (found[labels == 0] == 0).all()


def test_models_of_one_score(describe_bert):
    one, two = (describe_bert(num_classes=n) for n in (1, 2))
    (match,) = RankingDistillation(temperature=2.0).match(one, one)
    assert match.note == (
        "logits, 1 classes, kl of softmax, temperature 2 over the candidates "
        "of a query"
    )
    with pytest.raises(ValueError, match="Received: models with 2 outputs"):
        RankingDistillation().match(two, two)
    with pytest.raises(ValueError, match="or `RankingDistillation`"):
        LogitsDistillation().match(one, one)
    with pytest.raises(ValueError, match="`loss` must be one of"):
        RankingDistillation(loss="mse")


def test_json():
    loss = RankingDistillation(2.0, "cross_entropy", name="scores")
    text = json.dumps(keras.saving.serialize_keras_object(loss))
    copy = keras.saving.deserialize_keras_object(json.loads(text))
    assert copy.get_config() == loss.get_config()
    assert type(copy) is RankingDistillation
