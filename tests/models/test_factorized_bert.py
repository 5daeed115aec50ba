"""Facts about BERT with a factorized table of words."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses
from keras_distill.export import to_preset
from keras_distill.features import describe
from keras_distill.models import FactorizedBertBackbone
from keras_distill.models import FactorizedBertTextClassifier

SIZE = dict(
    vocabulary_size=27,
    num_layers=1,
    num_heads=2,
    hidden_dim=8,
    intermediate_dim=16,
    dropout=0.0,
    max_sequence_length=16,
)
TEXTS = ["a good film", "the plot is bad and the ending is dull"]


@pytest.fixture
def backbone():
    return FactorizedBertBackbone(embedding_dim=4, **SIZE)


@pytest.fixture
def classifier(backbone, tokenizer):
    return FactorizedBertTextClassifier(
        backbone,
        num_classes=3,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
    )


def test_it_is_a_bert_whose_table_is_the_product(backbone, token_batch, run):
    generator = np.random.default_rng(0)
    for weight in backbone.weights:
        weight.assign(generator.normal(0.0, 0.5, weight.shape))
    bert = keras_hub.models.BertBackbone(**SIZE)
    table, kernel, bias, *rest = backbone.get_weights()
    bert.set_weights([table @ kernel + bias, *rest])
    found, expected = run(backbone, token_batch), run(bert, token_batch)
    for name in ("sequence_output", "pooled_output"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


def test_the_table_is_as_much_smaller_as_it_is_narrower(backbone):
    bert = keras_hub.models.BertBackbone(**SIZE)
    saved = 27 * 8 - (27 * 4 + 4 * 8 + 8)
    assert bert.count_params() - backbone.count_params() == saved


def test_features_are_those_of_a_bert(classifier):
    bert = keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(**SIZE), num_classes=3
    )
    found, expected = describe(classifier), describe(bert)
    own = "layer.factorized_bert_backbone/"
    theirs = {
        name: shape
        for name, shape in expected.shapes.items()
        if not name.startswith("layer.")
    }
    assert theirs == {
        name: shape
        for name, shape in found.shapes.items()
        if not name.startswith("layer.")
    }
    assert found.shapes[f"{own}token_projection"] == (None, None, 8)


def test_it_learns_from_a_bert(classifier, make_classifier, token_batch):
    classifier.preprocessor = None
    distiller = Distiller(
        make_classifier(num_layers=2, num_classes=3),
        classifier,
        [
            losses.HiddenStatesDistillation(include_embeddings=True),
            losses.AttentionDistillation(),
            losses.LogitsDistillation(),
        ],
        student_loss_weight=0,
    )
    # To compile takes longer than a few steps.
    eagerly = keras.backend.backend() == "tensorflow"
    distiller.compile(keras.optimizers.Adam(0.01), run_eagerly=eagerly)
    history = distiller.fit(token_batch, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("trainable", [True, False])
def test_preset_round_trip(trainable, classifier, answers, tmp_path):
    classifier.backbone.token_embedding.trainable = trainable
    expected = answers(classifier, TEXTS)
    to_preset(classifier, tmp_path / "preset")
    loaded = keras_hub.models.TextClassifier.from_preset(
        str(tmp_path / "preset")
    )
    assert type(loaded) is FactorizedBertTextClassifier
    assert loaded.backbone.token_embedding.trainable == trainable
    np.testing.assert_array_equal(answers(loaded, TEXTS), expected)


def test_a_frozen_table_is_no_trainable_weight():
    backbone = FactorizedBertBackbone(
        embedding_dim=4, embeddings_trainable=False, **SIZE
    )
    frozen = {weight.path for weight in backbone.non_trainable_weights}
    assert frozen == {"token_embedding/embeddings"}
    twin = FactorizedBertBackbone.from_config(backbone.get_config())
    assert twin.get_config() == backbone.get_config()
    assert not twin.token_embedding.trainable


@pytest.mark.tensorflow("SavedModel")
def test_it_is_served_from_raw_text(classifier, answers, tmp_path):
    import tensorflow as tf

    from keras_distill.export import to_saved_model

    path = to_saved_model(
        classifier, tmp_path / "1", label_names=["a", "b", "c"]
    )
    served = tf.saved_model.load(str(path)).signatures["serving_default"]
    answer = served(text=tf.constant(TEXTS))
    expected = tf.nn.softmax(answers(classifier, TEXTS))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
