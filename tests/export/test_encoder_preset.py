"""An encoder as a preset that belongs to no task."""

import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import teachers


def test_the_encoder_takes_any_head(make_classifier, tmp_path):
    model = make_classifier(num_classes=3)
    path = export.to_encoder_preset(model, tmp_path / "encoder")
    loaded = teachers.load_teacher(str(path), 5, sequence_length=16)
    assert not loaded.has_head
    assert loaded.label_names is None
    assert loaded.classifier.num_classes == 5
    texts = ["a good film", "bad"]
    one, two = (m.preprocessor(texts) for m in (model, loaded.classifier))
    np.testing.assert_array_equal(one["token_ids"], two["token_ids"])
    backbone = keras_hub.models.Backbone.from_preset(str(path))
    for before, after in zip(
        model.backbone.get_weights(), backbone.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def test_it_takes_the_place_of_a_classifier(make_classifier, tmp_path):
    export.to_preset(make_classifier(), tmp_path / "model", ["no", "yes"])
    export.to_encoder_preset(make_classifier(), tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert not names & {"task.json", "task.weights.h5", "labels.json"}


def test_a_preprocessor_is_needed(make_classifier, tmp_path):
    model = make_classifier()
    model.preprocessor = None
    with pytest.raises(ValueError, match="must have a preprocessor"):
        export.to_encoder_preset(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()
