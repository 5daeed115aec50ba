"""Facts about the losses of `keras.distillation` that are taken over."""

import json

import keras
import numpy as np
import pytest

from keras_distill import losses
from keras_distill.losses import from_keras
from keras_distill.losses.from_keras import KerasDistillationLoss

KerasLogits = keras.distillation.LogitsDistillation
KerasFeature = keras.distillation.FeatureDistillation


def log_softmax(logits):
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))


@pytest.mark.parametrize("loss", ["kl_divergence", keras.losses.KLDivergence()])
def test_kl_is_of_distributions_and_has_the_squared_temperature(loss, random):
    teacher, student = random.normal(size=(2, 3, 4)) * 5
    p, q = log_softmax(teacher / 4), log_softmax(student / 4)
    found = from_keras(KerasLogits(4.0, loss)).per_example(teacher, student)
    expected = 16 * np.sum(np.exp(p) * (p - q), axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_default_temperature_is_the_one_of_keras():
    loss = from_keras(KerasLogits())
    assert type(loss) is losses.LogitsDistillation
    assert (loss.temperature, loss.loss, loss.outputs) == (3.0, "kl", None)


@pytest.mark.parametrize("from_logits", [True, False])
def test_cross_entropy(from_logits):
    loss = from_keras(
        KerasLogits(
            2.0, keras.losses.CategoricalCrossentropy(from_logits=from_logits)
        )
    )
    assert (loss.temperature, loss.loss) == (2.0, "cross_entropy")


@pytest.mark.parametrize(
    "loss, outputs",
    [
        ({"start": "kl_divergence", "end": None}, ("start",)),
        ({"start": "kl_divergence", "end": "kld"}, ("start", "end")),
        ([None, "kl_divergence"], (1,)),
    ],
)
def test_outputs_that_have_a_loss(loss, outputs):
    assert from_keras(KerasLogits(2.0, loss)).outputs == outputs


@pytest.mark.parametrize(
    "kind, ours", [("mse", "mse"), ("cosine_similarity", "cosine")]
)
def test_feature_distillation(kind, ours):
    loss = from_keras(KerasFeature(kind, "teacher_dense", "student_dense"))
    assert type(loss) is losses.FeatureDistillation
    assert (loss.teacher_layer, loss.student_layer, loss.loss) == (
        "teacher_dense",
        "student_dense",
        ours,
    )


def test_feature_distillation_without_names_compares_the_outputs():
    loss = from_keras(KerasFeature("mse"))
    assert type(loss) is losses.LogitsDistillation
    assert (loss.name, loss.loss) == ("outputs", "mse")


@pytest.mark.parametrize(
    "loss, message",
    [
        (KerasLogits(2.0, "mse"), 'Received: temperature=2.0.*loss="mse"'),
        (KerasLogits(2.0, "mae"), "Received: mean_absolute_error"),
        (
            KerasLogits(2.0, ["kl_divergence", "categorical_crossentropy"]),
            "Received: categorical_crossentropy, kl_divergence",
        ),
        (
            KerasLogits(
                2.0, keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
            ),
            r"CategoricalCrossentropy\(label_smoothing=0.1\)",
        ),
        (
            KerasLogits(2.0, keras.losses.CategoricalCrossentropy(axis=1)),
            r"CategoricalCrossentropy\(axis=1\)",
        ),
        (
            KerasLogits(2.0, keras.losses.KLDivergence(reduction="sum")),
            r"KLDivergence\(reduction='sum'\)",
        ),
        (KerasFeature("mae", "a", "b"), "Received: mean_absolute_error"),
        (KerasFeature("mse", "a"), "needs both layer names or none"),
        (KerasFeature("cosine_similarity"), "without layer names"),
    ],
)
def test_losses_that_have_no_equal(loss, message):
    with pytest.raises(ValueError, match=message):
        from_keras(loss)


@keras.saving.register_keras_serializable("tests")
class HalvedDistance(keras.distillation.DistillationLoss):
    """A user's own loss, one number for a batch."""

    def __init__(self, factor=0.5, student_layer_name=None):
        self.factor = factor
        self.student_layer_name = student_layer_name

    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        distance = keras.ops.abs(teacher_outputs - student_outputs)
        return self.factor * keras.ops.mean(distance)

    def get_config(self):
        return {"factor": self.factor}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def test_a_users_loss_is_called_as_it_is(describe_bert):
    loss = from_keras(HalvedDistance())
    assert loss.name == "halveddistance"
    found = loss.per_example(np.full((2, 3), 5.0), np.full((2, 3), 1.0))
    np.testing.assert_allclose(found, [2.0, 2.0])
    (match,) = loss.match(describe_bert(), describe_bert())
    assert (match.student, match.teacher) == ("outputs", "outputs")
    assert match.note == "HalvedDistance of keras.distillation, unmasked"


def test_a_users_loss_may_name_layers(describe_bert):
    loss = from_keras(HalvedDistance(student_layer_name="dense"))
    (match,) = loss.match(describe_bert(), describe_bert())
    assert (match.student, match.teacher) == ("layer.dense", "outputs")


def test_a_users_loss_sees_the_structure_of_the_outputs():
    loss = from_keras(HalvedDistance())
    with pytest.raises(ValueError, match="mismatch|structure"):
        loss.per_example({"a": np.zeros((2, 3))}, {"b": np.zeros((2, 3))})


def test_a_users_loss_comes_back_from_json():
    loss = KerasDistillationLoss(HalvedDistance(0.25), name="mine")
    saved = json.dumps(keras.saving.serialize_keras_object(loss))
    loaded = keras.saving.deserialize_keras_object(json.loads(saved))
    assert (loaded.name, loaded.loss.factor) == ("mine", 0.25)
