"""The teacher's words in the directions that keep most of them."""

import functools

import keras_hub
import numpy as np
import pytest

from keras_distill import students
from tests.students.word_tables import best_approximation
from tests.students.word_tables import words_of


@pytest.fixture
def make_backbone(make_backbone):
    """Of one layer: what is looked at lies below it."""
    return functools.partial(make_backbone, num_layers=1)


def tables_of(backbone):
    return [
        weight
        for weight in backbone.weights
        if len(weight.shape) == 2 and "embedding" in weight.path
    ]


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


@pytest.mark.parametrize("method", ["exact", "randomized"])
@pytest.mark.parametrize("word, center", [(0.0, False), (0.7, True)])
def test_a_table_of_equal_words_is_kept_whole(
    word, center, method, make_backbone
):
    teacher = make_backbone()
    teacher.token_embedding.embeddings.assign(np.full((40, 16), word))
    student = make_backbone(hidden_dim=6)
    result = students.factorize_embeddings(
        teacher, student, center=center, method=method
    )
    assert result.energy_kept == 1.0
    assert "100.0% of the squared singular values" in str(result)
    np.testing.assert_allclose(words_of(student), np.zeros((40, 6)), atol=1e-6)
    np.testing.assert_allclose(
        result.basis.T @ result.basis, np.eye(6), atol=1e-5
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


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize(
    "cls",
    [
        keras_hub.models.BertBackbone,
        keras_hub.models.RobertaBackbone,
        keras_hub.models.DistilBertBackbone,
    ],
)
def test_what_is_summed_is_the_teachers_sum_in_the_basis(
    cls, center, make_backbone, randomize
):
    """Of words, positions and segments; no matter where the mean word is."""
    teacher = randomize(make_backbone(cls))
    words, *_ = tables_of(teacher)
    words.assign_add(np.full((40, 16), 0.7))
    student = make_backbone(cls, hidden_dim=16)
    basis = students.factorize_embeddings(teacher, student, center=center).basis

    def sums(model):
        words, *others = tables_of(model)
        # All words at the last position, and in the last segment, if any.
        return np.array(words) + sum(np.array(table)[-1] for table in others)

    np.testing.assert_allclose(sums(student), sums(teacher) @ basis, atol=1e-5)


def test_the_mean_word_is_dropped_where_words_are_all_that_is_taken_over(
    make_backbone, randomize
):
    """As XtremeDistilTransformers has it."""
    teacher = randomize(make_backbone())
    teacher.token_embedding.embeddings.assign_add(np.full((40, 16), 0.7))
    student = make_backbone(hidden_dim=6)
    positions = np.array(student.position_embedding.position_embeddings)
    segments = np.array(student.segment_embedding.embeddings)
    students.factorize_embeddings(
        teacher, student, center=True, include_positions=False
    )
    np.testing.assert_array_equal(
        student.position_embedding.position_embeddings, positions
    )
    np.testing.assert_array_equal(
        student.segment_embedding.embeddings, segments
    )
    np.testing.assert_allclose(
        words_of(student).mean(axis=0), np.zeros(6), atol=1e-6
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
    teacher = randomize(make_classifier(num_layers=1))
    student = make_classifier(num_layers=1, hidden_dim=6)
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


def test_words_alone_where_the_teacher_has_no_table_of_positions(
    make_backbone, randomize
):
    cls = keras_hub.models.DebertaV3Backbone
    teacher = randomize(make_backbone(cls))
    student = make_backbone(cls, hidden_dim=6)
    basis = students.factorize_embeddings(teacher, student).basis
    np.testing.assert_allclose(
        words_of(student), words_of(teacher) @ basis, atol=1e-5
    )


def test_tables_that_the_teacher_lacks(make_backbone):
    teacher = make_backbone(keras_hub.models.DistilBertBackbone)
    with pytest.raises(ValueError, match="positions in the teacher.*segments"):
        students.factorize_embeddings(teacher, make_backbone(hidden_dim=6))


def test_positions_and_segments_stay_as_they_are_if_asked(
    make_backbone, randomize
):
    teacher = randomize(make_backbone())
    student = randomize(make_backbone(hidden_dim=6), seed=3)
    before = [
        np.array(student.position_embedding.position_embeddings),
        np.array(student.segment_embedding.embeddings),
    ]
    basis = students.factorize_embeddings(
        teacher, student, include_positions=False
    ).basis
    after = [
        student.position_embedding.position_embeddings,
        student.segment_embedding.embeddings,
    ]
    for value, weight in zip(before, after, strict=True):
        np.testing.assert_array_equal(weight, value)
    np.testing.assert_allclose(
        words_of(student), words_of(teacher) @ basis, atol=1e-6
    )


def test_the_energy_kept_is_printed(make_backbone, capsys):
    models = make_backbone(), make_backbone(hidden_dim=6)
    result = students.factorize_embeddings(*models)
    assert capsys.readouterr().out == f"{result}\n"
    students.factorize_embeddings(*models, quiet=True)
    assert capsys.readouterr().out == ""


def test_no_random_projection_is_closer(make_backbone, randomize):
    teacher = randomize(make_backbone())
    student = make_backbone(hidden_dim=6)
    basis = students.factorize_embeddings(teacher, student, center=True).basis
    table = words_of(teacher)
    table = table - table.mean(axis=0)

    def error(basis):
        return np.linalg.norm(table - table @ basis @ basis.T)

    generator = np.random.default_rng(2)
    others = [
        np.linalg.qr(generator.normal(size=(16, 6)))[0] for _ in range(20)
    ]
    assert error(basis) < min(map(error, others))
