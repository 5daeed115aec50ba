"""Facts about the distillation of attention."""

import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill.losses import AttentionDistillation
from keras_distill.losses import functional
from keras_distill.testing import check_distillation_loss
from keras_distill.testing import gradient

# One head, two queries, two keys of which the second is padding, as TinyBERT's
# script sees them: with -10000 added to the scores of padding.
TINYBERT_STUDENT = np.array([[[[1.0, -10_000.0], [2.0, -10_000.0]]]])
TINYBERT_TEACHER = np.array([[[[3.0, -9_999.0], [2.0, -10_001.0]]]])


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def real_tokens(mask, example, length):
    if mask is None:
        return np.arange(length)
    return np.flatnonzero(mask[example])


def squared_error_of_real_pairs(teacher, student, mask):
    values = []
    for example in range(len(teacher)):
        tokens = real_tokens(mask, example, teacher.shape[-1])
        pairs = np.ix_(range(teacher.shape[1]), tokens, tokens)
        difference = teacher[example][pairs] - student[example][pairs]
        values.append(np.mean(difference**2))
    return np.array(values)


def divergence_of_real_queries(teacher, student, mask):
    values = []
    for example in range(len(teacher)):
        tokens = real_tokens(mask, example, teacher.shape[-1])
        pairs = np.ix_(range(teacher.shape[1]), tokens, tokens)
        p, q = (
            softmax(teacher[example][pairs]),
            softmax(student[example][pairs]),
        )
        values.append(np.mean(np.sum(p * np.log(p / q), axis=-1)))
    return np.array(values)


def entropy_of_real_queries(teacher, mask):
    values = []
    for example in range(len(teacher)):
        tokens = real_tokens(mask, example, teacher.shape[-1])
        pairs = np.ix_(range(teacher.shape[1]), tokens, tokens)
        p = softmax(teacher[example][pairs])
        values.append(-np.mean(np.sum(p * np.log(p), axis=-1)))
    return np.array(values)


def squared_error_of_all_pairs(teacher, student, mask):
    return np.mean((teacher - student) ** 2, axis=(1, 2, 3))


@pytest.fixture
def scores(random):
    """Scores of teacher and student: three examples, two heads."""
    return random.normal(size=(2, 3, 2, 4, 4))


@pytest.mark.parametrize(
    "loss, reference",
    [
        (AttentionDistillation(), squared_error_of_real_pairs),
        (
            AttentionDistillation(layer_map.last, loss="kl"),
            divergence_of_real_queries,
        ),
        (
            AttentionDistillation(feature="probabilities", loss="kl"),
            divergence_of_real_queries,
        ),
    ],
    ids=["mse", "kl", "kl_of_probabilities"],
)
def test_values_from_scores(loss, reference, scores, mask):
    check_distillation_loss(
        loss, *scores, mask, reference=reference, token_axes=(2, 3)
    )


def test_cross_entropy_is_the_divergence_and_the_teachers_entropy(scores, mask):
    check_distillation_loss(
        AttentionDistillation(loss="cross_entropy"),
        *scores,
        mask,
        reference=lambda teacher, student, mask: (
            divergence_of_real_queries(teacher, student, mask)
            + entropy_of_real_queries(teacher, mask)
        ),
        token_axes=(2, 3),
        zero_when_equal=False,
    )
    by_kl, by_entropy = (
        gradient(
            lambda x, loss=loss: AttentionDistillation(loss=loss).per_example(
                scores[0], x, mask
            ),
            scores[1],
        )
        for loss in ("kl", "cross_entropy")
    )
    np.testing.assert_allclose(by_kl, by_entropy, atol=1e-7)


@pytest.mark.parametrize("loss", ["kl", "cross_entropy"])
def test_padded_queries_count_by_name(loss, scores, mask):
    """All of the fixed length, each over the real keys, as MobileBERT's."""
    p, q = (softmax(np.where(mask[:, None, None, :], x, -1e4)) for x in scores)
    entropy = -np.sum(p * np.log(np.maximum(q, 1e-30)), axis=-1)
    if loss == "kl":
        entropy += np.sum(p * np.log(np.maximum(p, 1e-30)), axis=-1)
    found = AttentionDistillation(
        loss=loss, normalization="valid_keys"
    ).per_example(*scores, mask)
    np.testing.assert_allclose(found, entropy.mean(axis=(1, 2)), rtol=1e-5)


