"""Facts about the features of KerasHub's models."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill.features import FeatureExtractor

FAMILIES = ["Bert", "Roberta", "DistilBert", "Albert", "Electra"]
LAYER_KINDS = [
    "hidden_states",
    "attention_scores",
    "attention_probabilities",
    "queries",
    "keys",
    "values",
]


def inputs_of(model, batch):
    return {name: batch[name] for name in model.input}


def sequence_output(backbone, inputs):
    outputs = backbone(inputs)
    if isinstance(outputs, dict):
        outputs = outputs["sequence_output"]
    return np.asarray(outputs)


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


@pytest.fixture(params=FAMILIES)
def backbone(request, make_backbone):
    return make_backbone(request.param)


def test_features_of_each_family(backbone, batch):
    inputs = inputs_of(backbone, batch)
    found = FeatureExtractor(backbone, [*LAYER_KINDS, "padding_mask"])(inputs)
    found = {name: np.asarray(value) for name, value in found.items()}

    # The last hidden states, and those of a whole layer, are the model's own.
    np.testing.assert_allclose(
        found["hidden_states.2"],
        sequence_output(backbone, inputs),
        atol=1e-5,
    )
    np.testing.assert_array_equal(found["padding_mask"], batch["padding_mask"])
    mask = batch["padding_mask"][:, None, None, :]
    for layer in (1, 2):
        scores = found[f"attention_scores.{layer}"]
        probabilities = found[f"attention_probabilities.{layer}"]
        queries, keys, values = (
            found[f"{kind}.{layer}"] for kind in ("queries", "keys", "values")
        )
        assert queries.shape == keys.shape == values.shape == (3, 6, 2, 4)
        products = np.einsum("bqhd,bkhd->bhqk", queries, keys) / np.sqrt(4)
        np.testing.assert_allclose(scores, products, atol=1e-5)
        expected = softmax(np.where(mask, scores, -np.inf))
        np.testing.assert_allclose(probabilities, expected, atol=1e-6)
        np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0, atol=1e-6)
        assert np.all(probabilities * (1 - mask) == 0)


def test_hidden_states_do_not_depend_on_what_else_is_asked_for(
    make_backbone, batch
):
    backbone = make_backbone()
    alone = FeatureExtractor(backbone, "hidden_states")(batch)
    together = FeatureExtractor(backbone, LAYER_KINDS)(batch)
    for name, value in alone.items():
        np.testing.assert_allclose(value, together[name], atol=1e-5)


def test_values_make_the_context(make_backbone, batch):
    """Probabilities, values and the layer's weights give its output."""
    backbone = make_backbone(num_layers=1)
    found = FeatureExtractor(
        backbone, ["embeddings", "attention_probabilities", "values"]
    )(batch)
    layer = backbone.transformer_layers[0]
    context = np.einsum(
        "bhqk,bkhd->bqhd",
        found["attention_probabilities.1"],
        found["values.1"],
    )
    attended = layer._self_attention_layer.output_dense(context)
    x = layer._self_attention_layer_norm(found["embeddings"] + attended)
    y = layer._feedforward_intermediate_dense(x)
    y = layer._feedforward_layer_norm(x + layer._feedforward_output_dense(y))
    np.testing.assert_allclose(y, sequence_output(backbone, batch), atol=1e-5)


