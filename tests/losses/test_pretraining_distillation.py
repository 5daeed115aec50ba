"""Facts about the distillation of a masked language model's pre-training."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import models
from keras_distill.features import ModelDescription
from keras_distill.losses import LogitsDistillation
from keras_distill.losses import PretrainingDistillation
from keras_distill.losses import functional
from keras_distill.losses.objective import Objective
from keras_distill.testing import check_distillation_loss

# One row of two masked pieces, five in the vocabulary.
TEACHER = np.array([[[2, 0, -1, 0.5, 0.1], [0, 1, 0, -2, 0.3]]], "float32")
STUDENT = np.array([[[1, 0.2, -0.5, 0.1, 0], [0.4, 0.6, -0.1, -1, 0.2]]])
STUDENT = STUDENT.astype("float32")
LABELS = np.array([[0, 1]])
# By MobileBERT's formulas in float64; the last with 1e-5 in its denominator.
HARD, SOFT = 1.027036211580723, 1.3317281182031748
MIXED = 1.1793762680106088
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], "float32")


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def mixed(teacher, student, y, alpha=0.5):
    """One value for each masked piece."""
    target = alpha * np.eye(teacher.shape[-1])[y]
    target = target + (1 - alpha) * softmax(teacher)
    return -np.sum(target * np.log(softmax(student)), axis=-1)


def describe(**shapes):
    return ModelDescription("model", 0, shapes, dict.fromkeys(shapes))


BOTH_HEADS = {
    "output.masked_lm": (None, None, 5),
    "output.next_sentence": (None, 2),
}


@pytest.fixture
def batch(random):
    """Three rows of four masked pieces, of which MASK says which are real."""
    teacher, student = random.normal(size=(2, 3, 4, 5)).astype("float32")
    next_sentence = random.normal(size=(3, 2)).astype("float32")
    y = {
        "masked_lm": random.integers(0, 5, (3, 4)),
        "next_sentence": np.array([0, 1, 1]),
    }
    return teacher, student, next_sentence, y


@pytest.mark.parametrize("alpha, expected", [(1.0, HARD), (0.0, SOFT)])
@pytest.mark.parametrize("normalization", ["valid_tokens", "official"])
def test_golden_values_of_the_ends(alpha, expected, normalization):
    """All of labels is a masked language model, none is soft targets alone."""
    found = PretrainingDistillation(
        alpha, normalization=normalization
    ).per_example({"logits": TEACHER}, {"logits": STUDENT}, None, LABELS)
    if normalization == "official":
        expected *= 2 / (2 + 1e-5)
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


def test_golden_value_of_mobilebert():
    found = PretrainingDistillation(normalization="official").per_example(
        {"logits": TEACHER}, {"logits": STUDENT}, None, LABELS
    )
    np.testing.assert_allclose(found, [MIXED], rtol=1e-6)
    hard = functional.label_cross_entropy(LABELS, STUDENT)
    np.testing.assert_allclose(np.asarray(hard).mean(), HARD, rtol=1e-6)


def test_every_loss_of_the_library_is_so(batch):
    teacher, student, _, y = batch
    check_distillation_loss(
        # With labels its gradient is not zero for equal inputs.
        PretrainingDistillation(0.0),
        {"logits": teacher},
        {"logits": student},
        reference=lambda teacher, student, mask, y: mixed(
            teacher["logits"], student["logits"], y, 0.0
        ).mean(axis=1),
        y=y["masked_lm"],
        zero_when_equal=False,
    )


def test_both_heads_in_an_objective(batch):
    """Next sentences have no teacher; places without a piece change nothing."""
    teacher, student, next_sentence, y = batch
    objective = Objective(
        PretrainingDistillation(0.25, "masked_lm", "next_sentence"),
        None,
        describe(**{"output.masked_lm": (None, None, 5)}),
        describe(**BOTH_HEADS),
    )
    garbage = np.where(MASK[..., None] > 0, student, 1e3)
    (found,) = objective.terms(
        {"output.masked_lm": teacher},
        {"output.masked_lm": garbage, "output.next_sentence": next_sentence},
        {},
        {"masked_lm": MASK, "next_sentence": np.ones(3, "float32")},
        y=y,
    ).values()
    of_rows = mixed(teacher, student, y["masked_lm"], 0.25) * MASK
    expected = (of_rows.sum(axis=1) / MASK.sum(axis=1)).mean()
    chances = softmax(next_sentence)[np.arange(3), y["next_sentence"]]
    np.testing.assert_allclose(
        found, expected - np.log(chances).mean(), rtol=1e-5
    )


def test_official_is_the_mean_over_all_masked_pieces(batch):
    """Seven in the batch, four of the first row."""
    teacher, student, _, y = batch
    found = PretrainingDistillation(normalization="official").per_example(
        {"logits": teacher},
        {"logits": student},
        y=y["masked_lm"],
        sample_weight=MASK,
    )
    of_rows = (mixed(teacher, student, y["masked_lm"]) * MASK).sum(axis=1)
    np.testing.assert_allclose(found, 3 * of_rows / (7 + 1e-5), rtol=1e-5)


def test_a_distiller_of_logits_gives_the_same(eager):
    """Labels by the student's loss, soft targets beside it."""

    def model(logits):
        ids = keras.Input((2,), dtype="int32")
        embedding = keras.layers.Embedding(2, 5)
        outputs = embedding(ids)
        embedding.set_weights([logits[0]])
        return keras.Model(ids, outputs)

    def distill(loss, share, label_loss):
        distiller = Distiller(
            model(TEACHER), model(STUDENT), loss, student_loss_weight=share
        )
        distiller.compile(loss=label_loss)
        return distiller.test_on_batch(
            np.array([[0, 1]]), LABELS, np.ones((1, 2)), return_dict=True
        )

    both = distill(
        LogitsDistillation(loss="cross_entropy"),
        0.5,
        keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        ),
    )
    np.testing.assert_allclose(both["student_loss"], HARD, rtol=1e-6)
    np.testing.assert_allclose(both["logits_loss"], SOFT, rtol=1e-6)
    np.testing.assert_allclose(both["loss"] * 2 / (2 + 1e-5), MIXED, rtol=1e-6)
    one = distill(PretrainingDistillation(normalization="official"), 0, None)
    np.testing.assert_allclose(one["loss"], MIXED, rtol=1e-6)


