"""The total loss is the sum that the docstring of `Distiller` gives."""

import keras
import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.special import logsumexp

from keras_distill import Distiller
from keras_distill import data
from keras_distill import features
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import teachers


@keras.saving.register_keras_serializable("tests")
class AddsLoss(keras.layers.Layer):
    """Adds 0.3 times the mean square of its inputs to the loss."""

    def call(self, inputs):
        self.add_loss(0.3 * keras.ops.mean(keras.ops.square(inputs)))
        return inputs


def hidden(model, x):
    inner = keras.Model(model.input, model.get_layer("hidden").output)
    return keras.ops.convert_to_numpy(inner(x))


def soft_kl(teacher, student, temperature):
    """Hinton's loss of each row."""
    teacher = log_softmax(keras.ops.convert_to_numpy(teacher) / temperature, -1)
    student = log_softmax(keras.ops.convert_to_numpy(student) / temperature, -1)
    divergence = np.sum(np.exp(teacher) * (teacher - student), -1)
    return divergence * temperature**2


def label_loss(logits, y):
    logits = keras.ops.convert_to_numpy(logits)
    return np.mean(logsumexp(logits, -1) - logits[np.arange(len(y)), y])


def project(distiller, name, tensor):
    kernel, bias = distiller.projections[name].get_weights()
    return keras.ops.convert_to_numpy(tensor) @ kernel + bias


def test_total_of_dense_models_equals_the_sum_by_hand(make_distiller, batch):
    x, y = batch
    distiller = make_distiller(
        distillation_loss_weights=[0.5, 3.0], student_loss_weight=0.3
    )
    teacher, student = distiller.teacher, distiller.student
    projected = project(distiller, "hidden", hidden(student, x))
    expected = {
        "student_loss": label_loss(student(x), y),
        "hidden_loss": np.mean((projected - hidden(teacher, x)) ** 2),
        "logits_loss": np.mean(soft_kl(teacher(x), student(x), 2.0)),
    }
    expected["loss"] = 0.3 * expected["student_loss"] + 0.7 * (
        0.5 * expected["hidden_loss"] + 3.0 * expected["logits_loss"]
    )
    logs = distiller.test_on_batch(x, y, return_dict=True)
    assert logs == pytest.approx(expected, rel=1e-5)
    total = keras.ops.convert_to_numpy(distiller.compute_loss(x, y))
    assert float(total) == pytest.approx(expected["loss"], rel=1e-5)


def test_total_of_bert_equals_the_sum_by_hand(
    make_classifier, token_batch, cross_entropy
):
    x, y = token_batch
    distiller = Distiller(
        make_classifier(num_layers=2),
        make_classifier(num_layers=1, hidden_dim=8),
        [
            losses.HiddenStatesDistillation(include_embeddings=True),
            losses.AttentionDistillation(),
            losses.LogitsDistillation(),
        ],
        distillation_loss_weights=[2.0, 4.0, 1.0],
        student_loss_weight=0.25,
    )
    distiller.compile("sgd", cross_entropy, run_eagerly=True)
    asked = ["hidden_states", "attention_scores", "logits"]
    t = features.FeatureExtractor(distiller.teacher, asked)(x)
    s = features.FeatureExtractor(distiller.student, asked)(x)
    t = {name: keras.ops.convert_to_numpy(tensor) for name, tensor in t.items()}
    s = {name: keras.ops.convert_to_numpy(tensor) for name, tensor in s.items()}

    real = x["padding_mask"].astype(bool)
    hidden_loss = attention_loss = 0.0
    for i, tokens in enumerate(real):
        for of_student, of_teacher in (
            ("embeddings", "embeddings"),
            ("hidden_states.1", "hidden_states.2"),
        ):
            projected = project(distiller, "hidden_states", s[of_student][i])
            error = (projected - t[of_teacher][i])[tokens]
            hidden_loss += np.mean(error**2) / len(y)
        error = s["attention_scores.1"][i] - t["attention_scores.2"][i]
        attention_loss += np.mean(error[:, tokens][:, :, tokens] ** 2) / len(y)
    expected = {
        "student_loss": label_loss(s["logits"], y),
        "hidden_states_loss": hidden_loss,
        "attention_loss": attention_loss,
        "logits_loss": np.mean(soft_kl(t["logits"], s["logits"], 1.0)),
    }
    expected["loss"] = 0.25 * expected["student_loss"] + 0.75 * (
        2.0 * hidden_loss + 4.0 * attention_loss + expected["logits_loss"]
    )
    logs = distiller.test_on_batch(x, y, return_dict=True)
    assert logs == pytest.approx(expected, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(None, 0.7657861287763833), (1, 0.6623795458312444), (0, 0.8691927117215)],
)
def test_golden_values_of_mt_dnn(cross_entropy, share, expected):
    """The average of hard and soft cross-entropy of one example.

    The targets are the mean of three members' probabilities, of logits
    (2, 1, 0), (1.5, 1.2, -0.3) and (2.5, -0.5, 0.1).
    """
    members = [[2, 1, 0], [1.5, 1.2, -0.3], [2.5, -0.5, 0.1]]
    targets = np.exp(log_softmax(members, -1)).mean(axis=0)

    def model(logits):
        x = keras.Input((1,))
        outputs = keras.layers.Dense(3)(x)
        found = keras.Model(x, outputs)
        found.set_weights([np.zeros((1, 3)), logits])
        return found

    def distil(loss):
        distiller = Distiller(
            model(np.log(targets)),
            model(np.array([0.9, 0.4, -0.2])),
            losses.LogitsDistillation(loss=loss),
            **({} if share is None else {"student_loss_weight": share}),
        )
        distiller.compile("sgd", cross_entropy, run_eagerly=True)
        logs = distiller.test_on_batch(
            np.ones((1, 1)), np.array([0]), return_dict=True
        )
        return logs["loss"]

    assert distil("cross_entropy") == pytest.approx(expected, abs=1e-6)
    # They differ by the entropy of the targets, which nothing changes.
    share = 0.5 if share is None else share
    entropy = -np.sum(targets * np.log(targets))
    kl = expected - (1 - share) * entropy
    assert distil("kl") == pytest.approx(kl, abs=1e-6)
    assert share or kl == pytest.approx(0.06634310992063469, abs=1e-7)


