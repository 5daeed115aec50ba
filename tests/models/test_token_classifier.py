"""A class for every token, in the shape of KerasHub's tasks."""

import json

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import students
from keras_distill.features import FeatureExtractor
from keras_distill.features import describe
from keras_distill.models import TokenClassifier


@pytest.fixture
def batch():
    """Two rows of different length."""
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], "int32")
    ids = np.array([[2, 10, 11, 6, 3], [2, 12, 3, 0, 0]], "int32")
    return {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": mask}


# To compile takes longer than a step.
EAGERLY = keras.backend.backend() == "tensorflow"


def as_array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def assert_same_outputs(model, other, batch):
    np.testing.assert_allclose(
        as_array(model(batch)), as_array(other(batch)), rtol=0, atol=1e-6
    )


def test_logits_are_a_dense_layer_over_every_token(
    make_token_classifier, batch
):
    model = make_token_classifier(num_classes=3, dropout=0.4)
    hidden = as_array(model.backbone(batch)["sequence_output"])
    kernel, bias = (as_array(x) for x in model.output_dense.weights)
    expected = hidden @ kernel + bias
    logits = as_array(model(batch))
    assert logits.shape == (2, 5, 3)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5)


def test_dropout_is_on_in_training(make_token_classifier, batch):
    model = make_token_classifier(dropout=0.4)
    assert model.output_dropout.rate == 0.4
    noisy = as_array(model(batch, training=True))
    assert not np.allclose(noisy, as_array(model(batch)))


def test_backbones_that_give_hidden_states_alone(batch):
    backbone = keras_hub.models.DistilBertBackbone(
        vocabulary_size=20,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=8,
    )
    model = TokenClassifier(backbone, num_classes=4)
    del batch["segment_ids"]
    assert model(batch).shape == (2, 5, 4)


def test_a_model_without_tokens_is_refused(make_classifier):
    with pytest.raises(ValueError, match="`backbone` must give hidden states"):
        TokenClassifier(make_classifier(num_layers=1), num_classes=3)


def test_config_round_trip(make_token_classifier):
    model = make_token_classifier(num_classes=3, dropout=0.2)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    revived = keras.saving.deserialize_keras_object(config)
    assert type(revived) is TokenClassifier
    assert revived.num_classes == 3
    assert revived.dropout == 0.2
    assert revived.activation is keras.activations.linear
    assert revived.backbone.get_config() == model.backbone.get_config()
    assert revived.name == model.name


def test_keras_file_round_trip(make_token_classifier, batch, tmp_path):
    model = make_token_classifier()
    model.save(tmp_path / "tagger.keras")
    loaded = keras.saving.load_model(tmp_path / "tagger.keras", safe_mode=True)
    assert type(loaded) is TokenClassifier
    assert_same_outputs(loaded, model, batch)
    ids = loaded.preprocessor(["anna sings"])["token_ids"]
    assert np.array(ids)[0, :4].tolist() == [2, 10, 11, 3]


def test_a_compiled_model_goes_on_training(
    make_token_classifier, batch, tmp_path
):
    model = make_token_classifier(num_layers=1, num_classes=3)
    model.compile(
        keras.optimizers.SGD(0.1), weighted_metrics=[], run_eagerly=EAGERLY
    )
    model.fit(batch, np.ones((2, 5), "int32"), verbose=0)
    model.save(tmp_path / "tagger.keras")
    loaded = keras.saving.load_model(tmp_path / "tagger.keras")
    assert isinstance(loaded.optimizer, keras.optimizers.SGD)
    assert int(loaded.optimizer.iterations) == 1
    assert loaded.loss.reduction == "mean_with_sample_weight"


def test_probabilities_have_a_loss_of_their_own(make_token_classifier):
    plain = make_token_classifier(num_layers=1)
    model = TokenClassifier(plain.backbone, 3, activation="softmax")
    assert not model.loss.get_config()["from_logits"]
    assert plain.loss.get_config()["from_logits"]


def test_preset_round_trip(make_token_classifier, batch, tmp_path):
    model = make_token_classifier(num_classes=3)
    folder = export.to_preset(model, tmp_path / "tagger", ["O", "B-X", "I-X"])
    loaded = TokenClassifier.from_preset(folder)
    assert_same_outputs(loaded, model, batch)
    assert loaded.preprocessor.tokenizer.get_vocabulary() == (
        model.preprocessor.tokenizer.get_vocabulary()
    )
    names = json.loads((folder / "labels.json").read_text())
    assert names == ["O", "B-X", "I-X"]


