import keras_hub
import numpy as np
import pytest

from keras_distill import students


def words_of(backbone):
    return np.array(backbone.token_embedding.embeddings, "float64")


def best_approximation(table, rank):
    left, values, right = np.linalg.svd(table, full_matrices=False)
    return left[:, :rank] * values[:rank] @ right[:rank]


def test_words_are_the_best_approximation_of_their_rank(
    make_backbone, randomize
):
    teacher = randomize(make_backbone())
    student = make_backbone(hidden_dim=6)
    result = students.factorize_embeddings(teacher, student)

    table = words_of(teacher)
    restored = words_of(student) @ result.basis.T
    best = best_approximation(table, 6)
    np.testing.assert_allclose(restored, best, atol=1e-5)
    singular_values = np.linalg.svd(table, compute_uv=False)
    np.testing.assert_allclose(
        np.linalg.norm(table - restored),
        np.sqrt((singular_values[6:] ** 2).sum()),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        result.basis.T @ result.basis, np.eye(6), atol=1e-12
    )
    np.testing.assert_array_equal(result.mean, np.zeros(16))


def test_energy_by_hand(make_backbone):
    """Singular values 4, 3 and 1: two of them keep 25 / 26 of the energy."""
    teacher = make_backbone()
    student = make_backbone(hidden_dim=2)
    table = np.zeros((40, 16))
    table[7, 5] = 3.0
    table[8, 2] = -4.0
    table[9, 0] = 1.0
    teacher.token_embedding.embeddings.assign(table)

    result = students.factorize_embeddings(teacher, student)

    np.testing.assert_allclose(result.energy_kept, 25 / 26)
    expected = np.zeros((40, 2))
    expected[8, 0] = -4.0  # The strongest first; the basis is positive.
    expected[7, 1] = 3.0
    np.testing.assert_allclose(words_of(student), expected, atol=1e-6)
    assert str(result) == (
        "embeddings 16 -> 2 by truncated SVD, 96.2% of the squared singular "
        "values kept"
    )


def test_positions_and_segments_are_in_the_same_basis(make_backbone, randomize):
    teacher = randomize(make_backbone())
    student = randomize(make_backbone(hidden_dim=6), seed=3)
    norm = student.embeddings_layer_norm.get_weights()
    layers = [layer.get_weights() for layer in student.transformer_layers]

    basis = students.factorize_embeddings(teacher, student).basis

    np.testing.assert_allclose(
        student.position_embedding.position_embeddings,
        np.array(teacher.position_embedding.position_embeddings) @ basis,
        atol=1e-6,
    )
    np.testing.assert_allclose(
        student.segment_embedding.embeddings,
        np.array(teacher.segment_embedding.embeddings) @ basis,
        atol=1e-6,
    )
    for value, weight in zip(
        norm, student.embeddings_layer_norm.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, value)
    for before, layer in zip(layers, student.transformer_layers, strict=True):
        for value, weight in zip(before, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, value)


def test_center_is_principal_component_analysis(make_backbone, randomize):
    teacher = randomize(make_backbone())
    teacher.token_embedding.embeddings.assign_add(np.full((40, 16), 0.7))
    student = make_backbone(hidden_dim=6)
    result = students.factorize_embeddings(teacher, student, center=True)
    table = words_of(teacher)
    centered = table - table.mean(axis=0)
    np.testing.assert_allclose(result.mean, table.mean(axis=0))
    np.testing.assert_allclose(
        words_of(student) @ result.basis.T,
        best_approximation(centered, 6),
        atol=1e-5,
    )
    # Dot products between words do not depend on the basis's signs.
    np.testing.assert_allclose(
        words_of(student) @ words_of(student).T,
        best_approximation(centered, 6) @ best_approximation(centered, 6).T,
        atol=1e-4,
    )


def test_two_calls_agree_to_the_last_bit(make_backbone, randomize):
    teacher = randomize(make_backbone())
    first = make_backbone(hidden_dim=6)
    second = make_backbone(hidden_dim=6)
    ours = students.factorize_embeddings(teacher, first)
    theirs = students.factorize_embeddings(teacher, second)
    np.testing.assert_array_equal(ours.basis, theirs.basis)
    np.testing.assert_array_equal(words_of(first), words_of(second))
    strongest = np.abs(ours.basis).argmax(axis=0)
    assert (ours.basis[strongest, np.arange(6)] > 0).all()


