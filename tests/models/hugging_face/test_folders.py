"""What is read out of a folder of `transformers`, however it was written."""

import json

import keras
import keras_hub
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from keras_distill import models
from keras_distill import teachers
from keras_distill.models import hugging_face

TEXTS = ["a good film", "bad bad film"]


def check_same_weights(found, expected, tolerance=0.0):
    pairs = zip(found.weights, expected.weights, strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(one),
            keras.ops.convert_to_numpy(other),
            rtol=tolerance,
            err_msg=one.path,
        )


def with_weights(path, change):
    """Writes a folder's weights anew, after a change of their dict."""
    file = path / "model.safetensors"
    weights = change(safetensors.numpy.load_file(file))
    if weights is not None:
        safetensors.numpy.save_file(weights, file)


def renamed(old, new):
    return lambda weights: {
        name.replace(old, new): value for name, value in weights.items()
    }


def cast(dtype):
    return lambda weights: {
        name: value.astype(dtype) for name, value in weights.items()
    }


def test_a_fine_tuned_text_classifier(text_classifier, answers):
    expected, path = text_classifier
    loaded = teachers.load_teacher(path, 3, 8)
    assert loaded.has_head
    assert type(loaded.classifier) is models.BertTextClassifier
    check_same_weights(loaded.classifier, expected)
    np.testing.assert_allclose(
        answers(loaded.classifier, TEXTS),
        answers(expected, TEXTS),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "change, tolerance",
    [
        (renamed("bert.", ""), 0.0),
        (
            lambda weights: renamed("LayerNorm.bias", "LayerNorm.beta")(
                renamed("LayerNorm.weight", "LayerNorm.gamma")(weights)
            ),
            0.0,
        ),
        (cast("float16"), 2e-3),
        (cast(ml_dtypes.bfloat16), 1e-2),
    ],
    ids=["no prefix", "old names", "float16", "bfloat16"],
)
def test_other_ways_to_write_the_same(
    change, tolerance, text_classifier, copy_folder
):
    expected, folder = text_classifier
    path = copy_folder(folder)
    with_weights(path, change)
    loaded = teachers.load_teacher(path, 3, 8)
    check_same_weights(loaded.classifier, expected, tolerance)


def test_several_files(text_classifier, copy_folder):
    expected, folder = text_classifier
    path = copy_folder(folder)
    weights = safetensors.numpy.load_file(path / "model.safetensors")
    (path / "model.safetensors").unlink()
    names = sorted(weights)
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"model-0000{number}-of-00002.safetensors"
        safetensors.numpy.save_file({k: weights[k] for k in part}, path / file)
        weight_map |= dict.fromkeys(part, file)
    (path / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map})
    )
    check_same_weights(teachers.load_teacher(path, 3, 8).classifier, expected)
    (path / file).unlink()
    with pytest.raises(ValueError, match=f"{file} is missing or damaged"):
        teachers.load_teacher(path, 3, 8)


def test_a_fine_tuned_token_classifier_has_no_pooler(token_classifier):
    expected, path = token_classifier
    loaded = teachers.load_teacher(path, 3, 8, models.TokenClassifier)
    assert loaded.has_head
    x = expected.preprocessor(TEXTS)
    for tagger in (
        loaded.classifier,
        models.TokenClassifier.from_preset(str(path)),
    ):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(tagger(x)),
            keras.ops.convert_to_numpy(expected(x)),
            atol=1e-6,
        )


def test_a_head_of_another_kind_is_left_and_it_is_said(
    text_classifier, token_classifier
):
    with pytest.warns(UserWarning) as said:
        loaded = teachers.load_teacher(token_classifier[1], 2, 8)
    assert not loaded.has_head
    assert loaded.classifier.num_classes == 2
    assert "head of the BertForTokenClassification in" in str(said[0].message)
    assert "is left" in str(said[0].message)
    assert "has no pooler" in str(said[1].message)
    with pytest.warns(UserWarning, match="BertForSequenceClassification"):
        loaded = teachers.load_teacher(
            text_classifier[1], 5, 8, models.TokenClassifier
        )
    assert not loaded.has_head


def test_a_token_classifiers_new_head(text_classifier):
    _, path = text_classifier
    with pytest.raises(ValueError, match="Pass `num_classes`"):
        models.TokenClassifier.from_preset(str(path))
    with pytest.warns(UserWarning, match="is left"):
        tagger = models.TokenClassifier.from_preset(str(path), num_classes=4)
    assert tagger.num_classes == 4


