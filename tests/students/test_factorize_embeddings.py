import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import students
from keras_distill.features import FeatureExtractor
from keras_distill.saving import swapped_optimizer


def words_of(backbone):
    return np.array(backbone.token_embedding.embeddings, "float64")


def tables_of(backbone):
    return [
        weight
        for weight in backbone.weights
        if len(weight.shape) == 2 and "embedding" in weight.path
    ]


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


# === Large tables ===


@pytest.fixture
def decaying_table():
    """A table of 1000 x 64; each singular value is 0.95 of the one before."""
    generator = np.random.default_rng(0)
    left = np.linalg.qr(generator.normal(size=(1000, 64)))[0]
    right = np.linalg.qr(generator.normal(size=(64, 64)))[0]
    return left * 0.95 ** np.arange(64) @ right


@pytest.mark.parametrize("center", [False, True])
def test_words_are_the_left_vectors_times_the_singular_values(
    center, make_backbone
):
    """`U_k S_k` of a table of 1000 x 64, but for the signs of its columns."""
    table = np.random.default_rng(4).normal(0.3, 1.0, (1000, 64))
    teacher = make_backbone(hidden_dim=64, vocabulary_size=1000)
    teacher.token_embedding.embeddings.assign(table)
    student = make_backbone(vocabulary_size=1000)
    students.factorize_embeddings(teacher, student, center=center)

    table = words_of(teacher)
    if center:
        table = table - table.mean(axis=0)
    left, values, _ = np.linalg.svd(table, full_matrices=False)
    expected = left[:, :16] * values[:16]
    found = words_of(student)
    signs = np.sign(np.sum(found * expected, axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=1e-4)


@pytest.mark.slow
def test_two_processes_agree_to_the_last_bit(run_python):
    program = """
import hashlib
import keras_hub
import numpy as np
from keras_distill import students
teacher, student = (
    keras_hub.models.BertBackbone(
        vocabulary_size=1000, num_layers=1, num_heads=2, hidden_dim=width,
        intermediate_dim=8, max_sequence_length=8,
    )
    for width in (64, 16)
)
table = np.random.default_rng(4).normal(0.3, 1.0, (1000, 64))
teacher.token_embedding.embeddings.assign(table)
for method in ("exact", "randomized"):
    for center in (False, True):
        students.factorize_embeddings(
            teacher, student, center=center, method=method, quiet=True
        )
        words = student.token_embedding.embeddings.numpy()
        print(method, center, hashlib.sha256(words.tobytes()).hexdigest())
"""

    found = run_python(program, "0")[-4:]
    assert [line.split()[0] for line in found] == ["exact"] * 2 + [
        "randomized"
    ] * 2
    assert run_python(program, "1")[-4:] == found


@pytest.mark.parametrize("center", [False, True])
def test_randomized_keeps_what_exact_keeps(
    center, decaying_table, make_backbone
):
    sizes = dict(vocabulary_size=1000)
    teacher = make_backbone(hidden_dim=64, **sizes)
    teacher.token_embedding.embeddings.assign(decaying_table)
    results, tables = [], []
    for method in ("exact", "randomized", "randomized"):
        student = make_backbone(**sizes)
        results.append(
            students.factorize_embeddings(
                teacher, student, center=center, method=method
            )
        )
        tables.append(words_of(student))
    exact, randomized, again = results
    assert 0.7 < exact.energy_kept < 0.9
    assert randomized.energy_kept == pytest.approx(exact.energy_kept, rel=1e-3)
    np.testing.assert_array_equal(again.basis, randomized.basis)
    np.testing.assert_array_equal(tables[1], tables[2])
    # The strongest half agrees, signs included.
    np.testing.assert_allclose(tables[1][:, :8], tables[0][:, :8], atol=1e-3)
    np.testing.assert_allclose(
        randomized.basis.T @ randomized.basis, np.eye(16), atol=1e-5
    )


def test_another_seed_finds_the_same_directions(decaying_table, make_backbone):
    teacher = make_backbone(hidden_dim=64, vocabulary_size=1000)
    teacher.token_embedding.embeddings.assign(decaying_table)
    first, second = (
        students.factorize_embeddings(
            teacher,
            make_backbone(vocabulary_size=1000, hidden_dim=8),
            method="randomized",
            seed=seed,
        ).basis
        for seed in (0, 1)
    )
    np.testing.assert_allclose(first[:, :4], second[:, :4], atol=1e-2)
    assert not np.array_equal(first, second)


def test_auto_is_randomized_for_large_tables(make_backbone, monkeypatch):
    module = students.factorize_embeddings.__globals__
    teacher, student = make_backbone(), make_backbone(hidden_dim=6)

    def basis(method):
        return students.factorize_embeddings(
            teacher, student, method=method
        ).basis

    exact, randomized = basis("exact"), basis("randomized")
    assert not np.array_equal(exact, randomized)
    np.testing.assert_array_equal(basis("auto"), exact)
    monkeypatch.setitem(module, "_LARGE_TABLE", 639)
    np.testing.assert_array_equal(basis("auto"), randomized)


def test_unknown_method(make_backbone):
    with pytest.raises(ValueError, match="`method` must be one of auto, exact"):
        students.factorize_embeddings(
            make_backbone(), make_backbone(), method="svd"
        )


# === Kept factorized ===


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


# === Frozen or trained ===


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
