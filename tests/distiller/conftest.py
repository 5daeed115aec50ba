"""Tiny models and batches that the tests of the distiller share."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses


@keras.saving.register_keras_serializable("tests")
class CallCounter(keras.layers.Layer):
    """Passes its inputs on and counts how often it did, in eager mode."""

    calls = 0

    def call(self, inputs):
        self.calls += 1
        return inputs


@pytest.fixture
def counter():
    """A layer that counts its calls."""
    return CallCounter


@pytest.fixture(scope="session")
def cross_entropy():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.fixture(scope="session")
def make_dense():
    """Builds `x (4) -> hidden (width, tanh) -> extra -> head (classes)`.

    `extra` are layers between the two dense ones.
    """

    def make(width=8, num_classes=3, extra=(), hidden=None):
        x = keras.Input((4,), name="x")
        h = keras.layers.Dense(width, "tanh", name="hidden", **(hidden or {}))(
            x
        )
        for layer in extra:
            h = layer(h)
        return keras.Model(x, keras.layers.Dense(num_classes, name="head")(h))

    return make


@pytest.fixture
def batch():
    """Six rows for `make_dense`, and their classes."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(6, 4)).astype("float32")
    return x, np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture
def token_batch():
    """Four rows for `make_classifier`, of different lengths, and labels."""
    generator = np.random.default_rng(4)
    lengths = np.array([6, 3, 5, 2])
    mask = (np.arange(6) < lengths[:, None]).astype("int32")
    x = {
        "token_ids": generator.integers(5, 24, (4, 6)).astype("int32") * mask,
        "segment_ids": np.zeros((4, 6), "int32"),
        "padding_mask": mask,
    }
    return x, np.array([0, 1, 1, 0])


@pytest.fixture(scope="session")
def make_distiller(make_dense, cross_entropy):
    """A compiled distiller of two dense models, run eagerly.

    By default the width differs, the hidden layers and the logits are
    matched, and the optimizer is plain gradient descent.
    """

    def make(
        teacher=None,
        student=None,
        distillation_losses=None,
        compiled=None,
        **words,
    ):
        distiller = Distiller(
            teacher or make_dense(16),
            student or make_dense(8),
            distillation_losses
            or [
                losses.FeatureDistillation("hidden", "hidden"),
                losses.LogitsDistillation(temperature=2.0),
            ],
            **words,
        )
        settings = {"optimizer": "sgd", "loss": cross_entropy}
        settings["run_eagerly"] = True
        settings.update(compiled or {})
        distiller.compile(**settings)
        return distiller

    return make


@pytest.fixture
def assert_same():
    """Compares two lists of arrays, bit by bit."""

    def check(actual, expected):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(one, other)

    return check
