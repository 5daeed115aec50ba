"""Precision, compilation and optimizers."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses

_NO_TORCH_COMPILE = pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="torch.compile takes minutes and a C++ compiler",
)

_ONE_STEP_AT_A_TIME = pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="Keras runs one step at a time on PyTorch",
)


@pytest.fixture
def with_policy(make_dense):
    """Builds a dense model of another precision."""

    def make(policy, width):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            return make_dense(width)
        finally:
            keras.config.set_dtype_policy(before)

    return make


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("teacher_policy", [None, "float32"])
def test_mixed_precision_gives_the_losses_of_float32(
    make_distiller, with_policy, batch, policy, teacher_policy
):
    x, y = batch
    full = make_distiller()
    teacher = with_policy(teacher_policy or policy, 16)
    student = with_policy(policy, 8)
    teacher.set_weights(full.teacher.get_weights())
    student.set_weights(full.student.get_weights())
    mixed = make_distiller(teacher, student)
    mixed.projections["hidden"].set_weights(
        full.projections["hidden"].get_weights()
    )
    assert mixed.dtype_policy.name == policy
    expected = full.evaluate(x, y, verbose=0, return_dict=True)
    logs = mixed.evaluate(x, y, verbose=0, return_dict=True)
    assert logs == pytest.approx(expected, rel=0.05)
    before = student.get_weights()
    history = mixed.fit(x, y, epochs=2, verbose=0).history
    assert np.all(np.isfinite(list(history.values())))
    assert history["loss"][1] < history["loss"][0]
    assert np.any(student.get_weights()[0] != before[0])


def test_float16_scales_its_loss(make_distiller, with_policy):
    distiller = make_distiller(student=with_policy("mixed_float16", 8))
    assert isinstance(distiller.optimizer, keras.optimizers.LossScaleOptimizer)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"jit_compile": True}, marks=_NO_TORCH_COMPILE),
        {"jit_compile": False},
        pytest.param(
            {"jit_compile": False, "steps_per_execution": 2},
            marks=_ONE_STEP_AT_A_TIME,
        ),
    ],
    ids=["jit", "graph", "two steps at once"],
)
def test_compiled_training_equals_eager_training(
    make_distiller, batch, values, settings
):
    x, y = batch
    eager = make_distiller(compiled={"optimizer": "adam"})
    compiled = make_distiller(
        eager.teacher,
        compiled={"optimizer": "adam", "run_eagerly": False, **settings},
    )
    for mine, theirs in zip(compiled.weights, eager.weights, strict=True):
        mine.assign(theirs.numpy())
    logs = [
        each.fit(x, y, batch_size=3, shuffle=False, verbose=0).history
        for each in (compiled, eager)
    ]
    assert set(logs[0]) == set(logs[1])
    for name, value in logs[1].items():
        assert logs[0][name] == pytest.approx(value, rel=1e-5)
    for mine, theirs in zip(values(compiled), values(eager), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_accumulated_gradients_of_halves_equal_the_whole(
    make_distiller, batch, values
):
    x, y = batch
    whole = make_distiller(compiled={"optimizer": keras.optimizers.SGD(0.5)})
    halves = make_distiller(
        whole.teacher,
        compiled={
            "optimizer": keras.optimizers.SGD(
                0.5, gradient_accumulation_steps=2
            )
        },
    )
    for mine, theirs in zip(halves.weights, whole.weights, strict=True):
        mine.assign(theirs.numpy())
    whole.fit(x, y, batch_size=6, verbose=0)
    halves.fit(x, y, batch_size=3, verbose=0)
    for mine, theirs in zip(values(halves), values(whole), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_averaged_weights_are_those_of_the_steps(make_distiller, batch, values):
    plain = make_distiller(compiled={"optimizer": keras.optimizers.SGD(0.5)})
    averaged = make_distiller(
        plain.teacher,
        compiled={
            "optimizer": keras.optimizers.SGD(
                0.5, use_ema=True, ema_momentum=0.75
            )
        },
    )
    for mine, theirs in zip(averaged.weights, plain.weights, strict=True):
        mine.assign(theirs.numpy())
    averaged.fit(*batch, batch_size=6, epochs=3, verbose=0)
    steps = []
    for _ in range(3):
        plain.fit(*batch, batch_size=6, verbose=0)
        steps.append(values(plain))
    for mine, first, second, third in zip(
        values(averaged), *steps, strict=True
    ):
        average = 0.75 * (0.75 * first + 0.25 * second) + 0.25 * third
        np.testing.assert_allclose(mine, average, atol=1e-6)
    moved = np.abs(steps[2][0] - steps[0][0]).max()
    assert moved > 1e-3


@pytest.mark.parametrize(
    "words", [{"use_ema": True}, {"gradient_accumulation_steps": 2}]
)
def test_parts_that_no_loss_reaches_stay_as_they_are(
    make_distiller, batch, values, assert_same, words
):
    distiller = make_distiller(
        distillation_losses=losses.FeatureDistillation("hidden", "hidden"),
        student_loss_weight=0,
        compiled={
            "optimizer": keras.optimizers.AdamW(0.1, weight_decay=0.5, **words)
        },
    )
    head = distiller.student.get_layer("head")
    hidden = distiller.student.get_layer("hidden")
    before, below = values(head), values(hidden)
    distiller.fit(*batch, batch_size=2, epochs=2, verbose=0)
    assert_same(values(head), before)
    assert np.any(values(hidden)[0] != below[0])


def test_frozen_layers_of_the_student_stay_as_they_are(
    make_distiller, batch, values, assert_same
):
    distiller = make_distiller()
    hidden = distiller.student.get_layer("hidden")
    hidden.trainable = False
    distiller.compile("adam", distiller.loss)
    distiller.run_eagerly = True
    before = values(hidden)
    distiller.fit(*batch, verbose=0)
    assert_same(values(hidden), before)


def test_bert_trains_in_a_compiled_step(
    make_classifier, token_batch, cross_entropy
):
    x, y = token_batch
    distiller = Distiller(
        make_classifier(num_layers=1),
        make_classifier(num_layers=1, hidden_dim=8),
        [losses.HiddenStatesDistillation(), losses.AttentionDistillation()],
    )
    distiller.compile(
        keras.optimizers.Adam(0.01),
        cross_entropy,
        jit_compile=False,
        metrics=["accuracy"],
    )
    expected = keras.ops.convert_to_numpy(distiller.compute_loss(x, y))
    history = distiller.fit(x, y, epochs=5, verbose=0).history
    assert history["loss"][0] == pytest.approx(float(expected), rel=1e-5)
    assert history["loss"][-1] < 0.8 * history["loss"][0]
