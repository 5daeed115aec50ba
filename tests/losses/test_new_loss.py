"""What users write losses of: pieces, several features at once, labels."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_distill import Distiller
from keras_distill import layer_map
from keras_distill import losses
from keras_distill.losses import functional
from keras_distill.losses.objective import Objective
from keras_distill.testing import check_distillation_loss


@keras.saving.register_keras_serializable("tests")
class TrustedLayers(losses.DistillationLoss):
    """Hidden states of all layers, as far as the teacher is right."""

    reads_labels = True

    def __init__(self, name="trusted"):
        super().__init__(name)
        self.seen = []

    def match(self, teacher, student):
        layers = [
            losses.match_tokens(
                teacher, student, pair, self.name, "mse", "per_layer"
            )
            for pair in losses.mapped_layers(
                layer_map.uniform, teacher, student
            )
        ]
        match = losses.Match(
            [layer.student for layer in layers],
            [*(layer.teacher for layer in layers), "logits"],
            "trusted",
            [layer.projection for layer in layers],
        )
        return (match,)

    def per_example(
        self, teacher, student, mask=None, y=None, sample_weight=None
    ):
        self.seen.append((list(teacher), list(student), sample_weight))
        *of_layers, logits = teacher.values()
        chances = ops.softmax(functional.as_float32(logits))
        distances = [
            functional.token_mean(functional.mean_squared_error(t, s), mask)
            for t, s in zip(of_layers, student.values(), strict=True)
        ]
        classes = ops.one_hot(y, chances.shape[-1])
        return ops.sum(chances * classes, axis=-1) * sum(distances)


def reference(teacher, student, mask, y):
    exp = np.exp(teacher["logits"] - teacher["logits"].max(-1, keepdims=True))
    chances = (exp / exp.sum(axis=-1, keepdims=True))[np.arange(len(y)), y]
    total = 0.0
    pairs = list(zip(teacher.values(), student.values(), strict=False))
    for of_teacher, of_student in pairs:
        values = ((of_teacher - of_student) ** 2).mean(axis=-1)
        weights = np.ones(values.shape) if mask is None else mask
        total += (values * weights).sum(axis=1) / weights.sum(axis=1)
    return chances * total


def features(random, width=8):
    """Features of a teacher of four layers and a student of two."""
    teacher, student = (
        {f"hidden_states.{n}": random.normal(size=(3, 4, width)) for n in ns}
        for ns in ((2, 4), (1, 2))
    )
    return {**teacher, "logits": random.normal(size=(3, 2))}, student


def test_a_loss_of_several_features_and_labels_passes_the_battery(random, mask):
    teacher, student = features(random)
    check_distillation_loss(
        TrustedLayers(),
        teacher,
        student,
        mask,
        reference=reference,
        token_axes=dict.fromkeys([*teacher, *student], (1,)) | {"logits": ()},
        y=[0, 1, 1],
    )


def test_the_battery_finds_a_feature_whose_padding_counts(random, mask):
    class Unmasked(TrustedLayers):
        def per_example(self, teacher, student, mask=None, **labels):
            return super().per_example(teacher, student, None, **labels)

    teacher, student = features(random)
    with pytest.raises(AssertionError, match="not those of the reference"):
        check_distillation_loss(
            Unmasked(),
            teacher,
            student,
            mask,
            reference=reference,
            token_axes={"hidden_states.1": (1,)},
            y=[0, 1, 1],
        )


def test_the_plan_names_all_features(describe_bert):
    objective = Objective(
        TrustedLayers(),
        None,
        describe_bert(4, hidden_dim=8),
        describe_bert(2, hidden_dim=4),
    )
    assert objective.plan() == [
        "student layer 1, layer 2 <- teacher layer 2, layer 4, logits | trusted"
    ]
    assert objective.teacher_features() == [
        "hidden_states.2",
        "hidden_states.4",
        "logits",
    ]
    assert objective.student_features() == [
        "hidden_states.1",
        "hidden_states.2",
    ]
    assert set(objective.projections()) == {
        "trusted_hidden_states_1",
        "trusted_hidden_states_2",
    }


def test_labels_and_weights_reach_the_loss_and_weigh_it(describe_bert, random):
    described = describe_bert(4), describe_bert(2)
    loss = TrustedLayers()
    objective = Objective(loss, None, *described)
    teacher, student = features(random)
    y, weight = np.array([0, 1, 1]), np.array([1.0, 0.0, 2.0], "float32")
    same = dict.fromkeys(objective.projections(), lambda feature: feature)
    found = objective.terms(teacher, student, same, weight, y=y)["trusted_loss"]
    values = reference(teacher, student, None, y)
    np.testing.assert_allclose(found, np.mean(values * weight), rtol=1e-5)
    assert loss.seen == [
        (
            ["hidden_states.2", "hidden_states.4", "logits"],
            ["hidden_states.1", "hidden_states.2"],
            weight,
        )
    ]
    with pytest.raises(ValueError, match="'trusted' looks at the labels"):
        objective.terms(teacher, student, same, weight)


@pytest.fixture(scope="module")
def trained():
    """A distiller with such a loss, after a compiled step; and its data."""
    keras.utils.set_random_seed(3)

    def classifier(num_layers, hidden_dim):
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=24,
            num_layers=num_layers,
            num_heads=2,
            hidden_dim=hidden_dim,
            intermediate_dim=8,
            max_sequence_length=8,
            dropout=0.0,
        )
        return keras_hub.models.BertTextClassifier(
            backbone, num_classes=2, dropout=0.0
        )

    random = np.random.default_rng(4)
    mask = (np.arange(6) < np.array([6, 3, 5, 2])[:, None]).astype("int32")
    x = {
        "token_ids": random.integers(5, 24, (4, 6)).astype("int32") * mask,
        "segment_ids": np.zeros((4, 6), "int32"),
        "padding_mask": mask,
    }
    distiller = Distiller(
        classifier(2, 8),
        classifier(1, 4),
        TrustedLayers(),
        student_loss_weight=0,
    )
    distiller.compile(keras.optimizers.SGD(0.5))
    y = np.array([0, 1, 1, 0])
    history = distiller.fit(x, y, batch_size=4, epochs=2, verbose=0).history
    return distiller, (x, y), history


def test_a_compiled_step_trains_student_and_projections(trained):
    distiller, _, history = trained
    assert set(history) == {"loss", "trusted_loss"}
    assert history["trusted_loss"][1] < history["trusted_loss"][0]
    assert list(distiller.projections) == ["trusted_hidden_states_1"]


def test_a_batch_without_labels_is_refused(trained):
    distiller, (x, _), _ = trained
    with pytest.raises(ValueError, match="'trusted' looks at the labels"):
        distiller.fit(x, verbose=0)
