"""Padding does not change what a MobileBERT is distilled by."""

import numpy as np
import pytest

from keras_distill import losses
from keras_distill.features import FeatureForward
from keras_distill.features import describe
from keras_distill.losses.objective import Objective
from keras_distill.models import PretrainingModel
from tests.models.mobilebert.conftest import shake

pytestmark = pytest.mark.tensorflow(
    "tests/losses has the padding of each loss on each backend"
)

POSITIONS = np.array([[1, 4], [2, 0], [3, 1], [0, 0]], "int32")
WEIGHTS = np.array([[1, 1], [1, 0], [1, 1], [0, 0]], "float32")
LABELS = {
    "masked_lm": np.array([[5, 6], [7, 0], [8, 9], [0, 0]]),
    "next_sentence": np.array([0, 1, 1, 0]),
}


def losses_of(feature_map, attention, pretraining):
    heads = ("masked_lm", "next_sentence")
    return [
        losses.FeatureMapTransfer(normalization=feature_map),
        losses.AttentionDistillation(
            loss="kl", normalization=attention, name="kl"
        ),
        losses.AttentionDistillation(
            loss="cross_entropy", normalization=attention, name="entropy"
        ),
        losses.PretrainingDistillation(0.5, *heads, pretraining),
    ]


@pytest.fixture
def values(make_backbone, token_batch, run):
    """The value of each loss on a batch, and on it with 8 tokens more."""
    teacher, student = (
        PretrainingModel(make_backbone(name, num_layers=1))
        for name in ("ib_bert_large", "mobilebert")
    )
    for model in (teacher, student):
        # Heads as well; attention is far from even then.
        shake(model)
    descriptions = describe(teacher), describe(student)
    batches = [
        {
            name: np.pad(value, [(0, 0), (0, more)])
            for name, value in token_batch.items()
        }
        | {"mask_positions": np.pad(POSITIONS, [(0, 0), (0, more)])}
        for more in (0, 8)
    ]

    def of(*normalizations):
        objective = Objective(losses_of(*normalizations), None, *descriptions)
        forwards = [
            FeatureForward(model, features, role, False, description)
            for model, features, role, description in zip(
                (teacher, student),
                (objective.teacher_features(), objective.student_features()),
                ("teacher", "student"),
                descriptions,
                strict=True,
            )
        ]
        found = []
        for batch in batches:
            more = batch["mask_positions"].shape[1] - POSITIONS.shape[1]
            weights = {"masked_lm": np.pad(WEIGHTS, [(0, 0), (0, more)])}
            labels = LABELS | {
                "masked_lm": np.pad(LABELS["masked_lm"], [(0, 0), (0, more)])
            }
            features = [forward(batch, False) for forward in forwards]
            terms = objective.terms(*features, {}, weights, y=labels)
            found.append({name: float(value) for name, value in terms.items()})
        return found

    return of


def test_each_loss_is_that_without_padding(values):
    short, long = values("valid_tokens", "valid_pairs", "valid_tokens")
    assert list(short) == [
        "feature_map_loss",
        "kl_loss",
        "entropy_loss",
        "pretraining_loss",
    ]
    assert min(short.values()) > 0.01
    assert long == pytest.approx(short, rel=1e-5)


def test_the_released_codes_values_are_asked_for_by_name(values):
    """It counts states and queries at padding, and masked pieces alone."""
    short, long = values("official", "valid_keys", "official")
    for name in ("feature_map_loss", "kl_loss", "entropy_loss"):
        assert abs(long[name] - short[name]) > 0.01 * short[name], name
    name = "pretraining_loss"
    assert long[name] == pytest.approx(short[name], rel=1e-5)