def test_golden_values_of_mobilebert():
    """By its formulas; a second softmax is a mistake that it does not make."""
    index = np.arange(18).reshape(1, 2, 3, 3)
    teacher, student = 2 * np.sin(0.7 * index), 1.5 * np.cos(0.5 * index)
    for loss, expected in (
        ("kl", 0.18946352708466127),
        ("cross_entropy", 1.0872660914968348),
    ):
        # What it compares are scores, whatever the feature is called.
        for feature in ("scores", "probabilities"):
            found = AttentionDistillation(
                feature=feature, loss=loss
            ).per_example(teacher, student)
            np.testing.assert_allclose(found, [expected], rtol=1e-6)
    twice = functional.attention_cross_entropy(
        softmax(teacher), softmax(student)
    )
    np.testing.assert_allclose(twice, [1.0963375775708488], rtol=1e-6)


def test_values_from_probabilities(scores, mask):
    check_distillation_loss(
        AttentionDistillation(feature="probabilities"),
        *softmax(scores),
        mask,
        reference=squared_error_of_real_pairs,
        token_axes=(2, 3),
    )


@pytest.mark.parametrize("normalization", ["official", "valid_keys"])
def test_values_with_padded_queries(normalization, scores):
    check_distillation_loss(
        AttentionDistillation(normalization=normalization),
        *scores,
        reference=squared_error_of_all_pairs,
        token_axes=(2, 3),
    )


def test_official_and_valid_keys_with_a_mask(scores, mask):
    teacher, student = scores
    keys = mask[:, None, None, :]
    squares = np.sum(keys * (teacher - student) ** 2, axis=(1, 2, 3))

    def values(normalization):
        loss = AttentionDistillation(normalization=normalization)
        return loss.per_example(teacher, student, mask)

    np.testing.assert_allclose(values("official"), squares / 32, rtol=1e-5)
    # Two heads, four queries, and as many keys as are real.
    num_valid = 2 * 4 * mask.sum(axis=1)
    np.testing.assert_allclose(
        values("valid_keys"), squares / num_valid, rtol=1e-5
    )


def test_official_value_depends_on_the_amount_of_padding(scores):
    official = AttentionDistillation(normalization="official")
    padding = [(0, 0), (0, 0), (0, 4), (0, 4)]
    teacher, student = (np.pad(x, padding) for x in scores)
    mask = np.tile([1] * 4 + [0] * 4, (3, 1))
    np.testing.assert_allclose(
        official.per_example(teacher, student, mask),
        np.asarray(official.per_example(*scores)) / 4,
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    "normalization, expected",
    [("official", 1.0), ("valid_keys", 2.0), ("valid_pairs", 4.0)],
)
def test_golden_values_of_tinybert(normalization, expected):
    loss = AttentionDistillation(normalization=normalization)
    found = loss.per_example(TINYBERT_TEACHER, TINYBERT_STUDENT, [[1, 0]])
    np.testing.assert_allclose(found, [expected], atol=1e-6)


def test_official_value_needs_no_mask_where_scores_are_masked():
    loss = AttentionDistillation(normalization="official")
    found = loss.per_example(TINYBERT_TEACHER, TINYBERT_STUDENT)
    np.testing.assert_allclose(found, [1.0], atol=1e-6)


@pytest.mark.parametrize(
    "teacher, student, expected",
    [
        (-100.0, 0.0, 0.0),
        (-99.9, 0.0, 99.9**2),
        # Each of the two is set to 0 for its own score.
        (-100.0, 3.0, 9.0),
        (3.0, -100.0, 9.0),
        (-100.0, -99.9, 99.9**2),
        (-100.0, -1e4, 0.0),
    ],
)
def test_official_threshold(teacher, student, expected):
    loss = AttentionDistillation(normalization="official")
    found = loss.per_example(
        np.full((1, 1, 1, 1), teacher), np.full((1, 1, 1, 1), student)
    )
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


def test_scores_are_compared_before_the_softmax(scores):
    teacher, _ = scores
    shifted = teacher + 3.0
    before = AttentionDistillation().per_example(teacher, shifted)
    np.testing.assert_allclose(before, [9.0] * 3, rtol=1e-5)
    after = AttentionDistillation(loss="kl").per_example(teacher, shifted)
    np.testing.assert_allclose(after, [0.0] * 3, atol=1e-6)


