"""Updates are scaled, whatever the inner optimizer makes of gradients."""

import keras
import numpy as np
import pytest

from keras_distill.optimizers import RateScaleOptimizer
from keras_distill.optimizers.rate_scale_optimizer import (
    find_rate_scale_optimizer,
)

GRADIENTS = ([0.3, -2.0], [0.1, 0.4], [-1.0, 5.0])


def make_variables():
    return [keras.Variable([1.0, -2.0], name=name) for name in "ab"]


def train(optimizer, variables, gradients=GRADIENTS):
    for gradient in gradients:
        gradient = keras.ops.convert_to_tensor(gradient)
        optimizer.apply([gradient] * len(variables), variables)
    return [np.array(v.numpy()) for v in variables]


def adam_by_hand(scale, rate=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    w, m, v = np.array([1.0, -2.0]), 0.0, 0.0
    for step, gradient in enumerate(np.array(GRADIENTS), start=1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        alpha = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        w = w - scale * alpha * m / (np.sqrt(v) + epsilon)
    return w


def test_adam_moves_by_the_fraction():
    variables = make_variables()
    optimizer = RateScaleOptimizer(keras.optimizers.Adam(0.1))
    optimizer.set_rate_scale(variables[:1], 0.1)
    scaled, whole = train(optimizer, variables)
    np.testing.assert_allclose(scaled, adam_by_hand(0.1), rtol=1e-5)
    np.testing.assert_allclose(whole, adam_by_hand(1.0), rtol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.AdamW(0.1, weight_decay=0.3),
        lambda: keras.optimizers.Lamb(0.1),
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    ],
)
def test_the_whole_of_a_step_is_scaled(make):
    variables, plain = make_variables(), make_variables()
    optimizer = RateScaleOptimizer(make())
    optimizer.set_rate_scale(variables, 0.25)
    begin = np.array([1.0, -2.0])
    scaled = train(optimizer, variables, GRADIENTS[:1])
    whole = train(make(), plain, GRADIENTS[:1])
    for one, other in zip(scaled, whole, strict=True):
        np.testing.assert_allclose(
            one - begin, 0.25 * (other - begin), rtol=1e-4
        )


def test_the_full_rate_is_the_inner_optimizer_bit_by_bit():
    variables, plain = make_variables(), make_variables()
    optimizer = RateScaleOptimizer(keras.optimizers.Adam(0.1))
    optimizer.set_rate_scale(variables[:1], 0.1)
    optimizer.reset_rate_scales()
    ours = train(optimizer, variables)
    for one, other in zip(
        ours, train(keras.optimizers.Adam(0.1), plain), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert int(optimizer.iterations) == 3


@pytest.mark.parametrize("scale", [0, -0.5])
def test_a_scale_must_be_positive(scale):
    optimizer = RateScaleOptimizer("adam")
    with pytest.raises(ValueError, match="Set `trainable = False`"):
        optimizer.set_rate_scale(make_variables(), scale)


def make_model(optimizer, **words):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="lower"),
            keras.layers.Dense(2, name="upper"),
        ]
    )
    model.compile(optimizer, "mse", **words)
    return model


def fit(model):
    before = model.get_weights()
    x = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4)
    model.fit(x, x[:, :2], batch_size=8, shuffle=False, verbose=0)
    return [
        new - old for new, old in zip(model.get_weights(), before, strict=True)
    ]


@pytest.mark.parametrize("is_scaling_losses", [False, True])
def test_a_compiled_step_scales_as_well(is_scaling_losses):
    moves = {}
    for scale in (0.5, 1.0):
        optimizer = inner = RateScaleOptimizer(keras.optimizers.Adam(0.1))
        if is_scaling_losses:
            optimizer = keras.optimizers.LossScaleOptimizer(inner)
        assert find_rate_scale_optimizer(optimizer) is inner
        model = make_model(optimizer)
        inner.set_rate_scale(model.layers[0].trainable_variables, scale)
        moves[scale] = fit(model)
    for i, (half, whole) in enumerate(zip(moves[0.5], moves[1.0], strict=True)):
        np.testing.assert_allclose(
            half, whole * (0.5 if i < 2 else 1.0), rtol=1e-4, atol=1e-7
        )


@pytest.mark.tensorflow("it is TensorFlow's distribution")
def test_under_a_strategy():
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        optimizer = RateScaleOptimizer(keras.optimizers.Adam(0.1))
        model = make_model(optimizer)
    optimizer.set_rate_scale(model.layers[0].trainable_variables, 0.5)
    plain = RateScaleOptimizer(keras.optimizers.Adam(0.1))
    alone = make_model(plain)
    plain.set_rate_scale(alone.layers[0].trainable_variables, 0.5)
    for one, other in zip(fit(model), fit(alone), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)


def test_learning_rate_and_schedule_are_the_inner_ones():
    optimizer = RateScaleOptimizer(keras.optimizers.SGD(0.5))
    assert float(optimizer.learning_rate) == 0.5
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == 0.25


def test_it_is_saved_with_its_state(tmp_path):
    model = make_model(RateScaleOptimizer(keras.optimizers.Adam(0.1)))
    fit(model)
    model.save(tmp_path / "model.keras")
    revived = keras.saving.load_model(tmp_path / "model.keras")
    optimizer = revived.optimizer
    assert isinstance(optimizer, RateScaleOptimizer)
    assert isinstance(optimizer.inner_optimizer, keras.optimizers.Adam)
    for one, other in zip(
        model.optimizer.variables, optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for one, other in zip(fit(model), fit(revived), strict=True):
        np.testing.assert_array_equal(one, other)


def random_gradients(count):
    generator = np.random.default_rng(7)
    return generator.normal(size=(count, 2)).astype("float32")


def test_a_variable_that_joins_late_moves_as_a_new_one():
    early, late = make_variables()
    optimizer = RateScaleOptimizer(keras.optimizers.Adam(0.1))
    optimizer.build([early, late])
    optimizer.count_own_steps([early, late])
    gradients = random_gradients(60)
    train(optimizer, [early], gradients[:50])
    moved = train(optimizer, [early, late], gradients[50:])
    alone, new = make_variables()
    train(keras.optimizers.Adam(0.1), [alone], gradients)
    train(keras.optimizers.Adam(0.1), [new], gradients[50:])
    np.testing.assert_allclose(moved[0], alone.numpy(), rtol=1e-5)
    np.testing.assert_allclose(moved[1], new.numpy(), rtol=1e-4)


def test_otherwise_adam_moves_it_too_far():
    # What the correction is for.
    (early, late), (_, fresh) = make_variables(), make_variables()
    optimizer = RateScaleOptimizer(keras.optimizers.Adam(0.1))
    optimizer.build([early, late])
    # As after so many steps, in which the late one had no gradient.
    optimizer.iterations.assign(1000)
    gradients = np.ones((10, 2), "float32")
    train(optimizer, [early, late], gradients)
    train(keras.optimizers.Adam(0.1), [fresh], gradients)
    moves = [v.numpy() - [1.0, -2.0] for v in (late, fresh)]
    assert (moves[0] / moves[1] > 3).all()


def test_steps_are_counted_in_a_compiled_step():
    model = make_model(RateScaleOptimizer(keras.optimizers.Adam(0.1)))
    for count in (1, 2):
        fit(model)
        optimizer = model.optimizer
        (steps,) = (v for v in optimizer.variables if v.name == "updates")
        np.testing.assert_array_equal(steps.numpy(), 4 * [count])
