"""Facts about the distillation of hidden states."""

import keras
import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill import losses
from keras_distill.losses import HiddenStatesDistillation
from keras_distill.testing import check_distillation_loss
from keras_distill.testing import gradient


def squared_errors(teacher, student):
    return np.mean((teacher - student) ** 2, axis=-1)


def cosine_distances(teacher, student):
    product = np.sum(teacher * student, axis=-1)
    lengths = np.linalg.norm(teacher, axis=-1) * np.linalg.norm(
        student, axis=-1
    )
    return 1 - product / lengths


def divergences(teacher, student):
    """KL of the vectors' softmaxes."""
    p, q = (
        np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
        for x in (teacher, student)
    )
    return np.sum(p * np.log(p / q), axis=-1)


DISTANCES = [
    ("mse", squared_errors),
    ("cosine", cosine_distances),
    ("kl", divergences),
]


def over_real_tokens(distances):
    def reference(teacher, student, mask):
        values = distances(teacher, student)
        if mask is None:
            return values.mean(axis=1)
        return (values * mask).sum(axis=1) / mask.sum(axis=1)

    return reference


def over_all_positions(distances):
    def reference(teacher, student, mask):
        return distances(teacher, student).mean(axis=1)

    return reference


@pytest.mark.parametrize("loss, distances", DISTANCES)
def test_values_over_real_tokens(loss, distances, random, mask):
    check_distillation_loss(
        HiddenStatesDistillation(layer_map.last, loss),
        random.normal(size=(3, 4, 5)),
        random.normal(size=(3, 4, 5)),
        mask,
        reference=over_real_tokens(distances),
    )


@pytest.mark.parametrize("loss, distances", DISTANCES)
def test_official_values_count_padding(loss, distances, random, mask):
    official = HiddenStatesDistillation(loss=loss, normalization="official")
    teacher = random.normal(size=(3, 4, 5))
    student = random.normal(size=(3, 4, 5))
    check_distillation_loss(
        official, teacher, student, reference=over_all_positions(distances)
    )
    masked = official.per_example(teacher, student, mask)
    expected = over_all_positions(distances)(teacher, student, None)
    np.testing.assert_allclose(masked, expected, atol=1e-6)


@pytest.mark.parametrize("loss, distances", DISTANCES)
def test_the_first_token_alone(loss, distances, random, mask):
    check_distillation_loss(
        HiddenStatesDistillation(loss=loss, normalization="first_token"),
        random.normal(size=(3, 4, 5)),
        random.normal(size=(3, 4, 5)),
        mask,
        reference=lambda teacher, student, mask: distances(teacher, student)[
            :, 0
        ],
    )


def test_divergence_is_never_negative_and_least_where_both_agree(random):
    """Keras's "kld" of the same vectors is neither."""
    loss = HiddenStatesDistillation(loss="kl")
    teacher = np.full((1, 1, 4), 0.5, "float32")
    above = np.ones((1, 1, 4), "float32")
    agreeing = np.asarray(loss.per_example(teacher, teacher))
    np.testing.assert_array_equal(agreeing, [0.0])
    assert keras.losses.kl_divergence(teacher, above) < 0
    student = random.normal(size=(8, 3, 4))
    teacher = random.normal(size=(8, 3, 4))
    assert (np.asarray(loss.per_example(teacher, student)) > 0).all()


def test_official_value_depends_on_the_amount_of_padding(random):
    official = HiddenStatesDistillation(normalization="official")
    teacher = random.normal(size=(1, 3, 5))
    student = random.normal(size=(1, 3, 5))
    # Positions on which both agree pull the mean down.
    padding = [(0, 0), (0, 3), (0, 0)]
    short = official.per_example(teacher, student)
    long = official.per_example(
        np.pad(teacher, padding), np.pad(student, padding)
    )
    np.testing.assert_allclose(long, 0.5 * np.asarray(short), rtol=1e-6)


def test_cosine_distance_of_a_zero_vector_has_a_finite_gradient():
    loss = HiddenStatesDistillation(loss="cosine")
    teacher = np.ones((1, 1, 2), "float32")
    zero = np.zeros((1, 1, 2), "float32")
    np.testing.assert_allclose(loss.per_example(teacher, zero), [0.5])
    found = gradient(lambda x: loss.per_example(teacher, x), zero)
    assert np.all(np.isfinite(found))


def test_an_example_of_padding_counts_zero(random):
    teacher = random.normal(size=(1, 3, 5))
    values = HiddenStatesDistillation().per_example(
        teacher, -teacher, np.zeros((1, 3))
    )
    assert np.asarray(values).tolist() == [0.0]


def test_uniform_pairs_by_default(describe_bert):
    matches = HiddenStatesDistillation().match(
        describe_bert(num_layers=12), describe_bert(num_layers=4)
    )
    assert [(match.student, match.teacher) for match in matches] == [
        ("hidden_states.1", "hidden_states.3"),
        ("hidden_states.2", "hidden_states.6"),
        ("hidden_states.3", "hidden_states.9"),
        ("hidden_states.4", "hidden_states.12"),
    ]


