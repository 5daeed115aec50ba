"""The mean of probabilities, against numbers of the reference."""

import numpy as np
import pytest
from keras import ops

from keras_distill.teachers.ensembles import mean_logits

# Three members' logits, and the mean of their softmax.
LOGITS = [[2.0, 1.0, 0.0], [1.5, 1.2, -0.3], [2.5, -0.5, 0.1]]
MEAN = [0.68889075, 0.22567835, 0.08543090]


def softmax(logits):
    exponentials = np.exp(np.asarray(logits, "float64"))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("xp", [np, ops])
def test_probabilities_are_averaged_and_not_logits(xp):
    dtype = "float64" if xp is np else "float32"
    rows = [np.array([z, z[::-1]], dtype) for z in LOGITS]

    found = mean_logits(rows, "softmax", xp)
    found = softmax(ops.convert_to_numpy(found))

    np.testing.assert_allclose(found[0], MEAN, atol=1e-7)
    np.testing.assert_allclose(found[1], MEAN[::-1], atol=1e-7)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-7)
    assert np.abs(found[0] - softmax(np.mean(LOGITS, axis=0))).max() > 0.03


def test_equal_members_answer_as_one_of_them():
    z = np.array([[2.0, -1.0, 30.0], [-80.0, 90.0, 5.0]])
    np.testing.assert_allclose(mean_logits([z] * 3, "softmax", np), z)
    np.testing.assert_allclose(mean_logits([z] * 3, "sigmoid", np), z)
    for activation in ("softmax", "sigmoid", None):
        assert mean_logits([z], activation, np) is z


@pytest.mark.parametrize("xp", [np, ops])
def test_sigmoids_and_scores_are_averaged(xp):
    z = np.array(LOGITS, "float32")
    found = mean_logits(list(z), "sigmoid", xp)
    found = 1 / (1 + np.exp(-np.asarray(ops.convert_to_numpy(found), "f8")))
    expected = (1 / (1 + np.exp(-z.astype("float64")))).mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    scores = ops.convert_to_numpy(mean_logits(list(z), None, xp))
    np.testing.assert_allclose(scores, z.mean(axis=0), rtol=1e-6)


def test_far_logits_stay_finite():
    z = [np.array([[1000.0, -1000.0]]), np.array([[-1000.0, 1000.0]])]
    found = mean_logits(z, "softmax", np)
    np.testing.assert_allclose(softmax(found - found.max()), [[0.5, 0.5]])
    np.testing.assert_allclose(mean_logits(z, "sigmoid", np), 0, atol=1e-9)
