"""Facts about how features are collected."""

import keras

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