def test_equal_width_turns_but_loses_nothing(make_backbone, randomize):
    teacher = randomize(make_backbone())
    student = make_backbone()
    result = students.factorize_embeddings(teacher, student)
    assert result.energy_kept == 1.0
    np.testing.assert_allclose(
        words_of(student) @ result.basis.T, words_of(teacher), atol=1e-5
    )


def test_shorter_student_gets_the_first_positions(make_backbone, randomize):
    teacher = randomize(make_backbone())
    student = make_backbone(hidden_dim=6, max_sequence_length=8)
    basis = students.factorize_embeddings(teacher, student).basis
    positions = np.array(teacher.position_embedding.position_embeddings)
    np.testing.assert_allclose(
        student.position_embedding.position_embeddings,
        positions[:8] @ basis,
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "cls",
    [
        keras_hub.models.RobertaBackbone,
        keras_hub.models.DistilBertBackbone,
    ],
)
def test_words_and_positions_in_one_layer(cls, make_backbone, randomize):
    teacher = randomize(make_backbone(cls))
    student = make_backbone(cls, hidden_dim=6)
    basis = students.factorize_embeddings(teacher, student).basis
    for ours, theirs in zip(
        student.embeddings.weights, teacher.embeddings.weights, strict=True
    ):
        np.testing.assert_allclose(ours, np.array(theirs) @ basis, atol=1e-6)


def test_classifiers(make_classifier, randomize):
    teacher = randomize(make_classifier())
    student = make_classifier(hidden_dim=6)
    head = student.output_dense.get_weights()
    result = students.factorize_embeddings(teacher, student)
    np.testing.assert_allclose(
        words_of(student.backbone),
        words_of(teacher.backbone) @ result.basis,
        atol=1e-6,
    )
    np.testing.assert_array_equal(student.output_dense.kernel, head[0])


def test_half_precision_teacher(make_backbone, randomize):
    teacher = randomize(make_backbone(dtype="bfloat16"))
    student = make_backbone(hidden_dim=6)
    result = students.factorize_embeddings(teacher, student)
    np.testing.assert_allclose(
        words_of(student), words_of(teacher) @ result.basis, atol=1e-6
    )


@pytest.mark.parametrize(
    "words, message",
    [
        ({"hidden_dim": 32}, "student of width 32, a teacher of width 16"),
        ({"vocabulary_size": 41}, "41 words in the student and 40 in"),
        ({"max_sequence_length": 21}, "21 positions in the student and 20"),
        ({"num_segments": 3}, "3 segments in the student and 2 in"),
    ],
)
def test_sizes_that_do_not_match(words, message, make_backbone, values):
    student = make_backbone(**({"hidden_dim": 6} | words))
    before = values(student)
    with pytest.raises(ValueError, match=message):
        students.factorize_embeddings(make_backbone(), student)
    for value, weight in zip(before, student.weights, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_a_width_beyond_the_vocabulary(make_backbone):
    with pytest.raises(ValueError, match="and 10 words"):
        students.factorize_embeddings(
            make_backbone(vocabulary_size=10),
            make_backbone(vocabulary_size=10, hidden_dim=12),
        )


def test_nan_in_the_teacher(make_backbone):
    teacher = make_backbone()
    teacher.position_embedding.position_embeddings.assign(
        np.full((20, 16), np.nan)
    )
    with pytest.raises(ValueError, match="table of positions holds NaN"):
        students.factorize_embeddings(teacher, make_backbone(hidden_dim=6))


def test_quantized_teacher(make_backbone):
    teacher = make_backbone()
    teacher.quantize("int8", filters="token_embedding")
    with pytest.raises(ValueError, match="is quantized to int8"):
        students.factorize_embeddings(teacher, make_backbone(hidden_dim=6))


def test_no_table_of_positions(make_backbone):
    deberta = make_backbone(keras_hub.models.DebertaV3Backbone)
    with pytest.raises(ValueError, match="no table of words and positions"):
        students.factorize_embeddings(deberta, deberta)