@pytest.mark.parametrize("num_layers, num_terms", [(4, 5), (6, 7)])
def test_tinybert_has_one_term_for_each_state(
    num_layers, num_terms, describe_bert
):
    loss = HiddenStatesDistillation(include_embeddings=True)
    teacher, student = describe_bert(12), describe_bert(num_layers)
    matches = loss.match(teacher, student)
    assert len(matches) == num_terms
    assert (matches[0].student, matches[0].teacher) == (
        "embeddings",
        "embeddings",
    )


def test_embeddings_named_by_hand_count_once(describe_bert):
    loss = HiddenStatesDistillation(
        layer_map.explicit([(0, 0), (1, 1)]), include_embeddings=True
    )
    assert len(loss.match(describe_bert(1), describe_bert(1))) == 2


@pytest.mark.parametrize("depth, num_terms", [(6, 7), (12, 13)])
def test_xtremedistil_aligns_all_states_with_the_teachers_top(
    depth, num_terms, describe_bert
):
    loss = HiddenStatesDistillation(
        layer_map.top_aligned, projection="per_layer"
    )
    teacher = describe_bert(12, hidden_dim=24)
    matches = loss.match(teacher, describe_bert(depth, hidden_dim=12))
    assert len(matches) == num_terms
    below = "embeddings" if depth == 12 else f"hidden_states.{12 - depth}"
    assert (matches[0].student, matches[0].teacher) == ("embeddings", below)
    assert (matches[-1].student, matches[-1].teacher) == (
        f"hidden_states.{depth}",
        "hidden_states.12",
    )
    # One projection for each state.
    assert len({match.projection for match in matches}) == num_terms


def test_projections_of_tinybert(describe_bert):
    teacher = describe_bert(12, hidden_dim=768, num_heads=12)
    student = describe_bert(4, hidden_dim=312, num_heads=12)

    def projections(choice):
        loss = HiddenStatesDistillation(
            include_embeddings=True, projection=choice
        )
        return {match.projection for match in loss.match(teacher, student)}

    def num_weights(projection):
        return (projection.student_width + 1) * projection.teacher_width

    for choice in ("auto", "shared"):
        assert projections(choice) == {
            losses.Projection("hidden_states", 312, 768)
        }
    assert [num_weights(p) for p in projections("shared")] == [240_384]
    per_layer = projections("per_layer")
    assert len(per_layer) == 5
    assert sum(num_weights(p) for p in per_layer) == 1_201_920


def test_equal_widths_need_no_projection(describe_bert):
    models = describe_bert(2, hidden_dim=8), describe_bert(2, hidden_dim=8)

    def projections(choice):
        loss = HiddenStatesDistillation(projection=choice)
        return [match.projection for match in loss.match(*models)]

    assert projections("auto") == [None, None]
    assert projections(None) == [None, None]
    # TinyBERT's script projects whatever the widths.
    shared = losses.Projection("hidden_states", 8, 8)
    assert projections("shared") == [shared, shared]


def test_plan_says_how_they_are_compared(describe_bert):
    teacher, student = describe_bert(2, 8), describe_bert(2, 4)
    loss = HiddenStatesDistillation(loss="cosine")
    assert loss.match(teacher, student)[0].note == (
        "hidden states, 4 -> 8 linear, cosine, masked"
    )
    loss = HiddenStatesDistillation(normalization="official", projection=None)
    assert loss.match(teacher, teacher)[0].note == (
        "hidden states, 8 wide, mse, with padding"
    )


def test_plan_says_that_the_first_token_counts(describe_bert):
    model = describe_bert(2, 8)
    loss = HiddenStatesDistillation(loss="kl", normalization="first_token")
    assert loss.match(model, model)[0].note == (
        "hidden states, 8 wide, kl, first token"
    )


def test_widths_that_differ_need_a_projection(describe_bert):
    loss = HiddenStatesDistillation(projection=None)
    with pytest.raises(
        ValueError, match='student is 4 wide.*projection="auto"'
    ):
        loss.match(describe_bert(2, 8), describe_bert(2, 4))


def test_depths_that_do_not_divide(describe_bert):
    loss = HiddenStatesDistillation()
    with pytest.raises(ValueError, match=r"5 student layers.*12 teacher.*last"):
        loss.match(describe_bert(12), describe_bert(5))


def test_models_without_transformer_layers(describe_bert, describe_opaque):
    loss = HiddenStatesDistillation()
    with pytest.raises(ValueError, match="in the teacher 'opaque'.*adapter"):
        loss.match(describe_opaque, describe_bert())
    with pytest.raises(ValueError, match="in the student 'opaque'.*adapter"):
        loss.match(describe_bert(), describe_opaque)


@pytest.mark.parametrize(
    "option, value",
    [
        ("loss", "mae"),
        ("projection", "linear"),
        ("projection", False),
        ("normalization", "valid_pairs"),
    ],
)
def test_unknown_options(option, value):
    with pytest.raises(ValueError, match=f"`{option}` must be one of.*{value}"):
        HiddenStatesDistillation(**{option: value})
