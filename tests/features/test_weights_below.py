"""A feature depends on what its model computes it from, and no more."""

import keras
import keras_hub

from keras_distill import features


def make_dense():
    x = keras.Input((4,))
    h = keras.layers.Dense(3, name="hidden")(x)
    side = keras.layers.Dense(3, name="side")(x)
    return keras.Model(x, keras.layers.Dense(2, name="head")(h + side))


def names(weights):
    return {weight.path.split("/")[-2] for weight in weights}


def test_only_what_lies_below_counts():
    model = make_dense()
    found = features.weights_below(model, ["layer.hidden", "logits"])
    assert names(found["layer.hidden"]) == {"hidden"}
    assert names(found["logits"]) == {"hidden", "side", "head"}
    # In the order of the model.
    assert [w.path for w in found["logits"]] == [w.path for w in model.weights]


def test_attention_depends_on_its_own_layer_and_those_below():
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=9,
        num_layers=3,
        num_heads=1,
        hidden_dim=4,
        intermediate_dim=4,
        max_sequence_length=8,
    )
    found = features.weights_below(
        backbone, ["attention_scores.2", "hidden_states.1"]
    )
    below = {weight.path for weight in found["attention_scores.2"]}
    assert any("transformer_layer_1" in path for path in below)
    assert not any("transformer_layer_2" in path for path in below)
    assert not any("pooled" in path for path in below)
    first = {weight.path for weight in found["hidden_states.1"]}
    assert first < below