def test_a_head_that_hugging_face_has_not_is_new(text_classifier):
    expected, path = text_classifier
    with pytest.warns(UserWarning, match="is left: a StochasticAnswerClass"):
        model = models.StochasticAnswerClassifier.from_preset(
            path, num_classes=4
        )
    assert model.num_classes == 4
    check_same_weights(model.backbone, expected.backbone)
    with pytest.raises(ValueError, match="no head of a StochasticAnswerClass"):
        models.StochasticAnswerClassifier.from_preset(path)


def test_an_encoder_alone_gets_a_new_head_without_a_word(
    text_classifier, copy_folder
):
    expected, folder = text_classifier
    path = copy_folder(folder, architectures=["BertModel"])
    loaded = teachers.load_teacher(path, 2, 8)
    assert not loaded.has_head and loaded.label_names is None
    check_same_weights(loaded.classifier.backbone, expected.backbone)


def test_kerashubs_own_classes_where_they_compute_the_same(
    text_classifier, copy_folder
):
    """Such presets are read without this library."""
    path = copy_folder(text_classifier[1], hidden_act="gelu_new")
    classifier = teachers.load_teacher(path, 3, 8).classifier
    assert type(classifier) is keras_hub.models.BertTextClassifier
    assert type(classifier.backbone) is keras_hub.models.BertBackbone
    preprocessor = type(classifier.preprocessor)
    assert preprocessor is keras_hub.models.BertTextClassifierPreprocessor


def test_what_else_the_config_says(text_classifier, copy_folder):
    path = copy_folder(
        text_classifier[1],
        hidden_act="relu",
        layer_norm_eps=1e-5,
        hidden_dropout_prob=0.3,
        classifier_dropout=0.4,
        problem_type="multi_label_classification",
    )
    loaded = teachers.load_teacher(path, 3, 8)
    assert loaded.problem_type == "multi_label_classification"
    backbone = loaded.classifier.backbone
    assert backbone.activation is keras.activations.relu
    assert backbone.layer_norm_epsilon == 1e-5
    assert backbone.dropout == 0.3
    assert loaded.classifier.dropout == 0.4


@pytest.mark.parametrize(
    "config, message",
    [
        (
            {"position_embedding_type": "relative_key"},
            "position_embedding_type='relative_key'",
        ),
        ({"is_decoder": True}, "is_decoder=True"),
        ({"pruned_heads": {"0": [1]}}, "pruned_heads="),
        ({"quantization_config": {"bits": 4}}, "quantization_config="),
        ({"hidden_act": "gelu_10"}, "hidden_act='gelu_10'"),
        ({"hidden_size": ...}, "says no hidden_size"),
        ({"vocab_size": 12}, r"has shape \(9, 8\), but .* \(12, 8\)"),
        ({"num_hidden_layers": 2}, "no weight 'encoder.layer.1"),
        ({"architectures": None}, "`architectures` is missing"),
        ({"id2label": {"0": "no", "1": "yes"}}, "its head has 3 outputs"),
        (
            {
                "id2label": {"0": "no", "1": "so so", "2": "yes"},
                "label2id": {"yes": 0, "so so": 1, "no": 2},
            },
            "'no' is 0 in `id2label` and 2 in `label2id`",
        ),
    ],
)
def test_what_cannot_be_expressed_is_named(
    config, message, text_classifier, copy_folder
):
    path = copy_folder(text_classifier[1], **config)
    with pytest.raises(ValueError, match=message):
        teachers.load_teacher(path, 3, 8)


def test_weights_without_a_place_are_named(text_classifier, copy_folder):
    path = copy_folder(text_classifier[1])
    name = "bert.encoder.layer.0.attention.self.distance_embedding.weight"
    extra = {name: np.zeros((3, 4), "float32")}
    with_weights(path, lambda weights: weights | extra)
    with pytest.raises(ValueError, match="distance_embedding.weight"):
        teachers.load_teacher(path, 3, 8)


@pytest.mark.parametrize(
    "config, names",
    [
        ({"id2label": {"2": "c", "0": "a", "1": "b"}}, ("a", "b", "c")),
        ({"label2id": {"c": 2, "a": 0, "b": 1}}, ("a", "b", "c")),
        ({"id2label": {"0": 4, "1": 5, "2": 6}}, ("4", "5", "6")),
        ({"id2label": {str(i): f"LABEL_{i}" for i in range(3)}}, None),
        (
            {
                "id2label": {"0": "a", "1": "b", "2": "c"},
                "label2id": {f"LABEL_{i}": i for i in range(3)},
            },
            ("a", "b", "c"),
        ),
        ({}, None),
    ],
)
def test_names_of_labels(config, names):
    assert hugging_face.label_names(config, 3) == names


def test_a_regression_has_no_names():
    assert hugging_face.label_names({"id2label": {"0": "score"}}, 1) is None
