"""Words that stay factorized in the student, and whether they train."""

import functools

import keras
import numpy as np
import pytest

from keras_distill import students
from keras_distill.features import FeatureExtractor
from keras_distill.models.saving import swapped_optimizer
from tests.students.word_tables import best_approximation
from tests.students.word_tables import words_of


@pytest.fixture
def make_backbone(make_backbone):
    """Of one layer: what is looked at lies below it."""
    return functools.partial(make_backbone, num_layers=1)


def embeddings_of(backbone):
    """What enters the first layer, for all words at the first positions."""
    ids = np.arange(40, dtype="int32").reshape(2, 20)
    batch = {
        "token_ids": ids,
        "segment_ids": ids % 2,
        "padding_mask": np.ones_like(ids),
    }
    extractor = FeatureExtractor(backbone, "embeddings")
    return keras.ops.convert_to_numpy(extractor(batch)["embeddings"])


@pytest.mark.parametrize("center", [False, True])
def test_factorized_at_the_teachers_width(center, make_backbone, randomize):
    """Words are the best approximation of their rank, all else is equal."""
    teacher = randomize(make_backbone())
    student = students.create_student(teacher, embedding_dim=6)
    result = students.factorize_embeddings(teacher, student, center=center)
    assert result.basis.shape == (16, 6)
    assert words_of(student).shape == (40, 6)
    table = words_of(teacher)
    mean = table.mean(axis=0) if center else np.zeros(16)
    projection = student.token_projection
    np.testing.assert_allclose(
        words_of(student) @ np.array(projection.kernel)
        + np.array(projection.bias),
        best_approximation(table - mean, 6) + mean,
        atol=1e-5,
    )
    for name in ("position_embedding", "segment_embedding"):
        np.testing.assert_allclose(
            getattr(student, name).get_weights()[0],
            getattr(teacher, name).get_weights()[0],
            atol=1e-6,
        )
    # The teacher with its table cut to that rank sees the same.
    cut = make_backbone()
    cut.set_weights(teacher.get_weights())
    cut.token_embedding.embeddings.assign(
        best_approximation(table - mean, 6) + mean
    )
    np.testing.assert_allclose(
        embeddings_of(student), embeddings_of(cut), atol=1e-4
    )


def test_factorized_at_the_teachers_width_and_rank_loses_nothing(
    make_backbone, randomize
):
    teacher = randomize(make_backbone())
    student = students.create_student(
        teacher, embedding_dim=16, embeddings="teacher", layers="teacher"
    )
    batch = {
        "token_ids": np.array([[5, 6, 7]]),
        "segment_ids": np.array([[0, 0, 1]]),
        "padding_mask": np.array([[1, 1, 1]]),
    }
    found, expected = (
        keras.ops.convert_to_numpy(model(batch)["sequence_output"])
        for model in (student, teacher)
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("center", [False, True])
def test_factorized_in_a_narrower_student(center, make_backbone, randomize):
    """It starts as a table of the student's width, cut to its rank."""
    teacher = randomize(make_backbone())
    student = students.create_student(teacher, hidden_dim=8, embedding_dim=4)
    plain = students.create_student(teacher, hidden_dim=8)
    students.factorize_embeddings(teacher, student, center=center)
    whole = students.factorize_embeddings(teacher, plain, center=center)
    projection = student.token_projection
    found = words_of(student) @ np.array(projection.kernel)
    np.testing.assert_allclose(
        found, best_approximation(words_of(plain), 4), atol=1e-5
    )
    np.testing.assert_allclose(
        projection.bias, whole.mean @ whole.basis, atol=1e-5
    )
    # The mean word is the projection's bias here, and in the positions there.
    np.testing.assert_allclose(
        np.array(student.position_embedding.position_embeddings)
        + np.array(projection.bias),
        plain.position_embedding.position_embeddings,
        atol=1e-5,
    )
    np.testing.assert_array_equal(
        student.segment_embedding.embeddings,
        plain.segment_embedding.embeddings,
    )


def test_more_words_than_states_are_wide(make_backbone, randomize):
    teacher = randomize(make_backbone())
    student = students.create_student(
        teacher, hidden_dim=4, embedding_dim=8, embeddings="teacher"
    )
    plain = students.create_student(teacher, hidden_dim=4, embeddings="teacher")
    kernel = np.array(student.token_projection.kernel)
    np.testing.assert_allclose(
        words_of(student) @ kernel, words_of(plain), atol=1e-5
    )


def test_factorized_words_alone(make_backbone, randomize):
    teacher = randomize(make_backbone())
    student = students.create_student(teacher, embedding_dim=6)
    norm = student.embeddings_layer_norm.get_weights()
    positions = np.array(student.position_embedding.position_embeddings)
    students.factorize_embeddings(teacher, student, include_positions=False)
    np.testing.assert_array_equal(
        student.position_embedding.position_embeddings, positions
    )
    for value, weight in zip(
        norm, student.embeddings_layer_norm.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, value)


def test_a_factorized_teacher(make_backbone):
    teacher = students.create_student(make_backbone(), embedding_dim=6)
    student = students.create_student(teacher, embedding_dim=4)
    with pytest.raises(ValueError, match="factorized already.*copy_layers"):
        students.factorize_embeddings(teacher, student)


def test_factorized_student_wider_than_the_teacher(make_backbone):
    student = students.create_student(
        make_backbone(), hidden_dim=32, embedding_dim=4
    )
    with pytest.raises(ValueError, match="a student of width 32, a teacher of"):
        students.factorize_embeddings(make_backbone(), student)


@pytest.mark.parametrize("embedding_dim", [None, 4])
@pytest.mark.parametrize("trainable", [True, False])
def test_words_train_or_are_frozen(
    embedding_dim, trainable, make_classifier, randomize, tmp_path
):
    teacher = randomize(make_classifier(num_layers=1))
    student = students.create_student(
        teacher, num_layers=1, hidden_dim=8, embedding_dim=embedding_dim
    )
    students.factorize_embeddings(teacher, student, trainable=trainable)
    before = words_of(student.backbone)

    def train(model):
        model.compile(
            keras.optimizers.Adam(0.1),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            # To compile takes longer than a step.
            run_eagerly=keras.backend.backend() == "tensorflow",
        )
        x = {
            "token_ids": np.array([[2, 5, 6, 3], [2, 9, 9, 3]]),
            "segment_ids": np.zeros((2, 4), "int32"),
            "padding_mask": np.ones((2, 4), "int32"),
        }
        model.preprocessor = None
        kernel = np.array(model.output_dense.kernel)
        model.fit(x, np.array([0, 1]), verbose=0)
        assert not np.array_equal(model.output_dense.kernel, kernel)

    train(student)
    assert np.array_equal(words_of(student.backbone), before) != trainable
    trained = words_of(student.backbone)
    # KerasHub has no place for the state of an optimizer that has trained.
    with swapped_optimizer(student, keras.optimizers.Adam()):
        student.save(tmp_path / "student.keras")
    loaded = keras.models.load_model(tmp_path / "student.keras", compile=False)
    np.testing.assert_array_equal(words_of(loaded.backbone), trained)
    if embedding_dim is not None:
        # The choice itself comes back, too.
        train(loaded)
        changed = not np.array_equal(words_of(loaded.backbone), trained)
        assert changed == trainable
