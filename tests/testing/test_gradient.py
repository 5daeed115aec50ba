"""Facts about gradients."""

import numpy as np
from keras import ops

from keras_distill.testing import gradient


def test_gradient_of_known_functions():
    values = np.array([[1.0, -2.0], [0.5, 3.0]])
    np.testing.assert_allclose(gradient(ops.square, values), 2 * values)
    np.testing.assert_allclose(gradient(ops.exp, values), np.exp(values), 1e-6)
    product = gradient(lambda x: x[:, 0] * x[:, 1], values)
    np.testing.assert_allclose(product, values[:, ::-1])


def test_gradient_of_what_does_not_depend_on_the_values():
    constant = gradient(lambda x: ops.ones((3,)), np.ones((2, 2)))
    assert constant.tolist() == [[0.0, 0.0], [0.0, 0.0]]
