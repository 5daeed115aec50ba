"""Losses of features that come in half precision."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_distill import losses
from keras_distill.testing import gradient

# The largest relative rounding of an input.
EPSILON = {"float16": 2.0**-11, "bfloat16": 2.0**-8}

CASES = {
    "logits": (losses.LogitsDistillation(temperature=2.0), (3, 5)),
    "binary": (losses.LogitsDistillation(multi_label=True), (3, 5)),
    "mse": (losses.LogitsDistillation(loss="mse"), (3, 5)),
    "hidden states": (losses.HiddenStatesDistillation(), (3, 4, 8)),
    "cosine": (losses.HiddenStatesDistillation(loss="cosine"), (3, 4, 8)),
    "embeddings": (losses.EmbeddingsDistillation(), (3, 4, 8)),
    "scores": (losses.AttentionDistillation(), (3, 2, 4, 4)),
    "attention kl": (losses.AttentionDistillation(loss="kl"), (3, 2, 4, 4)),
    "relations": (losses.RelationDistillation(), (3, 4, 2, 4)),
}


@pytest.mark.parametrize("dtype", EPSILON)
@pytest.mark.parametrize("loss, shape", CASES.values(), ids=CASES)
def test_half_precision_gives_the_values_of_float32(
    loss, shape, dtype, random, mask
):
    mask = mask.astype("float32")
    teacher, student = random.normal(size=(2, *shape)).astype("float32")
    low = [ops.cast(x, dtype) for x in (teacher, student)]
    found = loss.per_example(*low, mask)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    expected = ops.convert_to_numpy(loss.per_example(teacher, student, mask))
    # Rounded inputs move a value by a few roundings, and no more.
    np.testing.assert_allclose(
        ops.convert_to_numpy(found),
        expected,
        rtol=16 * EPSILON[dtype],
        atol=16 * EPSILON[dtype],
    )
    slope = gradient(
        lambda x: loss.per_example(low[0], ops.cast(x, dtype), mask), student
    )
    exact = gradient(lambda x: loss.per_example(teacher, x, mask), student)
    np.testing.assert_allclose(
        slope, exact, rtol=0, atol=16 * EPSILON[dtype] * np.abs(exact).max()
    )
