"""Facts about recurrent students of a teacher."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import models
from keras_distill import students

TEXTS = ["a good film", "the plot is bad and the ending is dull"]
SIZE = dict(embedding_dim=6, lstm_dim=5)


def test_defaults_are_the_papers(plain_backbone):
    student = students.create_bilstm_student(plain_backbone)
    config = student.get_config()
    for word, value in {
        "vocabulary_size": 40,
        "embedding_dim": 300,
        "lstm_dim": 600,
        "projection_dim": 16,
        "dropout": 0.2,
        "recurrent_dropout": 0.2,
        "max_sequence_length": 20,
    }.items():
        assert config[word] == value


def test_classifier_gives_a_classifier(make_classifier, answers):
    teacher = make_classifier(num_layers=1, num_classes=5)
    student = students.create_bilstm_student(
        teacher, include_projection=False, name="small", **SIZE
    )
    assert type(student) is models.BiLstmTextClassifier
    assert student.name == "small"
    assert student.preprocessor is teacher.preprocessor
    assert student.num_classes == 5
    assert student.backbone.hidden_dim == 10
    assert answers(student, TEXTS).shape == (2, 5)


def test_activation_is_the_teachers(make_classifier):
    plain = make_classifier(num_layers=1)
    teacher = keras_hub.models.BertTextClassifier(
        plain.backbone, num_classes=2, activation="softmax"
    )
    student = students.create_bilstm_student(teacher, **SIZE)
    assert student.activation is keras.activations.softmax


def test_words_start_from_the_svd(make_classifier, randomize):
    teacher = randomize(make_classifier(num_layers=1))
    student = students.create_bilstm_student(
        teacher, embeddings="teacher", **SIZE
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
        (
            {"embeddings": "svd"},
            "`embeddings` must be one of 'random', 'teacher'",
        ),
        (
            {"embeddings": "teacher", "embedding_dim": 32},
            "must be at most as wide as the teacher",
        ),
        ({"pooling": "max"}, "`pooling` must be one of 'mean', 'first_"),
    ],
)
def test_what_cannot_be_built(words, message, plain_backbone):
    with pytest.raises(ValueError, match=message):
        students.create_bilstm_student(plain_backbone, **{**SIZE, **words})
