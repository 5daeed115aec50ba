"""A MobileBERT as the student of other recipes, of an ordinary teacher."""

import numpy as np
import pytest

from keras_distill import models
from keras_distill import teachers
from recipes.common import models as recipe_models
from recipes.common.student_size import parse_size
from recipes.tinybert.config import Config
from recipes.xtremedistil.config import Config as XtremeDistil


@pytest.fixture(scope="module")
def teacher(folder):
    return teachers.load_teacher(str(folder / "encoder"), 2, 16).classifier


def test_its_size():
    assert parse_size("mobilebert_tiny") == {"architecture": "mobilebert_tiny"}
    size = parse_size("mobilebert:6x512x4x128x256")
    assert size == {
        "architecture": "mobilebert",
        "num_layers": 6,
        "hidden_dim": 512,
        "num_heads": 4,
        "intra_dim": 128,
        "intermediate_dim": 256,
    }
    with pytest.raises(ValueError, match="`student` must be one of mobilebert"):
        parse_size("mobilebert:6x512")


def test_it_starts_with_the_teachers_words(teacher):
    size = "mobilebert:1x12x2x4x8x2"
    started, words = recipe_models.create_student(
        XtremeDistil(student=size, embedding_dim=4), teacher
    )
    random, _ = recipe_models.create_student(
        Config(student=size, student_start="random"), teacher
    )
    assert isinstance(started, models.MobileBertTextClassifier)
    assert started.backbone.num_feedforward_networks == 2
    assert "truncated SVD" in words
    assert started.backbone.token_embedding.output_dim == 4
    assert random.backbone.token_embedding.output_dim == 128


def test_it_starts_from_what_was_pre_trained(run_dir):
    # It has as many positions.
    path = str(run_dir / "encoders/teacher")
    teacher = teachers.load_teacher(path, 2, 16).classifier
    folder = run_dir / "encoders/student"
    student, words = recipe_models.create_student(
        Config(student_from=str(folder)), teacher
    )
    assert words == f"The student starts from the encoder in {folder}"
    pretrained = models.PretrainingModel.from_preset(
        run_dir / "pretrained/student"
    )
    for ours, theirs in zip(
        student.backbone.weights, pretrained.backbone.weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "option, value", [("pooling", "mean"), ("dropout", 0.2)]
)
def test_its_head_is_the_teachers(teacher, option, value):
    config = Config(student="mobilebert_tiny", **{f"student_{option}": value})
    with pytest.raises(ValueError, match=f"--student-{option} is for students"):
        recipe_models.create_student(config, teacher)
