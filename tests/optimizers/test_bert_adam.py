"""BERT's Adam by NumPy: no correction, decay beside it, clipped by tensor."""

import json

import keras
import numpy as np
import pytest

from keras_distill.optimizers import BertAdam
from keras_distill.optimizers import RateScaleOptimizer
from keras_distill.optimizers.schedules import WarmupLinearDecay

# The first is longer than 1, the second is not.
GRADIENTS = [
    ([3.0, -4.0], [0.3, 0.1]),
    ([0.3, 0.4], [0.2, -0.4]),
    ([-6.0, 8.0], [0.0, 0.5]),
]
START = [1.0, -2.0]


def make_variables():
    return [keras.Variable(START, name=name) for name in ("kernel", "bias")]


def train(optimizer, gradients=GRADIENTS):
    variables = make_variables()
    for pair in gradients:
        optimizer.apply(
            [keras.ops.convert_to_tensor(g) for g in pair], variables
        )
    return [keras.ops.convert_to_numpy(v) for v in variables]


def by_numpy(index, rates, decay, scale=1.0, gradients=GRADIENTS, clip=1.0):
    w, m, v = np.array(START), 0.0, 0.0
    for rate, pair in zip(rates, gradients, strict=True):
        g = np.array(pair[index])
        g = g * min(1.0, clip / np.linalg.norm(g))
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        w = w - scale * rate * (m / (np.sqrt(v) + 1e-6) + decay * w)
    return w


@pytest.mark.parametrize("how", ["rate", "schedule", "round trip"])
def test_steps_are_berts(how):
    rates = [0.1] * 3
    optimizer = BertAdam(0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    if how == "schedule":
        schedule = WarmupLinearDecay(0.1, total_steps=4, warmup=0.5)
        rates = [0.0, 0.05, 0.1]
        optimizer.learning_rate = schedule
    if how == "round trip":
        config = keras.saving.serialize_keras_object(optimizer)
        optimizer = keras.saving.deserialize_keras_object(
            json.loads(json.dumps(config))
        )
        assert type(optimizer) is BertAdam
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    kernel, bias = train(optimizer)
    np.testing.assert_allclose(kernel, by_numpy(0, rates, 0.01), rtol=1e-5)
    np.testing.assert_allclose(bias, by_numpy(1, rates, 0.0), rtol=1e-5)


def test_a_scaled_rate_scales_the_whole_step():
    """Also of variables that come late, whose moments need no correction."""
    inner = BertAdam(0.1)
    optimizer = RateScaleOptimizer(inner)
    variables = make_variables()
    optimizer.set_rate_scale(variables[:1], 0.25)
    optimizer.count_own_steps(variables)
    for pair in GRADIENTS:
        optimizer.apply(
            [keras.ops.convert_to_tensor(g) for g in pair], variables
        )
    for index, scale in ((0, 0.25), (1, 1.0)):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(variables[index]),
            by_numpy(index, [0.1] * 3, 0.01, scale),
            rtol=1e-5,
        )


def test_accumulated_gradients_are_one_step():
    """Their mean is clipped, not each of them."""
    optimizer = BertAdam(0.1, gradient_accumulation_steps=3)
    mean = [tuple(np.mean(np.array(GRADIENTS), axis=0))]
    for found, index in zip(train(optimizer), (0, 1), strict=True):
        np.testing.assert_allclose(
            found, by_numpy(index, [0.1], 0.01, gradients=mean), rtol=1e-5
        )


@pytest.mark.parametrize(
    "word", [{"beta_1": 1.0}, {"beta_2": -0.1}, {"epsilon": 0}]
)
def test_what_numbers_cannot_be(word):
    with pytest.raises(ValueError, match=f"`{next(iter(word))}` must be"):
        BertAdam(**word)
