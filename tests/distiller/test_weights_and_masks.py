"""Sample weights, class weights and padding."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses


@pytest.fixture
def make_tagger(randomize):
    """Builds token ids -> embeddings -> hidden -> tags, with Keras's masks."""

    def make(width):
        ids = keras.Input((None,), dtype="int32", name="ids")
        x = keras.layers.Embedding(20, width, mask_zero=True)(ids)
        x = keras.layers.Dense(width, "tanh", name="hidden")(x)
        x = keras.layers.Dense(3, name="tags")(x)
        return randomize(keras.Model(ids, x), seed=width)

    return make


@pytest.fixture
def tags():
    """Three sentences of different length for a tagger, and their tags."""
    ids = np.array([[4, 7, 9, 2, 5], [3, 8, 6, 0, 0], [11, 2, 0, 0, 0]])
    return ids.astype("int32"), (ids % 3) * (ids > 0)


def rows(distiller, x, y, name):
    """The value of a term for every example by itself."""
    return np.array(
        [
            distiller.test_on_batch(
                x[i : i + 1], y[i : i + 1], return_dict=True
            )[name]
            for i in range(len(x))
        ]
    )


def longer(array):
    return np.pad(array, ((0, 0), (0, 4)))


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_sample_weights_weigh_every_term(make_distiller, batch, shape):
    x, y = batch
    distiller = make_distiller()
    weights = np.array([0.0, 1.0, 2.0, 0.0, 0.5, 3.0])
    logs = distiller.test_on_batch(
        x, y, weights.reshape(shape).astype("float32"), return_dict=True
    )
    for name in ("student_loss", "hidden_loss", "logits_loss"):
        expected = np.mean(weights * rows(distiller, x, y, name))
        assert logs[name] == pytest.approx(expected, rel=1e-5)


def test_rows_of_weight_zero_do_not_count(make_distiller, batch):
    x, y = batch
    distiller = make_distiller()
    logs = distiller.evaluate(
        x, y, sample_weight=np.zeros(6), verbose=0, return_dict=True
    )
    assert set(logs.values()) == {0.0}


def test_class_weights_reach_the_distillation_losses(make_distiller, batch):
    x, y = batch
    distiller = make_distiller(
        compiled={"optimizer": keras.optimizers.SGD(0.0)}
    )
    class_weight = {0: 0.0, 1: 2.0, 2: 0.5}
    history = distiller.fit(x, y, class_weight=class_weight, verbose=0).history
    weights = np.array([class_weight[label] for label in y])
    for name in ("student_loss", "hidden_loss", "logits_loss"):
        expected = np.mean(weights * rows(distiller, x, y, name))
        assert history[name][0] == pytest.approx(expected, rel=1e-5)


def test_token_weights_weigh_the_predictions_of_tokens(
    make_tagger, tags, cross_entropy
):
    ids, y = tags
    distiller = Distiller(
        make_tagger(8), make_tagger(4), losses.LogitsDistillation()
    )
    distiller.compile("sgd", cross_entropy, run_eagerly=True)
    weights = np.array(
        [[1, 0, 2, 0, 1], [0, 3, 1, 5, 5], [0, 0, 5, 5, 5]], "float32"
    )
    teacher = keras.ops.convert_to_numpy(distiller.teacher(ids))
    student = keras.ops.convert_to_numpy(distiller.student(ids))
    per_token = soft_kl(teacher, student)
    # Padding has no weight; a sentence without any has the value 0.
    counted = weights * (ids > 0)
    expected = np.mean(
        np.sum(per_token * counted, 1) / np.maximum(counted.sum(1), 1.0)
    )
    logs = distiller.test_on_batch(ids, y, weights, return_dict=True)
    assert logs["logits_loss"] == pytest.approx(expected, rel=1e-5)


def test_token_weights_need_predictions_of_tokens(make_distiller, batch):
    x, _ = batch
    distiller = make_distiller(student_loss_weight=0, compiled={"loss": None})
    with pytest.raises(ValueError, match=r"must have the shape \(batch,\)"):
        distiller.test_on_batch(x, None, np.ones((6, 4), "float32"))


def test_keras_masks_leave_padding_out(make_tagger, tags, cross_entropy):
    ids, y = tags
    distiller = Distiller(
        make_tagger(8),
        make_tagger(4),
        [
            losses.FeatureDistillation("hidden", "hidden"),
            losses.LogitsDistillation(),
        ],
    )
    distiller.compile("sgd", cross_entropy, run_eagerly=True)
    logs = distiller.test_on_batch(ids, y, return_dict=True)
    padded = distiller.test_on_batch(longer(ids), longer(y), return_dict=True)
    assert padded == pytest.approx(logs, rel=1e-5)
    per_token = soft_kl(
        keras.ops.convert_to_numpy(distiller.teacher(ids)),
        keras.ops.convert_to_numpy(distiller.student(ids)),
    )
    expected = np.mean(
        [
            np.mean(row[real])
            for row, real in zip(per_token, ids > 0, strict=True)
        ]
    )
    assert logs["logits_loss"] == pytest.approx(expected, rel=1e-5)


def test_padding_changes_no_loss_of_bert(
    make_classifier, token_batch, cross_entropy, randomize
):
    x, y = token_batch
    distiller = Distiller(
        randomize(make_classifier(num_layers=2)),
        randomize(make_classifier(num_layers=1, hidden_dim=8)),
        [
            losses.EmbeddingsDistillation(),
            losses.HiddenStatesDistillation(),
            losses.AttentionDistillation(),
            losses.AttentionDistillation(loss="kl", name="attention_kl"),
            losses.RelationDistillation(),
            losses.LogitsDistillation(),
        ],
    )
    distiller.compile("sgd", cross_entropy, run_eagerly=True)
    logs = distiller.test_on_batch(x, y, return_dict=True)
    longer_x = {name: longer(value) for name, value in x.items()}
    padded = distiller.test_on_batch(longer_x, y, return_dict=True)
    assert padded == pytest.approx(logs, rel=1e-5)
    # What stands at padded places does not matter either.
    longer_x["token_ids"][:, 6:] = 7
    other = distiller.test_on_batch(longer_x, y, return_dict=True)
    assert other == pytest.approx(logs, rel=1e-5)


def soft_kl(teacher, student):
    def log_softmax(z):
        return z - np.log(np.sum(np.exp(z), -1, keepdims=True))

    teacher, student = log_softmax(teacher), log_softmax(student)
    return np.sum(np.exp(teacher) * (teacher - student), -1)
