"""Facts about the distillation of relations among tokens."""

import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill.losses import RelationDistillation
from keras_distill.losses import functional
from keras_distill.testing import check_distillation_loss


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def relations(vectors, num_heads):
    """Distributions of each token over all, of one example `(L, H, D)`."""
    joined = vectors.reshape(len(vectors), -1)
    heads = np.split(joined, num_heads, axis=-1)
    return [softmax(a @ a.T / np.sqrt(a.shape[-1])) for a in heads]


def divergence_of_relations(num_heads):
    def reference(teacher, student, mask):
        values = []
        for example in range(len(teacher)):
            tokens = np.arange(teacher.shape[1])
            if mask is not None:
                tokens = np.flatnonzero(mask[example])
            divergences = [
                np.mean(np.sum(p * np.log(p / q), axis=-1))
                for p, q in zip(
                    relations(teacher[example, tokens], num_heads),
                    relations(student[example, tokens], num_heads),
                    strict=True,
                )
            ]
            values.append(np.mean(divergences))
        return np.array(values)

    return reference


@pytest.mark.parametrize(
    "student_shape, num_relation_heads",
    [
        # The teacher has 2 heads of width 6.
        ((2, 6), 2),
        ((2, 6), 4),
        ((4, 3), 3),
        ((4, 2), 2),
        ((1, 4), 1),
    ],
)
def test_values_with_different_heads(
    student_shape, num_relation_heads, random, mask
):
    check_distillation_loss(
        RelationDistillation(num_relation_heads=num_relation_heads),
        random.normal(size=(3, 4, 2, 6)),
        random.normal(size=(3, 4, *student_shape)),
        mask,
        reference=divergence_of_relations(num_relation_heads),
    )


def test_relation_heads_are_the_teachers_by_default(random, mask):
    check_distillation_loss(
        RelationDistillation(),
        random.normal(size=(3, 4, 2, 6)),
        random.normal(size=(3, 4, 4, 2)),
        mask,
        reference=divergence_of_relations(2),
    )


def test_relation_scores_are_scaled_products(random):
    vectors = random.normal(size=(2, 3, 2, 6))
    found = functional.relation_scores(vectors, 3)
    joined = vectors.reshape(2, 3, 3, 4)
    expected = np.einsum("bqhd,bkhd->bhqk", joined, joined) / 2
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_last_layers_and_all_relations_by_default(describe_bert):
    matches = RelationDistillation().match(describe_bert(12), describe_bert(5))
    assert [(match.student, match.teacher) for match in matches] == [
        ("queries.5", "queries.12"),
        ("keys.5", "keys.12"),
        ("values.5", "values.12"),
    ]


def test_relations_and_layers_of_ones_own(describe_bert):
    loss = RelationDistillation(
        ["values"], layer_map=layer_map.explicit([(2, 3)])
    )
    (match,) = loss.match(describe_bert(4), describe_bert(2))
    assert (match.student, match.teacher) == ("values.2", "values.3")
    assert match.note == "values relations, 2 heads, kl, masked"


def test_heads_and_widths_are_free(describe_bert):
    teacher = describe_bert(4, hidden_dim=24, num_heads=4)
    student = describe_bert(2, hidden_dim=12, num_heads=3)
    matches = RelationDistillation(num_relation_heads=6).match(teacher, student)
    assert len(matches) == 3


def test_relation_heads_must_divide_both_widths(describe_bert):
    teacher = describe_bert(2, hidden_dim=24, num_heads=4)
    student = describe_bert(2, hidden_dim=10, num_heads=2)
    with pytest.raises(ValueError, match="divide the student's width 10.*4"):
        RelationDistillation().match(teacher, student)
    with pytest.raises(ValueError, match="divide the teacher's width 24"):
        RelationDistillation(num_relation_heads=5).match(teacher, student)


@pytest.mark.parametrize("heads", [0, -2, 1.5, "all"])
def test_relation_heads_must_be_a_count(heads):
    with pytest.raises(ValueError, match="`num_relation_heads` must be"):
        RelationDistillation(num_relation_heads=heads)


def test_unknown_relations():
    with pytest.raises(ValueError, match="`relations` must be one of.*'heads'"):
        RelationDistillation(["queries", "heads"])
    with pytest.raises(ValueError, match="must be a tuple that names at least"):
        RelationDistillation([])


def test_the_embeddings_have_no_relations(describe_bert):
    loss = RelationDistillation(["keys"], layer_map=layer_map.top_aligned)
    matches = loss.match(describe_bert(4), describe_bert(2))
    assert [(match.student, match.teacher) for match in matches] == [
        ("keys.1", "keys.3"),
        ("keys.2", "keys.4"),
    ]
