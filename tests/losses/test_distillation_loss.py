"""Facts about what all distillation losses have in common."""

import inspect
import json

import keras
import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill import losses
from keras_distill.losses.objective import Objective

# Every argument with a value that is not its default.
CONFIGS = [
    (
        losses.LogitsDistillation,
        {
            "temperature": 2.0,
            "loss": "cross_entropy",
            "multi_label": True,
            "outputs": ["start"],
            "normalization": "official",
        },
    ),
    (
        losses.HiddenStatesDistillation,
        {
            "layer_map": layer_map.last,
            "loss": "cosine",
            "include_embeddings": True,
            "projection": "per_layer",
            "normalization": "official",
        },
    ),
    (
        losses.HiddenStatesDistillation,
        {
            "layer_map": layer_map.top_aligned,
            "loss": "kl",
            "normalization": "first_token",
        },
    ),
    (losses.LogitsDistillation, {"loss": "half_sum_of_squares"}),
    (
        losses.EmbeddingsDistillation,
        {"loss": "cosine", "projection": None, "normalization": "official"},
    ),
    (
        losses.AttentionDistillation,
        {"layer_map": layer_map.first, "feature": "probabilities"},
    ),
    (losses.AttentionDistillation, {"normalization": "official"}),
    (losses.AttentionDistillation, {"loss": "kl"}),
    (
        losses.RelationDistillation,
        {
            "relations": ["keys"],
            "num_relation_heads": 3,
            "layer_map": layer_map.explicit([(1, 2)]),
        },
    ),
    (
        losses.FeatureDistillation,
        {
            "student_layer": "a",
            "teacher_layer": "b",
            "loss": "cosine",
            "projection": "shared",
        },
    ),
]


@pytest.mark.parametrize("loss_class, arguments", CONFIGS)
def test_every_argument_comes_back_from_json(loss_class, arguments):
    loss = loss_class(**arguments, name="mine")
    saved = json.dumps(keras.saving.serialize_keras_object(loss))
    loaded = keras.saving.deserialize_keras_object(json.loads(saved))
    assert type(loaded) is loss_class
    assert loaded.name == "mine"
    assert loaded.get_config() == loss.get_config()
    assert set(loss.get_config()) == set(
        inspect.signature(loss_class).parameters
    )
    for name, value in arguments.items():
        found = getattr(loaded, name)
        if isinstance(value, layer_map.explicit):
            assert found.pairs == value.pairs
        else:
            assert found == (tuple(value) if isinstance(value, list) else value)


def test_a_loss_must_say_what_it_compares():
    loss = losses.DistillationLoss("mine")
    with pytest.raises(NotImplementedError):
        loss.match(None, None)
    with pytest.raises(NotImplementedError):
        loss.per_example(None, None)


def test_terms_and_projections_of_tinybert(describe_bert):
    """The first step of TinyBERT with 4 layers: 4 + 5 terms, weight 1."""
    objective = Objective(
        [
            losses.HiddenStatesDistillation(include_embeddings=True),
            losses.AttentionDistillation(),
        ],
        None,
        describe_bert(12, hidden_dim=768, num_heads=12),
        describe_bert(4, hidden_dim=312, num_heads=12),
    )
    assert [len(matches) for matches in objective.matches] == [5, 4]
    assert objective.weights == [1.0, 1.0]
    (projection,) = objective.projections().values()
    layer = keras.layers.Dense(projection.teacher_width)
    layer.build((None, projection.student_width))
    assert layer.count_params() == 240_384


def test_the_total_is_the_sum_of_the_terms(describe_bert, random):
    shapes = {"embeddings": (2, 3, 4), "hidden_states.1": (2, 3, 4)}
    teacher = {k: random.normal(size=shape) for k, shape in shapes.items()}
    student = {k: random.normal(size=shape) for k, shape in shapes.items()}
    objective = Objective(
        losses.HiddenStatesDistillation(include_embeddings=True),
        None,
        describe_bert(1, hidden_dim=4),
        describe_bert(1, hidden_dim=4),
    )
    terms = objective.terms(teacher, student, {})
    expected = sum(np.mean((teacher[k] - student[k]) ** 2) for k in shapes)
    np.testing.assert_allclose(terms["hidden_states_loss"], expected, rtol=1e-6)
    np.testing.assert_allclose(objective.total(terms), expected, rtol=1e-6)
