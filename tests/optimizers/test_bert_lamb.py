"""MobileBERT's LAMB by NumPy: no correction, decay within, clipped together."""

import json

import keras
import numpy as np
import pytest

from keras_distill.optimizers import BertLamb
from keras_distill.optimizers import RateScaleOptimizer

# The first pair is longer than 1, the second is not.
GRADIENTS = [
    ([[3.0, -4.0]], [0.3, 0.1]),
    ([[0.3, 0.4]], [0.2, -0.4]),
    ([[-6.0, 8.0]], [0.0, 0.5]),
]
START = ([[1.0, -2.0]], [0.5, 0.25])


def make_variables(start=START):
    return [
        keras.Variable(value, name=name)
        for value, name in zip(start, ("kernel", "bias"), strict=True)
    ]


def train(optimizer, gradients=GRADIENTS, start=START):
    variables = make_variables(start)
    for pair in gradients:
        optimizer.apply(
            [keras.ops.convert_to_tensor(g) for g in pair], variables
        )
    return [keras.ops.convert_to_numpy(v) for v in variables]


def by_numpy(
    decays=(0.01, None), gradients=GRADIENTS, start=START, clip=1.0, scale=1.0
):
    """Each variable after the steps; decay `None` is one that is left out."""
    w = [np.array(value) for value in start]
    m, v = [0.0, 0.0], [0.0, 0.0]
    for pair in gradients:
        pair = [np.array(g) for g in pair]
        norm = np.sqrt(sum(np.sum(g**2) for g in pair))
        for i, decay in enumerate(decays):
            g = pair[i] * min(1.0, clip / norm)
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            update, ratio = m[i] / (np.sqrt(v[i]) + 1e-6), 1.0
            if decay is not None:
                update = update + decay * w[i]
                lengths = np.linalg.norm(w[i]), np.linalg.norm(update)
                ratio = lengths[0] / lengths[1] if all(lengths) else 1.0
            w[i] = w[i] - scale * 0.1 * ratio * update
    return w


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("steps", [1, 3])
def test_steps_are_mobileberts(steps):
    optimizer = BertLamb(0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    gradients = GRADIENTS[:steps]
    assert_same(train(optimizer, gradients), by_numpy(gradients=gradients))


def test_it_comes_back_from_json():
    optimizer = BertLamb(
        0.1,
        weight_decay=0.3,
        global_clipnorm=0.5,
        gradient_accumulation_steps=2,
    )
    config = keras.saving.serialize_keras_object(optimizer)
    loaded = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(config))
    )
    assert type(loaded) is BertLamb
    assert loaded.get_config() == optimizer.get_config()
    # The mean of two is one step.
    gradients = [*GRADIENTS[:1], *GRADIENTS[2:]]
    mean = [tuple(np.mean([pair[i] for pair in gradients], 0) for i in (0, 1))]
    assert_same(
        train(loaded, gradients),
        by_numpy((0.3, 0.3), gradients=mean, clip=0.5),
    )


@pytest.mark.parametrize("decay", [None, 0.0, 0.1])
def test_without_decay_the_rate_is_adapted_all_the_same(decay):
    optimizer = BertLamb(0.1, weight_decay=decay)
    assert_same(train(optimizer), by_numpy(decays=(decay or 0.0,) * 2))


def test_a_tensor_of_zeros_and_an_update_of_zeros_have_the_rate_as_it_is():
    start = ([[0.0, 0.0]], [0.5, 0.25])
    gradients = [([[0.3, 0.4]], [0.0, 0.0])]
    found = train(BertLamb(0.1, weight_decay=None), gradients, start)
    assert_same(found, by_numpy((0.0, 0.0), gradients, start))
    assert np.all(found[0] != 0)
    np.testing.assert_array_equal(found[1], start[1])


def test_what_is_left_out_may_be_chosen_by_any_rule():
    """By the variables themselves; here all that are no matrix."""
    variables = make_variables()
    optimizer = BertLamb(0.1)
    optimizer.exclude_from_weight_decay(
        var_list=[v for v in variables if len(v.shape) < 2]
    )
    for pair in GRADIENTS:
        optimizer.apply(
            [keras.ops.convert_to_tensor(g) for g in pair], variables
        )
    assert_same(map(keras.ops.convert_to_numpy, variables), by_numpy())


def test_a_scaled_rate_scales_the_whole_step():
    """Also of variables that come late, whose moments need no correction."""
    inner = BertLamb(0.1)
    inner.exclude_from_weight_decay(var_names=["bias"])
    optimizer = RateScaleOptimizer(inner)
    variables = make_variables()
    optimizer.set_rate_scale(variables, 0.25)
    optimizer.count_own_steps(variables)
    for pair in GRADIENTS:
        optimizer.apply(
            [keras.ops.convert_to_tensor(g) for g in pair], variables
        )
    assert_same(
        map(keras.ops.convert_to_numpy, variables), by_numpy(scale=0.25)
    )


@pytest.mark.tensorflow("it alone gives gradients row by row")
def test_a_token_that_occurs_twice_is_one_row():
    import tensorflow as tf

    twice = tf.IndexedSlices(
        tf.constant([[1.0, -2.0], [2.0, -2.0]]), [0, 0], tf.constant([1, 2])
    )
    variables = make_variables()
    optimizer = BertLamb(0.1)
    optimizer.apply([twice, tf.constant([0.3, 0.1])], variables)
    assert_same(
        map(keras.ops.convert_to_numpy, variables),
        by_numpy((0.01, 0.01), GRADIENTS[:1]),
    )


@pytest.mark.parametrize(
    "word",
    [{"beta_1": 1.0}, {"beta_2": -0.1}, {"epsilon": 0}, {"weight_decay": -1}],
)
def test_what_numbers_cannot_be(word):
    with pytest.raises(ValueError, match=f"`{next(iter(word))}` must be"):
        BertLamb(**word)
