"""MobileBERT passes the battery of a kind of task, and is distilled."""

import keras_hub
import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill import students
from keras_distill import tasks
from keras_distill.evaluation import measures
from keras_distill.models import MobileBertTextClassifier
from keras_distill.testing import check_task
from tests.models.mobilebert.conftest import shake

TEXTS = [
    "a great film",
    "the plot is bad and dull",
    "a very good story with a great ending",
    "sad",
]


@pytest.fixture
def classifier(make_backbone, tokenizer):
    classifier = MobileBertTextClassifier(
        make_backbone(num_layers=1),
        num_classes=2,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
    )
    shake(classifier.output_dense)
    return classifier


def test_classification(classifier):
    # The head alone trains, which is quicker to compile.
    classifier.backbone.trainable = False
    check_task(
        tasks.Task("mood", ("text",), ("sad", "glad"), ("accuracy",), 16),
        tasks.Examples((TEXTS,), labels=[1, 0, 1, 0]),
        classifier,
        reference=lambda labels, outputs: {
            "accuracy": np.mean(labels == np.argmax(outputs, axis=1))
        },
        chance=0.5,
    )


def test_its_parts_are_counted_and_found(classifier):
    backbone = classifier.backbone
    counted = measures.count_parameters(classifier)
    block = backbone.transformer_layers[0].count_params()
    assert counted.encoder == block
    assert counted.embeddings == backbone.count_params() - block
    parts = students.parts_of(classifier)
    assert list(parts) == ["head", "layer.1", "embeddings"]
    assert len(parts["head"]) == 2
    assert sum(np.prod(w.shape) for w in parts["layer.1"]) == block


def test_a_student_starts_with_its_teachers_embeddings(make_backbone):
    teacher, student = make_backbone("ib_bert_large"), make_backbone()
    before = student.transformer_layers[0].get_weights()
    students.copy_layers(teacher, student, layer_map.explicit([(0, 0)]))
    for name in ("token", "position", "segment"):
        found = getattr(student, f"{name}_embedding").get_weights()
        expected = getattr(teacher, f"{name}_embedding").get_weights()
        np.testing.assert_array_equal(found[0], expected[0])
    for name in ("embeddings_projection", "embeddings_layer_norm"):
        found = getattr(student, name).get_weights()
        expected = getattr(teacher, name).get_weights()
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    after = student.transformer_layers[0].get_weights()
    for kept, was in zip(after, before, strict=True):
        np.testing.assert_array_equal(kept, was)
