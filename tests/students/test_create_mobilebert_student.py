"""Facts about a MobileBERT as the student of an ordinary teacher."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import models
from keras_distill import students

TEXTS = ["a good film", "the plot is bad and the ending is dull"]
SIZES = {
    "num_layers": 1,
    "num_heads": 2,
    "embedding_dim": 6,
    "hidden_dim": 8,
    "intra_dim": 4,
    "intermediate_dim": 5,
}


@pytest.mark.parametrize("preset", ["mobilebert", "mobilebert_tiny"])
def test_sizes_are_those_of_the_preset_or_given(preset, plain_backbone):
    student = students.create_mobilebert_student(
        plain_backbone, preset, num_layers=1, name="small"
    )
    expected = models.MobileBertBackbone.from_preset(
        preset,
        load_weights=False,
        # The teacher's.
        vocabulary_size=40,
        max_sequence_length=20,
        num_layers=1,
        name="small",
    )
    assert student.get_config() == expected.get_config()


def test_classifier_gives_a_classifier(make_classifier, answers):
    plain = make_classifier(num_layers=1)
    teacher = models.BertTextClassifier(
        plain.backbone,
        num_classes=5,
        preprocessor=plain.preprocessor,
        activation="softmax",
        dropout=0.2,
        pooling="mean",
    )
    student = students.create_mobilebert_student(teacher, **SIZES)
    assert type(student) is models.MobileBertTextClassifier
    assert student.preprocessor is teacher.preprocessor
    assert student.activation is keras.activations.softmax
    assert student.num_classes == 5
    assert student.dropout == 0.2
    assert student.pooling == "mean"
    assert {name: getattr(student.backbone, name) for name in SIZES} == SIZES
    assert answers(student, TEXTS).shape == (2, 5)


def test_another_task_keeps_its_class(plain_backbone):
    teacher = models.PretrainingModel(plain_backbone)
    student = students.create_mobilebert_student(teacher, **SIZES)
    assert type(student) is models.PretrainingModel
    assert type(student.backbone) is models.MobileBertBackbone


def test_words_start_from_the_svd(make_classifier, randomize):
    teacher = randomize(make_classifier(num_layers=1))
    student = students.create_mobilebert_student(
        teacher, embeddings="teacher", quiet=True, **SIZES
    )
    table = np.array(teacher.backbone.token_embedding.embeddings, "float64")
    left, values, _ = np.linalg.svd(table, full_matrices=False)
    found = np.array(student.backbone.token_embedding.embeddings, "float64")
    # Products of words do not depend on the signs.
    np.testing.assert_allclose(
        found @ found.T,
        (left[:, :6] * values[:6] ** 2) @ left[:, :6].T,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    "words, message",
    [
        ({"preset": "mobilebert_large"}, "`preset` must be one of 'mobilebert"),
        ({"embeddings": "svd"}, "`embeddings` must be one of 'random', 'tea"),
        ({"vocabulary_size": 30}, "`vocabulary_size` is the teacher's"),
        ({"num_heads": 3}, "`num_heads` must divide `intra_dim`"),
        (
            {"embeddings": "teacher", "embedding_dim": 32},
            "must be at most as wide as the teacher",
        ),
    ],
)
def test_what_cannot_be_built(words, message, plain_backbone):
    with pytest.raises(ValueError, match=message):
        students.create_mobilebert_student(plain_backbone, **{**SIZES, **words})


def test_a_teacher_without_segments_is_refused(make_backbone):
    teacher = make_backbone(keras_hub.models.RobertaBackbone, num_layers=1)
    with pytest.raises(ValueError, match="Use `create_student`"):
        students.create_mobilebert_student(teacher)


@pytest.fixture
def mobilebert(plain_backbone, randomize):
    student = students.create_mobilebert_student(plain_backbone, **SIZES)
    return randomize(student)


@pytest.mark.parametrize(
    "sizes",
    [
        {"num_heads": 1},
        {"hidden_dim": 6},
        {"embedding_dim": 3},
        {"intermediate_dim": 7, "hidden_dim": 6, "embedding_dim": 3},
    ],
)
def test_a_mobilebert_has_students_of_its_own_kind(mobilebert, sizes):
    student = students.create_student(
        mobilebert,
        embeddings="teacher",
        quiet=True,
        **{"num_layers": 1, **sizes},
    )
    # All else is the teacher's.
    expected = {**SIZES, **sizes}
    assert type(student) is models.MobileBertBackbone
    assert {name: getattr(student, name) for name in expected} == expected
    # The words are the teacher's, as far as they go.
    source, found = (
        keras.ops.convert_to_numpy(model.token_embedding.embeddings)
        for model in (mobilebert, student)
    )
    if "embedding_dim" in sizes:
        basis = np.linalg.svd(source, full_matrices=False)[2][:3]
        source = source @ basis.T
    np.testing.assert_allclose(found @ found.T, source @ source.T, atol=1e-4)


def test_positions_of_another_width_are_not_projected(mobilebert):
    student = students.create_student(mobilebert, embedding_dim=3)
    with pytest.raises(ValueError, match="Pass `include_positions=False`"):
        students.factorize_embeddings(mobilebert, student)
