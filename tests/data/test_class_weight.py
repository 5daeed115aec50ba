"""How much each class counts, by index or by name."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from keras_distill.data.class_weight import weights_of_classes

LABELS = np.array([0, 0, 0, 2], "int32")
NAMES = ("ham", "spam", "news")


@pytest.mark.parametrize("given", [{2: 5, 0: 0.5}, {"news": 5, "ham": 0.5}])
def test_classes_left_out_count_one(given):
    weights = weights_of_classes(given, LABELS, 3, NAMES)
    assert weights.dtype == np.float32
    assert weights.tolist() == [0.5, 1.0, 5.0]


def test_balanced_is_that_of_scikit_learn():
    weights = weights_of_classes("balanced", LABELS, 3)
    expected = compute_sample_weight("balanced", LABELS)
    np.testing.assert_allclose(weights[LABELS], expected, rtol=1e-6)
    # Three of four labels and one of four, of two classes that there are.
    np.testing.assert_allclose(weights, [4 / 6, 1.0, 2.0], rtol=1e-6)
    ragged = np.empty(2, "object")
    ragged[:] = [LABELS[:3], LABELS[3:]]
    np.testing.assert_array_equal(
        weights_of_classes("balanced", ragged, 3), weights
    )


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({3: 1.0}, "that there are, from 0 to 2. Received: 3"),
        ({-1: 1.0}, "Received: -1"),
        ({True: 1.0}, "Received: True"),
        ({"Spam": 1.0}, "are: ham, spam, news. Received: 'Spam'.*spam"),
        ({1: -1.0}, "of 0 or more. Received: -1.0 for 1"),
        ({1: np.nan}, "of 0 or more. Received: nan"),
        ({1: "2"}, "of 0 or more. Received: '2'"),
        ({1: 2.0, "spam": 3.0}, "'spam' is class 1 again"),
        ({}, 'must be "balanced" or a dict'),
        ([1.0, 2.0, 3.0], 'must be "balanced" or a dict'),
        ("balance", 'must be "balanced" or a dict'),
    ],
)
def test_what_is_no_class_or_weight_is_named(class_weight, message):
    with pytest.raises(ValueError, match=message):
        weights_of_classes(class_weight, LABELS, 3, NAMES)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "out labels"),
        (np.ones(4, "float32"), "numbers"),
        (np.ones((4, 3), "float32"), "several labels"),
    ],
)
def test_labels_must_be_one_class_each(labels, message):
    with pytest.raises(ValueError, match=f"Received: examples with.*{message}"):
        weights_of_classes({0: 1.0}, labels, 3)


def test_names_must_be_known():
    with pytest.raises(ValueError, match="`task.tokenize` gives examples"):
        weights_of_classes({"ham": 1.0}, LABELS, 3)