def test_masked_pieces_are_no_tokens(eager):
    """A padding mask of six tokens, and two masked pieces in a row."""

    def make():
        return models.MaskedLanguageModel(
            keras_hub.models.BertBackbone(
                vocabulary_size=20,
                num_layers=1,
                num_heads=2,
                hidden_dim=8,
                intermediate_dim=8,
                max_sequence_length=8,
            )
        )

    teacher, student = make(), make()
    ids = np.arange(12).reshape(2, 6)
    x = {
        "token_ids": ids,
        "segment_ids": 0 * ids,
        "padding_mask": np.array([[1] * 6, [1, 1, 0, 0, 0, 0]]),
        "mask_positions": np.array([[2, 5], [1, 0]]),
    }
    y, weights = np.array([[7, 8], [9, 0]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    logits = [
        keras.ops.convert_to_numpy(model(x)) for model in (teacher, student)
    ]
    distiller = Distiller(
        teacher,
        student,
        [LogitsDistillation(loss="cross_entropy"), PretrainingDistillation()],
        student_loss_weight=0,
    )
    distiller.compile()
    for given in (weights, None):
        found = distiller.test_on_batch(x, y, given, return_dict=True)
        each = np.ones((2, 2)) if given is None else given
        for name, alpha in (("logits_loss", 0.0), ("pretraining_loss", 0.5)):
            of_rows = (mixed(*logits, y, alpha) * each).sum(axis=1)
            np.testing.assert_allclose(
                found[name], (of_rows / each.sum(axis=1)).mean(), rtol=1e-5
            )


def test_the_share_of_labels_may_follow_a_schedule():
    loss = PretrainingDistillation(lambda step: 0.5)
    assert loss.changing_numbers == ("alpha",)
    current = loss.with_numbers({"alpha": keras.ops.convert_to_tensor(1.0)})
    found = current.per_example(
        {"logits": TEACHER}, {"logits": STUDENT}, None, LABELS
    )
    np.testing.assert_allclose(found, [HARD], rtol=1e-6)


def test_plan_names_the_outputs():
    model = describe(**BOTH_HEADS)
    loss = PretrainingDistillation(0.5, "masked_lm", "next_sentence")
    (match,) = loss.match(model, model)
    assert match.student == ("output.masked_lm", "output.next_sentence")
    assert match.teacher == ("output.masked_lm",)
    assert match.note == (
        "masked pieces, 0.5 of labels, rest of teacher; "
        "next sentence, of labels"
    )


def test_outputs_that_are_missing_or_not_named():
    both = describe(**BOTH_HEADS)
    one = describe(logits=(None, None, 5))
    with pytest.raises(ValueError, match="several outputs.*`masked_lm`"):
        PretrainingDistillation().match(both, both)
    loss = PretrainingDistillation(0.5, "masked_lm", "next")
    with pytest.raises(ValueError, match="no feature 'output.next'"):
        loss.match(both, both)
    with pytest.raises(ValueError, match="found no output to compare"):
        loss.match(one, one)


def test_labels_that_are_missing():
    loss = PretrainingDistillation(masked_lm="masked_lm")
    with pytest.raises(ValueError, match="output 'masked_lm'.*labels of other"):
        loss.per_example(
            {"output.masked_lm": TEACHER},
            {"output.masked_lm": STUDENT},
            y={"other": LABELS},
        )


@pytest.mark.parametrize(
    "word",
    [
        {"alpha": 1.5},
        {"alpha": -0.1},
        {"masked_lm": 1},
        {"next_sentence": ""},
        {"normalization": "valid_pairs"},
    ],
)
def test_what_arguments_cannot_be(word):
    with pytest.raises(ValueError, match=f"`{next(iter(word))}` must be"):
        PretrainingDistillation(**word)


def test_next_sentences_need_the_other_outputs_name():
    with pytest.raises(ValueError, match="must be named as well"):
        PretrainingDistillation(next_sentence="next_sentence")
