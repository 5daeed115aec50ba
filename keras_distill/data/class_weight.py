"""How much each class counts in training."""

import math
import numbers

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from keras_distill.checks.arguments import did_you_mean

BALANCED = "balanced"


def weights_of_classes(class_weight, labels, num_classes, label_names=None):
    """The weight of each class, by its index.

    Args:
        class_weight: dict of a class, by its index or its name, to a weight
            of 0 or more: classes that it leaves out count 1. Or `"balanced"`:
            `n / (k * n_c)` for `n` labels of `k` classes that there are, of
            which `n_c` are of class `c`, as scikit-learn has it.
        labels: array of class indices, or array of such arrays.
        num_classes: int. How many classes the model has.
        label_names: sequence of str. The names by index. Defaults to `None`:
            they are not known.

    Returns:
        float32 array of shape `(num_classes,)`.

    Raises:
        ValueError: an unknown class or one named twice, a weight that is
            none, or labels that are no class indices.
    """
    if labels is None:
        raise ValueError(
            "`class_weight` weighs examples by their labels. Received: "
            "examples without labels."
        )
    is_ragged = labels.dtype.kind == "O"
    if labels.ndim > 1 or not (is_ragged or labels.dtype.kind in "iu"):
        what = "numbers"
        if labels.ndim > 1:
            what = "several labels for each example"
        raise ValueError(
            "`class_weight` is for labels that are one class each. Received: "
            f"examples with {what}; leave it out."
        )
    weights = np.ones(num_classes, "float32")
    if isinstance(class_weight, str) and class_weight == BALANCED:
        if is_ragged:
            labels = np.concatenate([np.zeros(0, "int32"), *labels])
        classes = np.unique(labels)
        if len(classes):
            weights[classes] = compute_class_weight(
                BALANCED, classes=classes, y=labels
            )
        return weights
    if not isinstance(class_weight, dict) or not class_weight:
        raise ValueError(
            '`class_weight` must be "balanced" or a dict of class to weight, '
            "such as {0: 1.0, 1: 5.0}. Received: "
            f"class_weight={class_weight!r}."
        )
    given = set()
    for key, weight in class_weight.items():
        index = _index(key, num_classes, label_names)
        if index in given:
            raise ValueError(
                "`class_weight` must have each class once. Received: "
                f"{class_weight}, in which {key!r} is class {index} again."
            )
        given.add(index)
        weights[index] = _checked(key, weight)
    return weights


def _index(key, num_classes, label_names):
    if isinstance(key, str):
        if label_names is None:
            raise ValueError(
                "`class_weight` must be by class index where the names of the "
                "classes are not known; `task.tokenize` gives examples that "
                f"know them. Received: {key!r}."
            )
        if key in label_names:
            return list(label_names).index(key)
        raise ValueError(
            "`class_weight` must be of classes that there are: "
            f"{', '.join(label_names)}. Received: {key!r}."
            + did_you_mean(key, label_names)
        )
    is_int = isinstance(key, numbers.Integral) and not isinstance(key, bool)
    if is_int and 0 <= key < num_classes:
        return int(key)
    raise ValueError(
        "`class_weight` must be of classes that there are, from 0 to "
        f"{num_classes - 1}. Received: {key!r}."
    )


def _checked(key, weight):
    is_number = isinstance(weight, numbers.Real)
    if is_number and math.isfinite(weight) and weight >= 0:
        return weight
    raise ValueError(
        "`class_weight` must be finite numbers of 0 or more. Received: "
        f"{weight!r} for {key!r}."
    )
