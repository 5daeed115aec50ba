"""Models with several outputs, as dicts and lists."""

import keras
import numpy as np
import pytest

from keras_distill import losses


@pytest.fixture
def make_model():
    """Builds a model with the outputs `start` (3) and `end` (2).

    The teacher has its pooled output besides.
    """

    def make(width, as_list=False, pooled=False):
        x = keras.Input((4,), name="x")
        h = keras.layers.Dense(width, "tanh", name="hidden")(x)
        outputs = {
            "start": keras.layers.Dense(3, name="start")(h),
            "end": keras.layers.Dense(2, name="end")(h),
        }
        if pooled:
            outputs["pooled"] = h
        return keras.Model(x, list(outputs.values()) if as_list else outputs)

    return make


@pytest.fixture
def make(make_distiller, make_model):
    """Builds a distiller of such models."""

    def make(as_list=False, **words):
        words.setdefault("distillation_losses", losses.LogitsDistillation())
        return make_distiller(
            make_model(16, as_list, pooled=True),
            make_model(8, as_list),
            **words,
        )

    return make


@pytest.fixture
def labels():
    return {"start": np.arange(6) % 3, "end": np.arange(6) % 2}


def as_structure(values, as_list):
    return tuple(values.values()) if as_list else values


def by_name(outputs):
    if isinstance(outputs, dict):
        return {
            name: keras.ops.convert_to_numpy(outputs[name])
            for name in ("start", "end")
        }
    return {
        "start": keras.ops.convert_to_numpy(outputs[0]),
        "end": keras.ops.convert_to_numpy(outputs[1]),
    }


def log_softmax(z):
    return z - np.log(np.sum(np.exp(z), -1, keepdims=True))


def soft_kl(teacher, student):
    teacher, student = log_softmax(teacher), log_softmax(student)
    return np.sum(np.exp(teacher) * (teacher - student), -1)


def label_losses(logits, y):
    return -log_softmax(logits)[np.arange(len(y)), y]


@pytest.mark.parametrize("as_list", [False, True])
def test_every_common_output_is_distilled_and_summed(
    make, batch, labels, as_list
):
    x, _ = batch
    distiller = make(as_list, student_loss_weight=0.25)
    teacher = by_name(distiller.teacher(x))
    student = by_name(distiller.student(x))
    label = {k: np.mean(label_losses(student[k], labels[k])) for k in labels}
    expected = {
        "start_loss": label["start"],
        "end_loss": label["end"],
        "student_loss": label["start"] + label["end"],
        "logits_loss": sum(
            np.mean(soft_kl(teacher[k], student[k])) for k in labels
        ),
    }
    expected["loss"] = (
        0.25 * expected["student_loss"] + 0.75 * expected["logits_loss"]
    )
    logs = distiller.evaluate(
        x, as_structure(labels, as_list), verbose=0, return_dict=True
    )
    assert logs == pytest.approx(expected, rel=1e-5)
    distiller.fit(x, as_structure(labels, as_list), verbose=0)
    predicted = distiller.predict(x, verbose=0)
    assert type(predicted) is (list if as_list else dict)


@pytest.mark.parametrize("as_list", [False, True])
def test_losses_weights_and_metrics_go_by_output(
    make, batch, labels, cross_entropy, as_list
):
    x, _ = batch
    distiller = make(
        as_list,
        compiled={
            "loss": {"start": cross_entropy, "end": cross_entropy},
            "loss_weights": {"start": 3.0, "end": 0.5},
            "metrics": {"start": ["accuracy"]},
        },
    )
    logs = distiller.evaluate(
        x, as_structure(labels, as_list), verbose=0, return_dict=True
    )
    student = by_name(distiller.student(x))
    label = {k: np.mean(label_losses(student[k], labels[k])) for k in labels}
    assert logs["student_loss"] == pytest.approx(
        3.0 * label["start"] + 0.5 * label["end"], rel=1e-5
    )
    hits = np.argmax(student["start"], -1) == labels["start"]
    assert logs["start_accuracy"] == pytest.approx(np.mean(hits))
    assert "end_accuracy" not in logs


@pytest.mark.parametrize("as_list", [False, True])
def test_sample_weights_go_by_output(make, batch, labels, as_list):
    x, _ = batch
    distiller = make(as_list, student_loss_weight=0.5)
    weights = {"start": np.zeros(6), "end": np.arange(6.0)}
    logs = distiller.evaluate(
        x,
        as_structure(labels, as_list),
        sample_weight=as_structure(weights, as_list),
        verbose=0,
        return_dict=True,
    )
    teacher = by_name(distiller.teacher(x))["end"]
    student = by_name(distiller.student(x))["end"]
    assert logs["logits_loss"] == pytest.approx(
        np.mean(weights["end"] * soft_kl(teacher, student)), rel=1e-5
    )
    assert logs["student_loss"] == pytest.approx(
        np.mean(weights["end"] * label_losses(student, labels["end"])),
        rel=1e-5,
    )


def test_one_output_is_chosen_by_name(make, batch):
    x, _ = batch
    distiller = make(
        distillation_losses=losses.LogitsDistillation(outputs=["end"]),
        student_loss_weight=0,
        compiled={"loss": None},
    )
    teacher, student = distiller.teacher(x), distiller.student(x)
    logs = distiller.test_on_batch(x, return_dict=True)
    assert logs["logits_loss"] == pytest.approx(
        np.mean(
            soft_kl(
                keras.ops.convert_to_numpy(teacher["end"]),
                keras.ops.convert_to_numpy(student["end"]),
            )
        ),
        rel=1e-5,
    )
    assert distiller.plan()[0].startswith(
        "student output end <- teacher output end"
    )


@pytest.mark.parametrize("as_list", [False, True])
def test_a_term_never_hides_the_loss_of_an_output(make, batch, labels, as_list):
    x, _ = batch
    distiller = make(
        as_list,
        distillation_losses=losses.FeatureDistillation("start", "start"),
    )
    logs = distiller.evaluate(
        x, as_structure(labels, as_list), verbose=0, return_dict=True
    )
    teacher, student = (
        by_name(model(x))["start"]
        for model in (distiller.teacher, distiller.student)
    )
    assert logs["start_loss"] == pytest.approx(
        np.mean(label_losses(student, labels["start"])), rel=1e-5
    )
    assert logs["start_2_loss"] == pytest.approx(
        np.mean((teacher - student) ** 2), rel=1e-5
    )


def test_a_backbone_alone_is_distilled(make_classifier, token_batch):
    from keras_distill import Distiller

    x, _ = token_batch
    distiller = Distiller(
        make_classifier(num_layers=2).backbone,
        make_classifier(num_layers=1, hidden_dim=8).backbone,
        losses.HiddenStatesDistillation(),
        student_loss_weight=0,
    )
    distiller.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    history = distiller.fit(x, epochs=3, verbose=0).history
    assert history["loss"] == history["hidden_states_loss"]
    assert history["loss"][2] < history["loss"][0]
