"""Facts about the arithmetic that is counted."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_distill import models
from keras_distill.evaluation import count_flops
from keras_distill.models.mobilebert.architectures import ARCHITECTURES

SIZES = {
    "vocabulary_size": 20,
    "num_layers": 2,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 12,
    "max_sequence_length": 16,
}
LENGTH = 7
# Of one layer of that size, by hand: four square matrices and two of the
# feed-forward network at each token; scores, and what they weight.
LAYER = 2 * (LENGTH * (4 * 8 * 8 + 2 * 8 * 12) + 2 * LENGTH * LENGTH * 8)
DENSE = 2 * 8 * 8
OTHERS = "real sizes; small ones are counted on each backend"


def shapes_only(build):
    """Builds a model of real size, for which nothing is allocated."""
    with keras.StatelessScope(initialize_variables=False):
        return build()


@pytest.mark.tensorflow(OTHERS)
@pytest.mark.parametrize(
    "name, giga",
    [
        ("mobilebert", 5.39),
        ("mobilebert_paper", 5.587),
        ("mobilebert_tiny", 3.07),
        ("ib_bert_large", 75.7),
    ],
)
def test_mobilebert_costs_what_is_published(name, giga):
    """The second block tells of 24: 2 x multiply-adds at 128 tokens."""
    assert ARCHITECTURES[name]["num_layers"] == 24
    backbone = shapes_only(
        lambda: models.MobileBertBackbone.from_preset(
            name, load_weights=False, num_layers=2
        )
    )
    first, second = (
        count_flops(keras.Model(backbone.input, layer.output), 128)
        for layer in backbone.transformer_layers
    )
    total = first + 23 * (second - first)
    digits = len(str(giga).partition(".")[2])
    assert round(total / 1e9, digits) == giga


@pytest.mark.tensorflow(OTHERS)
def test_bert_costs_what_is_published():
    """BERT-base's 12 layers and TinyBERT's 6, without the pooler."""
    backbone = shapes_only(
        lambda: keras_hub.models.BertBackbone(
            vocabulary_size=30522,
            num_layers=1,
            num_heads=12,
            hidden_dim=768,
            intermediate_dim=3072,
        )
    )
    layer = count_flops(backbone, 128) - 2 * 768 * 768
    assert round(12 * layer / 1e9, 2) == 22.35
    assert round(6 * layer / 1e9, 3) == 11.174


@pytest.mark.parametrize("family", ["Bert", "Roberta", "DistilBert"])
def test_a_classifier_is_counted_with_its_head(family):
    backbone = getattr(keras_hub.models, f"{family}Backbone")(**SIZES)
    # Others have their pooler in the head.
    pooler = DENSE if family == "Bert" else 0
    assert count_flops(backbone, LENGTH) == 2 * LAYER + pooler
    classifier = getattr(keras_hub.models, f"{family}TextClassifier")(
        backbone, num_classes=3
    )
    assert count_flops(classifier, LENGTH) == 2 * LAYER + DENSE + 2 * 8 * 3


def test_electra_is_counted_with_its_projection():
    sizes = {**SIZES, "vocab_size": SIZES["vocabulary_size"]}
    del sizes["vocabulary_size"]
    backbone = keras_hub.models.ElectraBackbone(**sizes, embedding_dim=4)
    projection = 2 * LENGTH * 4 * 8
    assert count_flops(backbone, LENGTH) == projection + 2 * LAYER + DENSE


def test_the_librarys_own_models():
    sizes = SIZES | {"num_layers": 1}
    factorized = models.FactorizedBertBackbone(**sizes, embedding_dim=4)
    pooled = LAYER + DENSE
    of_words = 2 * LENGTH * 4 * 8
    assert count_flops(factorized, LENGTH) == pooled + of_words
    tagger = models.TokenClassifier(
        keras_hub.models.BertBackbone(**sizes), num_classes=5
    )
    assert count_flops(tagger, LENGTH) == pooled + 2 * LENGTH * 8 * 5
    model = models.PretrainingModel(keras_hub.models.BertBackbone(**sizes))
    # A word is predicted at each token, by the table of words.
    head = 2 * LENGTH * (8 * 8 + 8 * 20) + 2 * 8 * 2
    assert count_flops(model, LENGTH) == pooled + head


def test_each_step_of_a_recurrent_layer_counts():
    student = models.BiLstmTextClassifier(
        models.BiLstmBackbone(20, 3, lstm_dim=4, projection_dim=6),
        num_classes=2,
    )
    # Four gates read the word and the last state, in two directions.
    step = 2 * (3 * 16 + 4 * 16) + 8 * 6
    assert count_flops(student, LENGTH) == 2 * (LENGTH * step + 6 * 2)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_the_way_through_attention_does_not_matter(dropout):
    """Without dropout Keras fuses scores, softmax and sum."""
    inputs = keras.Input((None, 6))
    attention = keras.layers.MultiHeadAttention(2, 4, dropout=dropout)
    model = keras.Model(inputs, attention(inputs, inputs))
    scores = LENGTH * LENGTH * 2 * (4 + 4)
    expected = 2 * (LENGTH * 4 * 6 * 8 + scores)
    assert count_flops(model, LENGTH) == expected


class Products(keras.layers.Layer):
    """All that `keras.ops` has for products, and some that are none."""

    def call(self, x):
        y = ops.matmul(x, ops.ones((4, 3)))
        z = ops.dot(y, ops.ones((3, 2)))
        z = ops.tensordot(z, ops.ones((2, 5)), axes=1)
        z = ops.einsum("...f,fg->...g", z, ops.ones((5, 6)))
        z = ops.einsum("blf,f->blf", z, ops.ones((6,)))
        return ops.einsum("blf->bfl", z) * 2.0

    def compute_output_shape(self, shape):
        return (shape[0], 6, shape[1])


def test_products_by_any_name():
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, Products()(inputs))
    expected = 2 * LENGTH * (4 * 3 + 3 * 2 + 2 * 5 + 5 * 6)
    assert count_flops(model, LENGTH) == expected


def test_nothing_is_left_behind():
    matmul = keras.src.backend.numpy.matmul
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    before = model.get_weights()
    assert count_flops(model, LENGTH) == 2 * LENGTH * 4 * 3
    assert keras.src.backend.numpy.matmul is matmul
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model(np.ones((2, 3, 4))).shape == (2, 3, 3)


def test_what_cannot_be_counted():
    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    with pytest.raises(ValueError, match="`sequence_length` must be that of"):
        count_flops(model, 6)
    with pytest.raises(ValueError, match="`sequence_length`"):
        count_flops(model, 0)
    with pytest.raises(ValueError, match="must tell of its inputs"):
        count_flops(Products(), 6)
