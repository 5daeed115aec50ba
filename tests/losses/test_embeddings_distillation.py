"""Facts about the distillation of the output of the embeddings."""

import numpy as np
import pytest

from keras_distill.losses import EmbeddingsDistillation
from keras_distill.losses import Projection
from keras_distill.testing import check_distillation_loss


def mean_squared_error(teacher, student, mask):
    values = np.mean((teacher - student) ** 2, axis=-1)
    mask = np.ones(values.shape) if mask is None else mask
    return np.sum(values * mask, axis=1) / np.sum(mask, axis=1)


def mean_cosine_distance(teacher, student, mask):
    teacher = teacher / np.linalg.norm(teacher, axis=-1, keepdims=True)
    student = student / np.linalg.norm(student, axis=-1, keepdims=True)
    values = 1 - np.einsum("bld,bld->bl", teacher, student)
    mask = np.ones(values.shape) if mask is None else mask
    return np.sum(values * mask, axis=1) / np.sum(mask, axis=1)


@pytest.mark.parametrize(
    "loss, reference",
    [("mse", mean_squared_error), ("cosine", mean_cosine_distance)],
)
def test_values(loss, reference, random, mask):
    teacher = random.normal(size=(3, 4, 5))
    student = random.normal(size=(3, 4, 5))
    check_distillation_loss(
        EmbeddingsDistillation(loss),
        teacher,
        student,
        mask,
        reference=reference,
    )
    official = EmbeddingsDistillation(loss, normalization="official")
    check_distillation_loss(official, teacher, student, reference=reference)
    np.testing.assert_allclose(
        official.per_example(teacher, student, mask),
        reference(teacher, student, None),
        atol=1e-6,
    )


def test_the_embeddings_learn_from_the_embeddings(describe_bert):
    (match,) = EmbeddingsDistillation().match(
        describe_bert(12, hidden_dim=8), describe_bert(5, hidden_dim=4)
    )
    assert (match.student, match.teacher) == ("embeddings", "embeddings")
    assert match.projection == Projection("embeddings", 4, 8)
    assert match.note == "embeddings, 4 -> 8 linear, mse, masked"


def test_widths_that_differ_need_a_projection(describe_bert):
    loss = EmbeddingsDistillation(projection=None)
    with pytest.raises(ValueError, match="projection=None"):
        loss.match(describe_bert(2, 8), describe_bert(2, 4))


def test_models_without_embeddings(describe_bert, describe_opaque):
    with pytest.raises(
        ValueError, match="'opaque' has no feature 'embeddings'"
    ):
        EmbeddingsDistillation().match(describe_opaque, describe_bert())


@pytest.mark.parametrize(
    "option, value",
    [
        ("loss", "mae"),
        ("projection", "per_layer"),
        ("normalization", "sum_over_classes"),
    ],
)
def test_unknown_options(option, value):
    with pytest.raises(ValueError, match=f"`{option}` must be one of.*{value}"):
        EmbeddingsDistillation(**{option: value})