@pytest.mark.parametrize("weight", [5.0, [5.0], (5.0,)])
def test_a_single_loss_takes_its_weight(make_distiller, batch, weight):
    x, _ = batch
    distiller = make_distiller(
        distillation_losses=losses.LogitsDistillation(),
        distillation_loss_weights=weight,
        student_loss_weight=0,
    )
    logs = distiller.test_on_batch(x, return_dict=True)
    assert logs["loss"] == pytest.approx(5.0 * logs["logits_loss"], rel=1e-6)
    assert distiller.distillation_loss_weights == [5.0]


def test_teacher_as_its_own_student_has_no_distillation_loss(
    make_distiller, make_dense, batch
):
    x, y = batch
    teacher, student = make_dense(), make_dense()
    student.set_weights(teacher.get_weights())
    distiller = make_distiller(teacher, student)
    logs = distiller.test_on_batch(x, y, return_dict=True)
    assert logs["hidden_loss"] == 0.0
    assert logs["logits_loss"] == pytest.approx(0.0, abs=1e-7)


def layer_losses():
    return [
        losses.HiddenStatesDistillation(layer_map.top_aligned, projection=None),
        losses.AttentionDistillation(),
        losses.AttentionDistillation(feature="probabilities", name="maps"),
    ]


def test_a_bert_as_its_own_student_has_no_loss_of_layers(
    make_classifier, token_batch
):
    x, _ = token_batch
    teacher, student = make_classifier(2), make_classifier(2)
    student.set_weights(teacher.get_weights())
    distiller = Distiller(
        teacher, student, layer_losses(), student_loss_weight=0
    )
    distiller.compile("sgd", run_eagerly=True)
    # In training mode, but for dropout of 0.
    for step in (distiller.test_on_batch, distiller.train_on_batch):
        logs = step(x, return_dict=True)
        assert logs == {
            "loss": 0.0,
            "hidden_states_loss": 0.0,
            "attention_loss": 0.0,
            "maps_loss": 0.0,
        }


def test_what_stands_at_padding_changes_no_loss_of_layers(
    make_classifier, token_batch
):
    x, _ = token_batch
    mask = x["padding_mask"]
    pairs = mask[:, None, :, None] * mask[:, None, None, :]
    asked = ["hidden_states", "attention_scores", "attention_probabilities"]
    of_teacher, of_student = (
        features.FeatureExtractor(model, ["embeddings", *asked])(x)
        for model in (make_classifier(2), make_classifier(2))
    )
    described = features.describe(make_classifier(2))
    num_terms = 0
    for loss in layer_losses():
        for match in loss.match(described, described):
            t = keras.ops.convert_to_numpy(of_teacher[match.teacher])
            s = keras.ops.convert_to_numpy(of_student[match.student])
            is_real = pairs if s.ndim == 4 else mask[:, :, None]
            other = np.where(is_real, s, s + 5.0)
            values = keras.ops.convert_to_numpy(loss.per_example(t, s, mask))
            assert values.min() > 0
            np.testing.assert_array_equal(
                loss.per_example(t, other, mask), values, match.note
            )
            num_terms += 1
    assert num_terms == 3 + 2 + 2


def test_losses_of_one_name_are_numbered_and_all_count(make_distiller, batch):
    x, _ = batch
    distiller = make_distiller(
        distillation_losses=[
            losses.LogitsDistillation(temperature=1.0, name="a"),
            losses.LogitsDistillation(temperature=2.0, name="a_2"),
            losses.LogitsDistillation(temperature=4.0, name="a"),
        ],
        student_loss_weight=0,
    )
    teacher, student = distiller.teacher(x), distiller.student(x)
    expected = {
        name: np.mean(soft_kl(teacher, student, temperature))
        for name, temperature in [
            ("a_loss", 1.0),
            ("a_2_loss", 2.0),
            ("a_3_loss", 4.0),
        ]
    }
    expected["loss"] = sum(expected.values())
    logs = distiller.test_on_batch(x, return_dict=True)
    assert logs == pytest.approx(expected, rel=1e-5)