def test_embeddings_are_normalized_sums_of_tables(make_backbone, batch):
    backbone = make_backbone()
    found = FeatureExtractor(backbone, ["embeddings"])(batch)["embeddings"]
    tables = [
        np.asarray(layer.embeddings if hasattr(layer, "embeddings") else layer)
        for layer in (
            backbone.token_embedding,
            backbone.position_embedding.position_embeddings,
            backbone.segment_embedding,
        )
    ]
    total = tables[0][batch["token_ids"]] + tables[1][:6]
    total = total + tables[2][batch["segment_ids"]]
    normalized = (total - total.mean(axis=-1, keepdims=True)) / np.sqrt(
        total.var(axis=-1, keepdims=True) + 1e-12
    )
    norm = backbone.embeddings_layer_norm
    expected = normalized * np.asarray(norm.gamma) + np.asarray(norm.beta)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_features_of_a_classifier(make_classifier, batch):
    classifier = make_classifier(num_layers=2, num_classes=3)
    batch["token_ids"] %= classifier.backbone.vocabulary_size
    found = FeatureExtractor(
        classifier, ["logits", "pooled", "hidden_states", "outputs"]
    )(batch)
    outputs = classifier.backbone(batch)
    np.testing.assert_allclose(found["logits"], classifier(batch), atol=1e-5)
    np.testing.assert_allclose(found["outputs"], found["logits"])
    np.testing.assert_allclose(
        found["pooled"], outputs["pooled_output"], atol=1e-5
    )
    np.testing.assert_allclose(
        found["hidden_states.2"], outputs["sequence_output"], atol=1e-5
    )


def test_features_of_a_classifier_without_pooled_output(make_backbone, batch):
    classifier = keras_hub.models.RobertaTextClassifier(
        make_backbone("Roberta"), num_classes=2
    )
    inputs = inputs_of(classifier, batch)
    found = FeatureExtractor(classifier, ["logits", "attention_scores.2"])
    np.testing.assert_allclose(
        found(inputs)["logits"], classifier(inputs), atol=1e-5
    )
    with pytest.raises(ValueError, match="no feature 'pooled'"):
        FeatureExtractor(classifier, "pooled")


def test_order_and_names(make_backbone):
    backbone = make_backbone()

    def names(features):
        return list(FeatureExtractor(backbone, features).output)

    assert names("queries") == ["queries.1", "queries.2"]
    assert names(["hidden_states.2", "hidden_states"]) == [
        "hidden_states.2",
        "embeddings",
        "hidden_states.1",
    ]
    assert names(["hidden_states.0"]) == ["embeddings"]


def test_one_forward_pass_with_dropout(make_classifier, batch):
    """Predictions and features come from the same dropped units."""
    classifier = make_classifier(num_layers=2, dropout=0.5)
    classifier.output_dropout.rate = 0.0
    batch["token_ids"] %= classifier.backbone.vocabulary_size
    extractor = FeatureExtractor(
        classifier, ["hidden_states", "attention_probabilities", "logits"]
    )

    def head(hidden_states):
        pooled = classifier.backbone.pooled_dense(hidden_states[:, 0])
        return np.asarray(classifier.output_dense(pooled))

    found = extractor(batch, training=True)
    again = extractor(batch, training=True)
    np.testing.assert_allclose(
        found["logits"], head(found["hidden_states.2"]), atol=1e-5
    )
    assert np.abs(found["logits"] - again["logits"]).max() > 1e-3
    # Probabilities are taken before dropout.
    sums = np.asarray(found["attention_probabilities.1"]).sum(axis=-1)
    np.testing.assert_allclose(sums, 1.0, atol=1e-6)


def test_dropout_is_off_by_default(make_backbone, batch):
    extractor = FeatureExtractor(make_backbone(dropout=0.5), LAYER_KINDS)
    first, second = extractor(batch), extractor(batch)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_weights_are_shared(make_classifier):
    classifier = make_classifier(num_layers=2)
    extractor = FeatureExtractor(classifier, [*LAYER_KINDS, "logits"])
    own = {id(variable) for variable in classifier.variables}
    assert {id(variable) for variable in extractor.variables} == own
    assert len(extractor.trainable_variables) == len(
        classifier.trainable_variables
    )


