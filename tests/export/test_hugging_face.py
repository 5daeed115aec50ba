"""A MobileBERT goes out as `transformers` has it, and comes in again."""

import json

import keras_hub
import numpy as np
import pytest
import safetensors.numpy

from keras_distill import models
from keras_distill import teachers
from keras_distill.export import to_hugging_face

SIZES = dict(
    vocabulary_size=27,
    num_layers=1,
    num_heads=2,
    embedding_dim=4,
    hidden_dim=8,
    intra_dim=6,
    intermediate_dim=10,
    max_sequence_length=16,
)
TEXTS = ["a good film", "the plot is bad and the ending is dull"]


@pytest.fixture
def make_backbone():
    def make(name="mobilebert", **words):
        backbone = models.MobileBertBackbone.from_preset(
            name, load_weights=False, **SIZES | words
        )
        random = np.random.default_rng(3)
        for weight in backbone.weights:
            weight.assign(random.normal(0.0, 0.4, weight.shape))
        return backbone

    return make


@pytest.fixture
def classifier(make_backbone, tokenizer):
    return models.MobileBertTextClassifier(
        make_backbone(use_pooler=True),
        num_classes=3,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
    )


def test_a_classifier_comes_back(classifier, answers, tmp_path):
    path = to_hugging_face(classifier, tmp_path / "out", ["a", "b", "c"])
    loaded = teachers.load_teacher(path, 3, sequence_length=16)
    assert loaded.has_head and loaded.label_names == ("a", "b", "c")
    assert loaded.classifier.backbone.zero_pad_embedding
    np.testing.assert_allclose(
        answers(loaded.classifier, TEXTS),
        answers(classifier, TEXTS),
        atol=1e-6,
    )
    # The padding's row alone is another.
    weights = safetensors.numpy.load_file(path / "model.safetensors")
    words = weights["mobilebert.embeddings.word_embeddings.weight"]
    table = np.array(classifier.backbone.token_embedding.get_weights()[0])
    table[0] = 0
    np.testing.assert_array_equal(words, table)


def test_teachers_get_new_heads_on_its_encoder(classifier, tmp_path):
    """Of tags, and one that is chosen; a trained head stays as it is."""
    model = models.PretrainingModel(
        classifier.backbone, classifier.preprocessor
    )
    path = to_hugging_face(model, tmp_path / "encoder")
    of_tags = teachers.load_teacher(
        path, 5, 16, task_class=models.TokenClassifier
    )
    chosen = teachers.load_teacher(path, 4, 16, pooling="mean", head="tinybert")
    assert type(of_tags.classifier) is models.TokenClassifier
    assert type(chosen.classifier) is models.MobileBertTextClassifier
    assert chosen.classifier.pooling == "mean"
    assert chosen.classifier.head == "tinybert"
    expected = classifier.backbone.transformer_layers[0].get_weights()
    for loaded, width in ((of_tags, 5), (chosen, 4)):
        assert not loaded.has_head
        assert loaded.classifier.num_classes == width
        block = loaded.classifier.backbone.transformer_layers[0]
        for found, value in zip(block.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(found, value)
    path = to_hugging_face(classifier, tmp_path / "trained")
    with pytest.raises(ValueError, match="trained head with pooling='pooler'"):
        teachers.load_teacher(path, 3, 16, pooling="mean")


def test_both_heads_come_back(make_backbone, tmp_path):
    model = models.PretrainingModel(
        make_backbone("mobilebert_tiny", zero_pad_embedding=False)
    )
    path = to_hugging_face(model, tmp_path / "out")
    loaded = models.PretrainingModel.from_preset(path, preprocessor=None)
    config = model.backbone.get_config()
    assert loaded.backbone.get_config() | {"name": config["name"]} == config
    for found, expected in zip(
        loaded.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "name, words, message",
    [
        ("ib_bert_large", {}, "two epsilons"),
        ("mobilebert_paper", {}, "between blocks"),
        ("mobilebert", {"activation": "elu"}, "`transformers` does not have"),
    ],
)
def test_what_transformers_cannot_compute(
    name, words, message, make_backbone, tmp_path
):
    with pytest.raises(ValueError, match=message):
        to_hugging_face(make_backbone(name, **words), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_models_are_refused(make_classifier, classifier, tmp_path):
    with pytest.raises(ValueError, match="must be a MobileBERT.*BertText"):
        to_hugging_face(make_classifier(num_layers=1), tmp_path / "out")
    with pytest.raises(ValueError, match="must name 3 classes"):
        to_hugging_face(classifier, tmp_path / "out", ["a"])
    mean = models.MobileBertTextClassifier(
        classifier.backbone, num_classes=3, pooling="mean"
    )
    with pytest.raises(ValueError, match="mean of all tokens"):
        to_hugging_face(mean, tmp_path / "out")


def test_what_is_there_stays(classifier, tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match="overwrite"):
        to_hugging_face(classifier, path)
    to_hugging_face(classifier, path, overwrite=True)
    config = json.loads((path / "config.json").read_bytes())
    assert config["model_type"] == "mobilebert"