def test_a_loss_called_student_does_not_hide_the_student_loss(
    make_distiller, batch
):
    x, y = batch
    distiller = make_distiller(
        distillation_losses=losses.LogitsDistillation(name="student")
    )
    logs = distiller.test_on_batch(x, y, return_dict=True)
    teacher, student = distiller.teacher(x), distiller.student(x)
    assert logs["student_loss"] == pytest.approx(label_loss(student, y), 1e-5)
    assert logs["student_2_loss"] == pytest.approx(
        np.mean(soft_kl(teacher, student, 1.0)), 1e-5
    )


def test_regularization_and_added_losses_count_once(
    make_distiller, make_dense, batch
):
    x, _ = batch
    hidden_layer = {
        "kernel_regularizer": keras.regularizers.L2(0.1),
        "activity_regularizer": keras.regularizers.L1(0.2),
    }
    teacher = make_dense(16, hidden={"kernel_regularizer": "l2"})
    student = make_dense(8, extra=[AddsLoss()], hidden=hidden_layer)
    distiller = make_distiller(teacher, student, student_loss_weight=0)
    activations = hidden(student, x)
    kernel = student.get_layer("hidden").kernel.numpy()
    expected = 0.1 * np.sum(kernel**2)
    expected += 0.2 * np.sum(np.abs(activations)) / len(x)
    expected += 0.3 * np.mean(activations**2)
    for step in (distiller.test_on_batch, distiller.train_on_batch):
        logs = step(x, return_dict=True)
        distilled = logs["hidden_loss"] + logs["logits_loss"]
        assert logs["loss"] - distilled == pytest.approx(expected, rel=1e-5)


def test_weight_decay_of_the_loss_is_trained(make_distiller, make_dense, batch):
    x, y = batch
    student = make_dense(hidden={"kernel_regularizer": "l2"})
    distiller = make_distiller(
        student=student,
        distillation_losses=losses.LogitsDistillation(),
        distillation_loss_weights=0.0,
        student_loss_weight=0,
    )
    kernel = student.get_layer("hidden").kernel
    before = kernel.numpy()
    distiller.train_on_batch(x, y)
    # Gradient descent at 0.01 on 0.01 * sum(kernel^2).
    np.testing.assert_allclose(kernel.numpy(), before * (1 - 0.0002), rtol=1e-6)


def test_with_weight_one_only_the_labels_count(make_distiller, batch):
    x, y = batch
    distiller = make_distiller(student_loss_weight=1)
    logs = distiller.test_on_batch(x, y, return_dict=True)
    expected = label_loss(distiller.student(x), y)
    assert logs == pytest.approx(
        {"loss": expected, "student_loss": expected}, rel=1e-5
    )


def test_with_weight_zero_the_labels_are_logged_and_not_trained(
    make_distiller, batch, values, assert_same
):
    x, y = batch
    distiller = make_distiller(
        distillation_losses=losses.FeatureDistillation("hidden", "hidden"),
        student_loss_weight=0,
    )
    head = distiller.student.get_layer("head")
    before = values(head)
    expected = label_loss(distiller.student(x), y)
    logs = distiller.train_on_batch(x, y, return_dict=True)
    assert logs["student_loss"] == pytest.approx(expected, rel=1e-5)
    assert logs["loss"] == pytest.approx(logs["hidden_loss"], rel=1e-6)
    assert_same(values(head), before)


def test_a_row_without_a_soft_label_is_learnt_from_its_label(cross_entropy):
    """The golden values again: a row that is taught, and one that is not."""
    members = [[2, 1, 0], [1.5, 1.2, -0.3], [2.5, -0.5, 0.1]]
    taught = teachers.SoftLabels(
        ["a"], [np.exp(log_softmax(members, -1)).mean(axis=0)]
    )
    rows = data.Examples((["x", "x"],), labels=[0, 0], ids=["a", "b"])
    x = keras.Input((2,))
    teacher = keras.Model(x, keras.layers.Dense(3, use_bias=False)(x))
    teacher.set_weights([taught.filled(rows).logits()])
    student = keras.Model(x, keras.layers.Dense(3, use_bias=False)(x))
    student.set_weights([np.array([[0.9, 0.4, -0.2]] * 2)])
    distiller = Distiller(
        teacher, student, losses.LogitsDistillation(loss="cross_entropy")
    )
    distiller.compile("sgd", cross_entropy, run_eagerly=True)
    values = [
        distiller.test_on_batch(
            np.eye(2)[chosen], np.zeros(len(chosen), int), return_dict=True
        )["loss"]
        for chosen in ([0], [1], [0, 1])
    ]
    of_taught, of_other = 0.7657861287763833, 0.6623795458312444
    assert values == pytest.approx(
        [of_taught, of_other, (of_taught + of_other) / 2], abs=1e-6
    )
