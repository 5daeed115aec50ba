"""Facts about what is known of a model before it runs."""

import keras
import numpy as np
import pytest

from keras_distill.features import describe


def test_a_classifier(make_classifier):
    description = describe(
        make_classifier(num_layers=2, hidden_dim=16, num_heads=4, num_classes=3)
    )
    assert description.num_layers == 2
    assert not description.is_opaque
    assert description.output_activations == {"logits": None}
    for feature, shape in {
        "embeddings": (None, None, 16),
        "hidden_states.1": (None, None, 16),
        "hidden_states.2": (None, None, 16),
        "attention_scores.2": (None, 4, None, None),
        "attention_probabilities.2": (None, 4, None, None),
        "queries.1": (None, None, 4, 4),
        "keys.1": (None, None, 4, 4),
        "values.1": (None, None, 4, 4),
        "pooled": (None, 16),
        "logits": (None, 3),
        "padding_mask": (None, None),
    }.items():
        assert description.shape(feature) == shape


@pytest.mark.parametrize(
    "family", ["Bert", "Roberta", "DistilBert", "Albert", "Electra"]
)
def test_the_layers_of_each_family(family, make_backbone):
    assert describe(make_backbone(family)).num_layers == 2


def test_a_feature_that_is_missing(make_backbone):
    description = describe(make_backbone())
    with pytest.raises(ValueError, match="'logits'.*hidden_states.1 to .2"):
        description.shape("logits")


def test_a_model_that_cannot_be_looked_into():
    class Opaque(keras.Model):
        def call(self, inputs):
            return inputs

    model = Opaque(name="opaque")
    model(np.ones((1, 2)))
    description = describe(model)
    assert description.is_opaque
    assert description.num_layers == 0
    with pytest.raises(ValueError, match="only its outputs.*register_adapter"):
        description.shape("hidden_states.1")
