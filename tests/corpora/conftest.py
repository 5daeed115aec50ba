"""The random state of tests that build hardly a model."""

import keras
import pytest


@pytest.fixture(autouse=True)
def seed():
    """The common random state, without clearing Keras's session after.

    Hardly a test here builds a model, and clearing takes longer than most.
    """
    keras.utils.set_random_seed(7)