def test_pairs_of_features(describe_bert):
    teacher, student = describe_bert(4), describe_bert(2)

    def pairs(**options):
        matches = AttentionDistillation(**options).match(teacher, student)
        return [(match.student, match.teacher) for match in matches]

    of_scores = [
        ("attention_scores.1", "attention_scores.2"),
        ("attention_scores.2", "attention_scores.4"),
    ]
    assert pairs() == of_scores
    assert pairs(feature="probabilities", loss="kl") == of_scores
    assert pairs(feature="probabilities") == [
        ("attention_probabilities.1", "attention_probabilities.2"),
        ("attention_probabilities.2", "attention_probabilities.4"),
    ]


@pytest.mark.parametrize("num_layers", [4, 6])
def test_tinybert_has_one_term_for_each_layer(num_layers, describe_bert):
    matches = AttentionDistillation().match(
        describe_bert(12), describe_bert(num_layers)
    )
    assert len(matches) == num_layers


def test_plan_says_how_they_are_compared(describe_bert):
    model = describe_bert(1)
    (match,) = AttentionDistillation().match(model, model)
    assert match.note == "attention scores, 2 heads, mse, valid pairs"
    (match,) = AttentionDistillation(normalization="official").match(
        model, model
    )
    assert match.note == "attention scores, 2 heads, mse, official"


@pytest.mark.parametrize("feature", ["scores", "probabilities"])
@pytest.mark.parametrize("loss", ["mse", "kl"])
@pytest.mark.parametrize("heads", [(4, 2), (4, 1), (1, 4)])
def test_heads_that_differ(heads, loss, feature, describe_bert):
    """Also where one head could be broadcast to all of the other's."""
    teacher, student = (
        describe_bert(2, hidden_dim=16, num_heads=number) for number in heads
    )
    message = "{} heads and a student with {}.*RelationDistillation"
    with pytest.raises(ValueError, match=message.format(*heads)):
        AttentionDistillation(feature=feature, loss=loss).match(
            teacher, student
        )


def test_depths_that_do_not_divide(describe_bert):
    with pytest.raises(ValueError, match=r"layer_map\.explicit"):
        AttentionDistillation().match(describe_bert(12), describe_bert(5))


def test_the_embeddings_have_no_attention(describe_bert):
    loss = AttentionDistillation(layer_map.explicit([(0, 0), (0, 2)]))
    with pytest.raises(ValueError, match=r"no attention.*\(0, 0\), \(0, 2\)"):
        loss.match(describe_bert(2), describe_bert(2))


@pytest.mark.parametrize("depth", [6, 12])
def test_xtremedistil_aligns_all_layers_with_the_teachers_top(
    depth, describe_bert
):
    loss = AttentionDistillation(layer_map.top_aligned, feature="probabilities")
    matches = loss.match(describe_bert(12), describe_bert(depth))
    assert [(match.student, match.teacher) for match in matches] == [
        (f"attention_probabilities.{m}", f"attention_probabilities.{n}")
        for m, n in zip(range(1, depth + 1), range(13 - depth, 13), strict=True)
    ]


def test_equal_uniform_maps_have_no_loss(mask):
    keys = np.broadcast_to(mask[:, None, None, :], (3, 2, 4, 4))
    uniform = keys / keys.sum(axis=-1, keepdims=True)
    loss = AttentionDistillation(feature="probabilities")
    values = loss.per_example(uniform, uniform, mask)
    np.testing.assert_array_equal(values, np.zeros(3))


@pytest.mark.parametrize(
    "options, allowed",
    [
        (
            {"normalization": "official", "loss": "kl"},
            "'valid_pairs', 'valid_keys'",
        ),
        (
            {"normalization": "official", "loss": "cross_entropy"},
            "'valid_pairs', 'valid_keys'",
        ),
        (
            {"normalization": "valid_keys", "feature": "probabilities"},
            "'valid_pairs'",
        ),
    ],
)
def test_normalizations_that_are_defined_for_scores_only(options, allowed):
    match = f"must be one of {allowed}\\. Received: normalization="
    with pytest.raises(ValueError, match=match):
        AttentionDistillation(**options)


@pytest.mark.parametrize(
    "option, value",
    [
        ("feature", "logits"),
        ("loss", "cosine"),
        ("normalization", "valid_tokens"),
    ],
)
def test_unknown_options(option, value):
    with pytest.raises(ValueError, match=f"`{option}` must be one of.*{value}"):
        AttentionDistillation(**{option: value})
