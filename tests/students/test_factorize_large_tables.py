"""Which method finds the directions, and that it finds the same ones."""

import numpy as np
import pytest

from keras_distill import students
from tests.students.word_tables import words_of


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
def test_two_processes_agree_to_the_last_bit(run_python, monkeypatch):
    """Whatever their hash seeds, and the threads that they have."""
    program = """
import hashlib
import keras_hub
import numpy as np
from keras_distill import students
teacher, student = (
    keras_hub.models.BertBackbone(
        vocabulary_size=9000, num_layers=1, num_heads=2, hidden_dim=width,
        intermediate_dim=8, max_sequence_length=8,
    )
    for width in (256, 16)
)
table = np.random.default_rng(4).normal(0.3, 1.0, (9000, 256))
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
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
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
    module = students.factorize_embeddings.__wrapped__.__globals__
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
    with pytest.raises(
        ValueError, match="`method` must be one of 'auto', 'exact"
    ):
        students.factorize_embeddings(
            make_backbone(), make_backbone(), method="svd"
        )
