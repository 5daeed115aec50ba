"""Facts about KerasHub's BERT with other activations and epsilons."""

import keras
import keras_hub
import numpy as np
import pytest

# KerasHub exports BERT's activation under no public name.
from keras_hub.src.utils.keras_utils import gelu_approximate

from keras_distill import students
from keras_distill.export import to_preset
from keras_distill.features import FeatureExtractor
from keras_distill.models import BertBackbone
from keras_distill.models import BertTextClassifier
from keras_distill.models import FactorizedBertBackbone
from keras_distill.models import FactorizedBertTextClassifier
from keras_distill.models import TokenClassifier

SIZE = dict(
    vocabulary_size=27,
    num_layers=2,
    num_heads=2,
    hidden_dim=8,
    intermediate_dim=16,
    max_sequence_length=16,
)
TEXTS = ["a good film", "the plot is bad and the ending is dull"]


@pytest.fixture
def classifier(tokenizer, randomize):
    return randomize(
        BertTextClassifier(
            BertBackbone(activation="relu", layer_norm_epsilon=0.5, **SIZE),
            num_classes=3,
            preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
                tokenizer, sequence_length=16
            ),
        )
    )


def by_layer(backbone, batch, activation, epsilon):
    """The hidden states, by layers that were built with the two settings."""
    words, positions, segments, gamma, beta = [
        np.array(weight) for weight in backbone.weights[:5]
    ]
    x = words[batch["token_ids"]] + positions[:6]
    x = x + segments[batch["segment_ids"]]
    x = x - x.mean(axis=-1, keepdims=True)
    x = gamma * x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + epsilon)
    states = [x + beta]
    for layer in backbone.transformer_layers:
        twin = keras_hub.layers.TransformerEncoder(
            intermediate_dim=16,
            num_heads=2,
            activation=activation,
            layer_norm_epsilon=epsilon,
        )
        twin.build((None, None, 8))
        twin.set_weights(layer.get_weights())
        states.append(twin(states[-1], padding_mask=batch["padding_mask"]))
    return states


@pytest.mark.parametrize(
    "settings, activation, epsilon",
    [
        ({}, "gelu", 1e-12),
        ({"activation": "relu"}, "relu", 1e-12),
        (
            {"activation": gelu_approximate, "layer_norm_epsilon": 0.1},
            gelu_approximate,
            0.1,
        ),
    ],
)
@pytest.mark.parametrize("seen", ["whole", "attention"])
def test_layers_compute_with_both(
    seen, settings, activation, epsilon, token_batch, randomize
):
    """Called whole, and by the way through a layer that shows attention."""
    backbone = randomize(BertBackbone(**SIZE, **settings))
    kinds = ["hidden_states"]
    if seen == "attention":
        kinds.append("attention_scores")
    found = FeatureExtractor(backbone, kinds)(token_batch)
    expected = by_layer(backbone, token_batch, activation, epsilon)
    for name, value in zip(
        ("embeddings", "hidden_states.1", "hidden_states.2"),
        expected,
        strict=True,
    ):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(found[name]),
            keras.ops.convert_to_numpy(value),
            atol=1e-5,
            err_msg=name,
        )


def test_kerashubs_own_settings_give_kerashubs_bert(
    token_batch, randomize, run
):
    mine = BertBackbone(activation=gelu_approximate, **SIZE)
    theirs = keras_hub.models.BertBackbone(**SIZE)
    randomize(mine), randomize(theirs)
    found, expected = run(mine, token_batch), run(theirs, token_batch)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-6)


@pytest.mark.parametrize("activation", ["gelu", "relu", gelu_approximate])
def test_config_round_trip(activation):
    backbone = BertBackbone(
        activation=activation, layer_norm_epsilon=1e-5, **SIZE
    )
    twin = BertBackbone.from_config(backbone.get_config())
    assert twin.get_config() == backbone.get_config()
    layer = twin.transformer_layers[1].get_config()
    assert layer["activation"] == keras.activations.serialize(
        keras.activations.get(activation)
    )
    assert layer["layer_norm_epsilon"] == 1e-5


@pytest.mark.parametrize(
    "cls", [keras_hub.models.TextClassifier, BertTextClassifier]
)
def test_preset_round_trip(cls, classifier, answers, tmp_path):
    expected = answers(classifier, TEXTS)
    to_preset(classifier, tmp_path / "preset")
    loaded = cls.from_preset(str(tmp_path / "preset"))
    assert type(loaded) is BertTextClassifier
    assert type(loaded.backbone) is BertBackbone
    assert loaded.backbone.get_config() == classifier.backbone.get_config()
    np.testing.assert_array_equal(answers(loaded, TEXTS), expected)


def test_students_are_of_the_same_kind(classifier):
    student = students.create_student(classifier, num_layers=1, hidden_dim=4)
    assert type(student) is BertTextClassifier
    assert type(student.backbone) is BertBackbone
    factorized = students.create_student(classifier, embedding_dim=4)
    assert type(factorized) is FactorizedBertTextClassifier
    assert type(factorized.backbone) is FactorizedBertBackbone
    for model in (student, factorized):
        layer = model.backbone.transformer_layers[0]
        assert layer.activation is keras.activations.relu
        assert layer._feedforward_layer_norm.epsilon == 0.5
        assert model.backbone.embeddings_layer_norm.epsilon == 0.5


def test_a_factorized_bert_computes_with_both(token_batch, randomize, run):
    """It is a BERT whose table is the product, with the same settings."""
    settings = {"activation": "relu", "layer_norm_epsilon": 0.1}
    factorized = randomize(
        FactorizedBertBackbone(embedding_dim=4, **SIZE, **settings)
    )
    bert = BertBackbone(**SIZE, **settings)
    table, kernel, bias, *rest = factorized.get_weights()
    bert.set_weights([table @ kernel + bias, *rest])
    found, expected = run(factorized, token_batch), run(bert, token_batch)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5)
    twin = FactorizedBertBackbone.from_config(factorized.get_config())
    assert twin.get_config() == factorized.get_config()


@pytest.mark.parametrize("factorized", [False, True])
def test_kerashub_finds_each_part_of_a_preset(classifier, factorized, tmp_path):
    """Tokenizer and preprocessor by themselves, and under another task."""
    if factorized:
        classifier = students.create_student(classifier, embedding_dim=4)
    folder = str(to_preset(classifier, tmp_path / "preset"))
    tokenizer = keras_hub.tokenizers.Tokenizer.from_preset(folder)
    words = classifier.preprocessor.tokenizer.get_vocabulary()
    assert tokenizer.get_vocabulary() == words
    preprocessors = keras_hub.models.TextClassifierPreprocessor
    preprocessor = preprocessors.from_preset(folder)
    assert preprocessor(TEXTS)["token_ids"].shape[0] == 2
    tagger = TokenClassifier.from_preset(folder, num_classes=5)
    assert type(tagger.backbone) is type(classifier.backbone)