def test_a_new_head_on_the_encoder_of_a_preset(
    make_classifier, batch, tmp_path
):
    classifier = make_classifier(num_layers=1)
    classifier.save_to_preset(str(tmp_path / "classifier"))
    model = TokenClassifier.from_preset(
        str(tmp_path / "classifier"), num_classes=5, dropout=0.3
    )
    assert model(batch).shape == (2, 5, 5)
    assert model.dropout == 0.3
    for mine, theirs in zip(
        model.backbone.weights, classifier.backbone.weights, strict=True
    ):
        np.testing.assert_array_equal(as_array(mine), as_array(theirs))
    assert model.preprocessor.tokenizer.get_vocabulary() == (
        classifier.preprocessor.tokenizer.get_vocabulary()
    )


def test_a_preset_without_a_head_needs_num_classes(make_classifier, tmp_path):
    make_classifier(num_layers=1).save_to_preset(str(tmp_path / "classifier"))
    for folder in ("classifier", "nowhere"):
        with pytest.raises(ValueError, match="Pass `num_classes`"):
            TokenClassifier.from_preset(str(tmp_path / folder))


def test_features_are_seen(make_token_classifier, batch):
    model = make_token_classifier(num_classes=3)
    description = describe(model)
    assert description.num_layers == 2
    assert description.shape("logits") == (None, None, 3)
    assert description.output_activations == {"logits": None}
    extractor = FeatureExtractor(
        model,
        [
            "embeddings",
            "hidden_states.2",
            "attention_scores.1",
            "values.2",
            "logits",
            "padding_mask",
        ],
    )
    features = extractor(batch)
    np.testing.assert_allclose(
        as_array(features["hidden_states.2"]),
        as_array(model.backbone(batch)["sequence_output"]),
        rtol=0,
        atol=1e-5,
    )
    np.testing.assert_allclose(
        as_array(features["logits"]), as_array(model(batch)), rtol=0, atol=1e-5
    )
    np.testing.assert_array_equal(
        as_array(features["padding_mask"]), batch["padding_mask"]
    )


def test_an_idle_pooler_is_not_trained(make_token_classifier, batch):
    """And Keras warns of no missing gradient, which would be an error here."""
    model = make_token_classifier(num_layers=1, num_classes=3)
    model.compile(run_eagerly=EAGERLY)
    pooler = model.backbone.pooled_dense.weights
    idle = [as_array(x) for x in pooler]
    before = [as_array(x) for x in model.trainable_variables]
    assert len(model.trainable_variables) == len(model.weights) - 2
    labels = np.ones((2, 5), "int32")
    keras.Model.fit(model, batch, labels, verbose=0)
    for old, new in zip(idle, pooler, strict=True):
        np.testing.assert_array_equal(old, as_array(new))
    changed = [
        not np.array_equal(old, as_array(new))
        for old, new in zip(before, model.trainable_variables, strict=True)
    ]
    # A bias of keys has no gradient: the softmax takes it off again.
    assert np.mean(changed) > 0.9
    model.trainable = False
    assert not model.trainable_variables


def test_the_default_loss_is_the_mean_over_weighted_tokens(
    make_token_classifier, batch
):
    model = make_token_classifier(num_layers=1, num_classes=3)
    model.compile(run_eagerly=EAGERLY)
    labels = np.array([[0, 2, 1, 0, 0], [0, 1, 0, 0, 0]])
    weights = np.array([[0, 1, 1, 0, 0], [0, 1, 0, 0, 0]], "float32")
    logs = keras.Model.evaluate(
        model, batch, labels, sample_weight=weights, verbose=0, return_dict=True
    )
    log_q = as_array(keras.ops.log_softmax(model(batch)))
    of_labels = np.take_along_axis(log_q, labels[:, :, None], -1)[:, :, 0]
    assert logs["loss"] == pytest.approx(
        -np.sum(weights * of_labels) / 3, rel=1e-5
    )
    hits = np.argmax(log_q, -1) == labels
    assert logs["sparse_categorical_accuracy"] == pytest.approx(
        np.sum(weights * hits) / 3
    )


def test_students_are_made_of_it(make_token_classifier, batch):
    teacher = make_token_classifier(num_classes=3)
    student = students.create_student(
        teacher, num_layers=1, hidden_dim=8, embeddings="teacher"
    )
    assert type(student) is TokenClassifier
    assert student.backbone.num_layers == 1
    assert student.preprocessor is teacher.preprocessor
    assert student(batch).shape == (2, 5, 3)
