"""The second way through a transformer layer gives what the first gives."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill.features import FeatureExtractor
from keras_distill.features.transformer_encoder import (
    TransformerEncoderFeatures,
)


@pytest.fixture
def random():
    return np.random.default_rng(2)


def two_ways(model, inputs, **kwargs):
    """The output of a model's only layer, called whole and looked into."""
    whole = FeatureExtractor(model, "hidden_states.1")
    open_layer = FeatureExtractor(model, ["hidden_states.1", "values.1"])
    return (
        np.asarray(model(inputs, **kwargs)),
        np.asarray(whole(inputs, **kwargs)["hidden_states.1"]),
        np.asarray(open_layer(inputs, **kwargs)["hidden_states.1"]),
    )


@pytest.mark.parametrize("normalize_first", [True, False])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_outputs_are_equal(normalize_first, dropout, random):
    layer = keras_hub.layers.TransformerEncoder(
        16,
        2,
        dropout=dropout,
        activation="gelu",
        bias_initializer="normal",
        normalize_first=normalize_first,
    )
    inputs = keras.Input((5, 8))
    mask = keras.Input((5,), dtype="bool")
    model = keras.Model(
        [inputs, mask], layer(inputs, padding_mask=mask), name="model"
    )
    x = random.normal(size=(2, 5, 8)).astype("float32")
    padding_mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool)
    expected, whole, looked_into = two_ways(model, [x, padding_mask])
    np.testing.assert_allclose(whole, expected, atol=1e-6)
    np.testing.assert_allclose(looked_into, expected, atol=1e-5)


@pytest.mark.parametrize("with_padding_mask", [True, False])
def test_attention_masks(with_padding_mask, random):
    layer = keras_hub.layers.TransformerEncoder(16, 2)
    inputs = keras.Input((4, 8))
    attention_mask = keras.Input((4, 4), dtype="int32")
    padding_mask = keras.Input((4,), dtype="int32")
    outputs = layer(
        inputs,
        padding_mask=padding_mask if with_padding_mask else None,
        attention_mask=attention_mask,
    )
    model = keras.Model([inputs, attention_mask, padding_mask], outputs)
    x = [
        random.normal(size=(1, 4, 8)).astype("float32"),
        np.tril(np.ones((1, 4, 4), "int32")),
        np.array([[1, 1, 1, 0]]),
    ]
    expected, _, looked_into = two_ways(model, x)
    np.testing.assert_allclose(looked_into, expected, atol=1e-5)
    found = FeatureExtractor(model, "attention_probabilities")(x)
    probabilities = np.asarray(found["attention_probabilities.1"])[0, 0]
    assert np.all(np.triu(probabilities, 1) == 0)
    assert (probabilities[3, 3] == 0) == with_padding_mask


def test_masks_that_keras_carries_along():
    """An embedding with `mask_zero` masks without a padding mask."""
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(10, 8, mask_zero=True)(inputs)
    for _ in range(2):
        x = keras_hub.layers.TransformerEncoder(16, 2)(x)
    pooled = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, [x, pooled])
    ids = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]])
    expected, expected_pooled = model(ids)
    found = FeatureExtractor(
        model, ["hidden_states", "attention_probabilities", "output.1"]
    )(ids)
    real = ids > 0
    np.testing.assert_allclose(
        np.asarray(found["hidden_states.2"])[real],
        np.asarray(expected)[real],
        atol=1e-5,
    )
    # The mask travels on to the layers above.
    np.testing.assert_allclose(found["output.1"], expected_pooled, atol=1e-5)
    for layer in (1, 2):
        probabilities = found[f"attention_probabilities.{layer}"]
        assert np.all(np.asarray(probabilities)[0, :, :, 3:] == 0)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_its_shapes_are_those_that_keras_would_trace(dtype):
    """They are said, since a trace costs as much as ten models."""
    layer = keras_hub.layers.TransformerEncoder(16, 2, dtype=dtype)
    inputs = keras.Input((None, 8), dtype=layer.compute_dtype)
    layer(inputs)
    visible = TransformerEncoderFeatures(layer, "visible")
    traced = keras.layers.Layer.compute_output_spec(visible, inputs)
    said = visible.compute_output_spec(inputs)
    assert {kind: (spec.shape, spec.dtype) for kind, spec in said.items()} == {
        kind: (spec.shape, spec.dtype) for kind, spec in traced.items()
    }