@pytest.mark.parametrize(
    "feature", ["hidden_states.2", "attention_scores.2", "values.2"]
)
def test_nothing_above_the_last_feature_is_computed(feature, make_classifier):
    classifier = make_classifier(num_layers=3)
    extractor = FeatureExtractor(classifier, [feature, "padding_mask"])
    held = {id(variable) for variable in extractor.variables}
    above = [
        classifier.backbone.transformer_layers[2],
        classifier.backbone.pooled_dense,
        classifier.output_dense,
    ]
    for layer in above:
        assert not held & {id(variable) for variable in layer.variables}
    below = classifier.backbone.transformer_layers[1]
    assert held >= {id(variable) for variable in below.variables}


def test_the_model_is_left_as_it_was(make_classifier, batch):
    classifier = make_classifier(num_layers=2)
    batch["token_ids"] %= classifier.backbone.vocabulary_size
    before = [np.array(variable) for variable in classifier.variables]
    predictions = np.asarray(classifier(batch))
    names = [layer.name for layer in classifier.layers]
    FeatureExtractor(classifier, LAYER_KINDS)(batch, training=True)
    assert [layer.name for layer in classifier.layers] == names
    np.testing.assert_array_equal(predictions, classifier(batch))
    # Of the variables only the states of random seeds may move.
    for old, variable in zip(before, classifier.variables, strict=True):
        if "seed_generator" not in variable.path:
            np.testing.assert_array_equal(old, variable)


def test_a_layer_that_is_called_again_counts_again(make_backbone, batch):
    """ALBERT's layers share their weights."""
    backbone = make_backbone("Albert")
    found = FeatureExtractor(backbone, ["attention_scores", "hidden_states"])
    found = found(batch)
    assert len(found) == 5
    difference = found["attention_scores.1"] - found["attention_scores.2"]
    assert np.abs(difference).max() > 1e-3
    layer = backbone.transformer_layers[0][0]
    np.testing.assert_allclose(
        layer(found["hidden_states.1"], padding_mask=batch["padding_mask"]),
        found["hidden_states.2"],
        atol=1e-5,
    )


def test_mixed_precision(make_backbone, batch):
    backbone = make_backbone(num_layers=1, dtype="mixed_bfloat16")
    found = FeatureExtractor(backbone, LAYER_KINDS)(batch)
    for name, value in found.items():
        dtype = keras.backend.standardize_dtype(value.dtype)
        assert dtype == "bfloat16", name
    np.testing.assert_allclose(
        keras.ops.cast(found["hidden_states.1"], "float32"),
        keras.ops.cast(backbone(batch)["sequence_output"], "float32"),
        atol=0.05,
    )


def test_unknown_features(make_backbone):
    backbone = make_backbone()
    with pytest.raises(ValueError) as error:
        FeatureExtractor(backbone, ["hidden_states.4"])
    for part in (
        "has no feature 'hidden_states.4'",
        "hidden_states.1 to .2",
        "attention_scores.1 to .2",
        "layer.token_embedding",
        "pooled",
    ):
        assert part in str(error.value)


def test_features_of_layers_in_a_model_without_any():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs), name="plain")
    for kind in ("hidden_states", "attention_scores"):
        with pytest.raises(ValueError, match="'plain' has no feature"):
            FeatureExtractor(model, kind)


def test_several_outputs(batch):
    inputs = keras.Input((3,))
    outputs = {
        "start": keras.layers.Dense(2)(inputs),
        "end": keras.layers.Dense(4)(inputs),
    }
    model = keras.Model(inputs, outputs)
    extractor = FeatureExtractor(model, ["output.end", "outputs"])
    x = np.ones((1, 3), "float32")
    found = extractor(x)
    np.testing.assert_allclose(found["output.end"], model(x)["end"])
    assert set(found["outputs"]) == {"start", "end"}
    model = keras.Model(inputs, list(outputs.values()))
    assert list(FeatureExtractor(model, "output.1")(x)) == ["output.1"]
    with pytest.raises(ValueError, match=r"no feature 'logits'.*output\.0"):
        FeatureExtractor(model, "logits")


def test_models_that_cannot_be_looked_into():
    class Opaque(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="Register an adapter for Opaque"):
        FeatureExtractor(Opaque(name="opaque"), "outputs")
