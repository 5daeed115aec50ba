"""TinyBERT's numbers are those of its formulas in PyTorch.

The references follow the paper's equations 7 to 10 with the masking of its
script: -10,000 is added to the scores of padded keys, scores at or below -100
count as 0, and all means are over all positions.
"""

import keras
import numpy as np
import pytest

from keras_distill import losses
from keras_distill.features import FeatureForward
from keras_distill.features import describe
from keras_distill.losses.objective import Objective

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.peers

LAYERS = [(1, 2), (2, 4)]


def attention_loss(teacher, student, mask):
    total = 0.0
    padding = (1.0 - mask)[:, None, None, :] * -10_000.0
    for m, n in LAYERS:
        masked = [
            features[f"attention_scores.{layer}"] + padding
            for features, layer in ((teacher, n), (student, m))
        ]
        masked = [
            scores.masked_fill(scores <= -100.0, 0.0) for scores in masked
        ]
        total = total + torch.nn.functional.mse_loss(*masked)
    return total


def hidden_loss(teacher, student, kernel, bias):
    total = 0.0
    for m, n in [(0, 0), *LAYERS]:
        of_student = student[f"hidden_states.{m}" if m else "embeddings"]
        of_teacher = teacher[f"hidden_states.{n}" if n else "embeddings"]
        total = total + torch.nn.functional.mse_loss(
            of_student @ kernel + bias, of_teacher
        )
    return total


@pytest.fixture
def models(make_backbone):
    return make_backbone(4, 12, 2), make_backbone(2, 8, 2)


@pytest.fixture
def features_in_torch(models, copy_to_torch, torch_features, batch):
    return [torch_features(copy_to_torch(model), batch) for model in models]


def test_intermediate_layers(models, features_in_torch, batch):
    objective = Objective(
        [
            losses.HiddenStatesDistillation(
                include_embeddings=True,
                projection="shared",
                normalization="official",
            ),
            losses.AttentionDistillation(normalization="official"),
        ],
        None,
        *(describe(model) for model in models),
    )
    projection = keras.layers.Dense(12, bias_initializer="normal")
    projection.build((None, 8))
    teacher = FeatureForward(
        models[0], objective.teacher_features(), "teacher", False
    )
    student = FeatureForward(
        models[1], objective.student_features(), "student", False
    )
    terms = objective.terms(
        teacher(batch, training=False),
        student(batch, training=False),
        {"hidden_states": projection},
    )
    mask = torch.tensor(batch["padding_mask"]).float()
    kernel, bias = (torch.tensor(np.asarray(w)) for w in projection.weights)
    with torch.no_grad():
        expected_hidden = hidden_loss(*features_in_torch, kernel, bias)
        expected_attention = attention_loss(*features_in_torch, mask)
    np.testing.assert_allclose(
        terms["hidden_states_loss"], expected_hidden.item(), rtol=1e-5
    )
    np.testing.assert_allclose(
        terms["attention_loss"], expected_attention.item(), rtol=1e-5
    )


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_prediction(temperature):
    random = np.random.default_rng(0)
    teacher, student = random.normal(size=(2, 5, 3)).astype("float32")
    targets = torch.softmax(torch.tensor(teacher) / temperature, dim=-1)
    logs = torch.log_softmax(torch.tensor(student) / temperature, dim=-1)
    official = losses.LogitsDistillation(
        temperature, "cross_entropy", normalization="official"
    )
    np.testing.assert_allclose(
        np.mean(official.per_example(teacher, student)),
        -(targets * logs).mean().item(),
        rtol=1e-6,
    )
    usual = losses.LogitsDistillation(temperature, "cross_entropy")
    np.testing.assert_allclose(
        np.mean(usual.per_example(teacher, student)),
        torch.nn.functional.cross_entropy(
            torch.tensor(student) / temperature, targets
        ).item(),
        rtol=1e-6,
    )


def test_divergence():
    random = np.random.default_rng(0)
    teacher, student = random.normal(size=(2, 5, 3)).astype("float32")
    expected = 4.0 * torch.nn.functional.kl_div(
        torch.log_softmax(torch.tensor(student) / 2, dim=-1),
        torch.log_softmax(torch.tensor(teacher) / 2, dim=-1),
        reduction="batchmean",
        log_target=True,
    )
    found = losses.LogitsDistillation(2.0).per_example(teacher, student)
    np.testing.assert_allclose(np.mean(found), expected.item(), rtol=1e-5)
