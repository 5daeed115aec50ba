"""Facts about how features are collected."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill.features import FeatureExtractor
from keras_distill.features import FeatureRecorder
from keras_distill.features import names


def test_what_enters_the_first_layer_are_the_embeddings():
    recorder = FeatureRecorder()
    first, second = keras.Input((3, 4)), keras.Input((3, 4))
    mask = keras.Input((3,))
    assert recorder.next_layer(first, mask) == 1
    assert recorder.next_layer(second, mask) == 2
    assert recorder.features["embeddings"] is first
    assert recorder.features["padding_mask"] is mask


def test_layers_that_follow_each_other_have_an_order():
    recorder = FeatureRecorder()
    x = keras.Input((3, 4))
    for _ in range(3):
        number = recorder.next_layer(x)
        x = keras.layers.Dense(4)(x)
        recorder.record("hidden_states", x, number)
        x = keras.ops.relu(x)
    assert not recorder.is_ambiguous("hidden_states.2")
    recorder.next_layer(keras.Input((3, 4)))
    assert recorder.is_ambiguous("hidden_states.2")
    assert recorder.is_ambiguous("embeddings")
    assert not recorder.is_ambiguous("logits")


def test_only_what_is_wanted():
    recorder = FeatureRecorder(["attention_scores.2", "hidden_states.1"])
    assert recorder.wants("hidden_states", 1)
    assert not recorder.wants("hidden_states", 2)
    assert not recorder.wants_attention(1)
    assert recorder.wants_attention(2)
    assert FeatureRecorder().wants_attention(7)


def test_names_of_layers():
    assert names.layer_feature("hidden_states", 3) == "hidden_states.3"
    assert names.layer_feature("hidden_states", 0) == "embeddings"
    assert names.layer_feature("queries", 0) == "queries.0"


def test_names_of_outputs():
    assert names.named_outputs("tensor") == {"logits": "tensor"}
    assert names.named_outputs({"a": 1, "b": 2}) == {
        "output.a": 1,
        "output.b": 2,
    }
    assert names.named_outputs([1, 2]) == {"output.0": 1, "output.1": 2}


def test_a_stack_of_two_backbones_is_one_stack():
    """Layers count through, even where their names are the same."""
    layers = [
        keras_hub.layers.TransformerEncoder(16, 2, name="encoder")
        for _ in range(2)
    ]
    halves = []
    for layer in layers:
        inputs = keras.Input((None, 8))
        halves.append(keras.Model(inputs, layer(inputs)))
    inputs = keras.Input((None, 8))
    model = keras.Model(inputs, halves[1](2 * halves[0](inputs)))
    x = np.random.default_rng(0).normal(size=(2, 3, 8)).astype("float32")
    found = FeatureExtractor(model, ["hidden_states", "attention_scores.2"])(x)
    np.testing.assert_allclose(
        found["hidden_states.1"], halves[0](x), atol=1e-5
    )
    np.testing.assert_allclose(found["hidden_states.2"], model(x), atol=1e-5)


def two_towers(first, second, batch):
    """A model of two encoders side by side, and inputs for it."""
    values = {
        f"{tower}_{name}": batch[name] for tower in "ab" for name in batch
    }
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name) for name in values
    }
    pooled = [
        backbone({name: inputs[f"{tower}_{name}"] for name in batch})[
            "pooled_output"
        ]
        for tower, backbone in (("a", first), ("b", second))
    ]
    model = keras.Model(inputs, keras.layers.Dot(axes=1)(pooled), name="towers")
    values["b_token_ids"] = values["b_token_ids"][::-1]
    return model, values


@pytest.mark.parametrize("shared", [True, False])
def test_layers_side_by_side_have_no_order(shared, make_backbone, batch):
    first = make_backbone(num_layers=1, name="first")
    second = first if shared else make_backbone(num_layers=1, name="second")
    model, inputs = two_towers(first, second, batch)
    # Predictions can be distilled all the same.
    found = FeatureExtractor(model, ["logits", "padding_mask"])(inputs)
    np.testing.assert_allclose(found["logits"], model(inputs), atol=1e-5)
    for feature in ("embeddings", "hidden_states.1", "attention_scores.2"):
        with pytest.raises(ValueError, match="'towers' has more than once"):
            FeatureExtractor(model, feature)
    path = "layer.second/transformer_layer_0"
    if not shared:
        found = FeatureExtractor(model, path)(inputs)
        assert found[path].shape == (3, 6, 8)
