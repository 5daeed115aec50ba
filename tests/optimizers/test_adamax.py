"""Adamax as MT-DNN trains with it: its formula, clipping, decay and rates."""

import keras
import numpy as np
import pytest

from keras_distill.optimizers import Adamax
from keras_distill.optimizers.schedules import WarmupLinearDecay

START = [1.0, -2.0]
# Of a kernel and a bias; together the first are longer than 1, not alone.
GRADIENTS = [
    ([0.6, -0.8], [0.3, 0.9]),
    ([0.3, 0.4], [0.2, -0.4]),
    ([-6.0, 8.0], [0.0, 0.5]),
    ([0.1, 0.0], [0.0, -0.2]),
]


def train(optimizer, gradients):
    variables = [
        keras.Variable(START, name=name) for name in ("kernel", "bias")
    ]
    for pair in gradients:
        optimizer.apply(
            [keras.ops.convert_to_tensor(g, "float32") for g in pair],
            variables,
        )
    return [keras.ops.convert_to_numpy(v) for v in variables]


def by_numpy(gradients, rates, decays=(0.0, 0.0), clip=np.inf, epsilon=1e-7):
    found = [np.array(START), np.array(START)]
    m, u = np.zeros((2, 2, 2))
    for step, (rate, pair) in enumerate(zip(rates, gradients, strict=True), 1):
        pair = np.array(pair)
        pair = pair * min(1.0, clip / np.linalg.norm(pair))
        for i, g in enumerate(pair):
            m[i] = 0.9 * m[i] + 0.1 * g
            u[i] = np.maximum(0.999 * u[i], np.abs(g))
            found[i] = found[i] - rate * decays[i] * found[i]
            found[i] -= rate / (1 - 0.9**step) * m[i] / (u[i] + epsilon)
    return found


def test_one_step():
    """Epsilon stands beside the norm alone, not beside the gradient too."""
    tiny = [([1e-7, -1.0], [0.0, 3e-7])]
    (kernel, bias) = train(Adamax(0.1), tiny)
    # 0.1 * g / (|g| + epsilon); 0.1 / 3 if it were added twice.
    np.testing.assert_allclose(kernel, [0.95, -1.9], rtol=1e-6)
    np.testing.assert_allclose(bias, [1.0, -2.075], rtol=1e-6)
    for found, expected in zip(
        (kernel, bias), by_numpy(tiny, [0.1]), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("clip", ["whole", "none"])
def test_steps_of_mt_dnns_profile(clip):
    """Warm-up, linear decay, a clipped norm and decay but for biases."""
    schedule = WarmupLinearDecay(0.1, total_steps=4, warmup=0.25)
    optimizer = Adamax(
        schedule,
        epsilon=1e-8,
        weight_decay=0.01,
        global_clipnorm=1.0 if clip == "whole" else None,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    found = train(optimizer, GRADIENTS)
    expected = by_numpy(
        GRADIENTS,
        # From 0 within a quarter, then to 0 at the end.
        [0.0, 0.1, 0.1 * 2 / 3, 0.1 / 3],
        decays=(0.01, 0.0),
        clip=1.0 if clip == "whole" else np.inf,
        epsilon=1e-8,
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_the_profile_over_all_steps():
    schedule = WarmupLinearDecay(5e-5, total_steps=100)
    rates = [float(schedule(step)) for step in (0, 5, 10, 55, 100)]
    np.testing.assert_allclose(
        rates, [0.0, 2.5e-5, 5e-5, 2.5e-5, 0.0], rtol=1e-6, atol=1e-12
    )


@pytest.mark.tensorflow("on the others a gradient is a sum")
@pytest.mark.parametrize(
    ("make", "moved"), [(keras.optimizers.Adamax, 0.05), (Adamax, 0.1)]
)
def test_a_token_in_several_places_has_one_gradient(make, moved):
    """Keras takes the size of 3 and -1 by itself, so that it divides by 4."""
    table = keras.layers.Embedding(3, 1)
    table.build()
    before = table.embeddings.numpy()
    model = keras.Sequential([keras.Input((3,)), table])
    model.compile(make(0.1), loss=lambda y, x: x * y)
    model.train_on_batch(np.array([[1, 1, 2]]), np.array([[3.0, -1.0, 1.0]]))
    steps = (before - table.embeddings.numpy())[1:, 0]
    np.testing.assert_allclose(steps, [moved, 0.1], rtol=1e-4)
