"""Words and positions that start from the teacher's."""

import functools

import numpy as np
import pytest

from recipes.common import models
from recipes.xtremedistil.config import Config


@pytest.fixture(scope="module")
def teacher(make_classifier):
    return make_classifier(num_layers=1)


@pytest.fixture(scope="module")
def at_random(teacher):
    """Students of each size, as they are without the teacher."""

    @functools.cache
    def make(size):
        config = Config(student=size, embeddings="random")
        return models.create_student(config, teacher)[0]

    return make


@pytest.mark.parametrize("size", ["1x8x2", "1x16x2"])
@pytest.mark.parametrize("embeddings", ["teacher", "centred"])
@pytest.mark.parametrize("positions", [None, "teacher", "random"])
def test_words_and_positions_start_from_the_teacher(
    teacher, at_random, size, embeddings, positions
):
    config = Config(
        student=size, embeddings=embeddings, embedding_positions=positions
    )
    student, _ = models.create_student(config, teacher)
    of_teacher, of_student = (
        model.backbone.token_embedding.get_weights()[0]
        for model in (teacher, student)
    )
    if embeddings == "centred":
        of_teacher = of_teacher - of_teacher.mean(axis=0)
    width = of_student.shape[1]
    kept = np.linalg.svd(of_teacher, compute_uv=False)[:width]
    np.testing.assert_allclose(
        np.linalg.svd(of_student, compute_uv=False), kept, rtol=1e-4
    )
    for name in ("position_embedding", "segment_embedding"):
        start, now = (
            getattr(model.backbone, name).get_weights()[0]
            for model in (at_random(size), student)
        )
        is_random = positions == "random" or (
            positions is None and embeddings == "centred"
        )
        assert (start == now).all() == is_random


def test_an_equally_wide_student_gets_the_tables_as_they_are(teacher):
    student, _ = models.create_student(Config(student="1x16x2"), teacher)
    for one, two in zip(
        teacher.backbone.token_embedding.get_weights(),
        student.backbone.token_embedding.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)
