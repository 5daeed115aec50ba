"""The largest logits, and what is left of the others."""

import keras
import numpy as np
import pytest
from scipy import special

from keras_distill.teachers import TARGET_PREFIX
from keras_distill.teachers.cache.stored_feature import keep_top_k
from keras_distill.teachers.cache.stored_feature import restore_top_k


def restore(values, classes, rest, num_classes):
    return keras.ops.convert_to_numpy(
        restore_top_k(
            *map(keras.ops.convert_to_tensor, (values, classes, rest)),
            num_classes,
        )
    )


@pytest.mark.parametrize("shape", [(5, 11), (2, 3, 11)])
@pytest.mark.parametrize("k", [1, 4, 10])
def test_equals_numpy(shape, k):
    logits = np.random.default_rng(0).normal(0, 3, shape).astype("float32")
    restored = restore(*keep_top_k(logits, k), 11)
    assert restored.shape == shape
    for row, found in zip(
        logits.reshape(-1, 11), restored.reshape(-1, 11), strict=True
    ):
        order = np.argsort(-row)
        np.testing.assert_array_equal(found[order[:k]], row[order[:k]])
        expected = np.log(np.mean(np.exp(row[order[k:]].astype("float64"))))
        np.testing.assert_allclose(found[order[k:]], expected, rtol=1e-5)


def test_probabilities_of_what_is_kept_are_exact():
    logits = np.random.default_rng(1).normal(0, 3, (6, 50)).astype("float32")
    values, classes, rest = keep_top_k(logits, 5)
    restored = restore(values, classes, rest, 50)
    expected = special.softmax(logits, axis=-1)
    found = special.softmax(restored, axis=-1)
    np.testing.assert_allclose(
        np.take_along_axis(found, classes, axis=-1),
        np.take_along_axis(expected, classes, axis=-1),
        rtol=1e-5,
    )
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-6)


def test_large_logits_do_not_overflow():
    logits = np.array([[3000.0, 1000.0, 999.0, -2000.0]], "float32")
    restored = restore(*keep_top_k(logits, 1), 4)
    expected = 1000.0 + np.log((1 + np.exp(-1.0)) / 3)
    np.testing.assert_allclose(restored[0, 1:], expected, rtol=1e-6)


def test_a_cache_keeps_the_largest(write, make_teacher, examples, tmp_path):
    teacher = make_teacher(num_classes=9)
    full = write(path=tmp_path / "full", teacher=teacher)
    logits = full.read(examples.ids)["logits"]
    cache = write(path=tmp_path / "top", teacher=teacher, top_k=3)
    expected = restore(*keep_top_k(logits, 3), 9)
    np.testing.assert_allclose(
        cache.read(examples.ids)["logits"], expected, atol=1e-6
    )
    assert cache.description.shapes == {"logits": (None, 9)}
    x, _ = next(cache.attach(examples).iterate(4))
    arrays = {name for name in x if name.startswith(TARGET_PREFIX)}
    assert arrays == {
        "teacher/logits/values",
        "teacher/logits/indices",
        "teacher/logits/rest",
    }
    assert x["teacher/logits/values"].shape == (4, 3)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(cache.features_of(x)["logits"]),
        expected[:4],
        atol=1e-6,
    )


def test_restored_in_a_compiled_step(write, make_teacher, examples):
    """The number of rows and tokens is not known there."""
    teacher = make_teacher(num_classes=9)
    cache = write(teacher=teacher, top_k=3)

    class Restorer(keras.Model):
        def call(self, x):
            return cache.features_of(x)["logits"]

    batches = cache.attach(examples).batches(4)
    x = [batch[0] for batch in cache.attach(examples).iterate(4)]
    found = Restorer().predict(batches, verbose=0)
    assert len(x) == 6
    np.testing.assert_allclose(
        found, cache.read(examples.ids)["logits"], atol=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top_k": 2}, "less than the 2 classes of 'logits'"),
        ({"top_k": 1, "features": "layer.pooled"}, "without an output"),
        ({"top_k": 0}, "`top_k` must be an int of 1 or more"),
    ],
)
def test_refused(write, arguments, message):
    with pytest.raises(ValueError, match=message):
        write(**arguments)
