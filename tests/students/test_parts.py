"""The parts of a student cover its weights, top first."""

import keras
import keras_hub
import pytest

from keras_distill import students
from keras_distill.students import parts


def paths(weights):
    return {weight.path for weight in weights}


def test_a_classifier_has_a_head_layers_and_embeddings(make_classifier):
    student = make_classifier(num_layers=3)
    found = students.parts_of(student)
    assert list(found) == [
        "head",
        "layer.3",
        "layer.2",
        "layer.1",
        "embeddings",
    ]
    backbone = student.backbone
    assert paths(found["head"]) == paths(
        [*backbone.pooled_dense.weights, *student.output_dense.weights]
    )
    for number, layer in enumerate(backbone.transformer_layers, start=1):
        assert paths(found[f"layer.{number}"]) == paths(layer.weights)
    # All of them, each once.
    weights = [weight for part in found.values() for weight in part]
    assert sorted(map(id, weights)) == sorted(map(id, student.weights))


def test_a_shared_table_belongs_to_the_embeddings():
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=20,
        num_layers=1,
        num_heads=1,
        hidden_dim=4,
        intermediate_dim=4,
        max_sequence_length=8,
    )
    student = keras_hub.models.BertMaskedLM(backbone, preprocessor=None)
    found = students.parts_of(student)
    table = backbone.token_embedding.embeddings
    assert any(weight is table for weight in found["embeddings"])
    assert not any(weight is table for weight in found["head"])


def test_without_transformer_layers_there_are_none():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert students.parts_of(model) == {}
    with pytest.raises(ValueError, match="Received: 'head'"):
        parts.select({}, "head")
    assert parts.select({}, model.layers[0]) == model.layers[0].weights


def test_select_takes_names_and_layers_each_weight_once(make_classifier):
    student = make_classifier(num_layers=2)
    found = students.parts_of(student)
    encoder = parts.select(found, "encoder")
    below = [*found["layer.2"], *found["layer.1"], *found["embeddings"]]
    assert paths(encoder) == paths(below)
    layer = student.backbone.transformer_layers[0]
    twice = parts.select(found, ["layer.1", layer, "layer.1"])
    assert [w.path for w in twice] == [w.path for w in found["layer.1"]]


@pytest.mark.parametrize("wrong", ["layer.0", "layer.3", "pooler", 7])
def test_what_is_not_there_is_named(make_classifier, wrong):
    found = students.parts_of(make_classifier(num_layers=2))
    with pytest.raises(ValueError, match="head, layer.2, layer.1, embeddings"):
        parts.select(found, [wrong])
