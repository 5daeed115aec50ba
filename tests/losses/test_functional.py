"""Facts about the formulas that the losses share."""

import numpy as np
import pytest

from keras_distill.losses import functional
from keras_distill.testing import gradient


def test_kl_of_two_coins():
    # KL((1/2, 1/2) || (1/4, 3/4)) in nats.
    found = functional.soft_targets_kl([0.0, 0.0], [0.0, np.log(3.0)])
    expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_squared_temperature_keeps_the_size_of_the_gradient(random):
    # Hinton et al.: for logits that are small against the temperature.
    teacher, student = random.normal(size=(2, 1, 5)) * 0.01

    def size(temperature):
        return np.abs(
            gradient(
                lambda x: functional.soft_targets_kl(teacher, x, temperature),
                student,
            )
        ).max()

    np.testing.assert_allclose(size(100.0), size(1.0), rtol=0.05)


def test_cosine_distance_of_known_angles():
    teacher = np.array([[1.0, 0.0]] * 4)
    student = np.array([[3.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(
        functional.cosine_distance(teacher, student),
        [0.0, 1.0, 2.0, 1 - np.sqrt(0.5)],
        atol=1e-6,
    )


def test_token_mean_weighs_tokens():
    found = functional.token_mean([[1.0, 4.0, 7.0]], [[1.0, 0.5, 0.0]])
    np.testing.assert_allclose(found, [(1 + 0.5 * 4) / 1.5], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_masks_of_any_type(dtype):
    mask = np.array([[1, 1, 0]], dtype)
    found = functional.token_mean([[1.0, 3.0, 100.0]], mask)
    np.testing.assert_allclose(found, [2.0])


@pytest.mark.parametrize("garbage", [np.inf, -np.inf, np.nan])
def test_padding_may_hold_anything(garbage):
    found = functional.token_mean([[1.0, 3.0, garbage]], [[1, 1, 0]])
    np.testing.assert_allclose(found, [2.0])


def test_an_example_of_padding_counts_zero(random):
    mask = np.zeros((1, 3))
    scores = random.normal(size=(2, 1, 2, 3, 3))
    vectors = random.normal(size=(2, 1, 3, 2, 4))
    for found in (
        functional.token_mean(random.normal(size=(1, 3)), mask),
        functional.attention_scores_mse(*scores, mask),
        functional.attention_scores_mse(*scores, mask, "valid_keys"),
        functional.attention_scores_mse(*scores, mask, "official"),
        functional.attention_kl(*scores, mask),
        functional.attention_kl(*scores, mask, "valid_keys"),
        functional.attention_cross_entropy(*scores, mask),
        functional.attention_cross_entropy(*scores, mask, "valid_keys"),
        functional.relation_kl(*vectors, 2, mask),
    ):
        assert np.asarray(found).tolist() == [0.0]


def test_attention_distributions_are_over_real_keys():
    # With the second key left out, both queries attend to the first one.
    teacher = np.array([[[[1.0, 9.0], [1.0, 5.0]]]])
    student = np.array([[[[1.0, -9.0], [1.0, 2.0]]]])
    found = functional.attention_kl(teacher, student, [[1, 0]])
    np.testing.assert_allclose(found, [0.0], atol=1e-6)
