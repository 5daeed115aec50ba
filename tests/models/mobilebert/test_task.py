"""MobileBERT passes the battery of a kind of task, and is distilled."""

import keras_hub
import numpy as np
import pytest

from keras_distill import models
from keras_distill import students
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.evaluation import measures
from keras_distill.export import to_encoder_preset
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


def test_a_student_of_its_own_kind(classifier):
    student = students.create_student(
        classifier,
        num_layers=1,
        embeddings="teacher",
        layers="teacher",
        pooling="mean",
    )
    assert type(student) is MobileBertTextClassifier
    assert student.pooling == "mean"
    for found, expected in zip(
        student.backbone.get_weights(),
        classifier.backbone.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_an_encoder_gets_a_head_that_is_chosen(classifier, tmp_path):
    to_encoder_preset(classifier, tmp_path / "encoder")
    loaded = teachers.load_teacher(
        tmp_path / "encoder", 3, sequence_length=16, pooling="mean"
    )
    assert not loaded.has_head
    assert type(loaded.classifier) is MobileBertTextClassifier
    assert loaded.classifier.pooling == "mean"
    np.testing.assert_array_equal(
        loaded.classifier.backbone.get_weights()[0],
        classifier.backbone.get_weights()[0],
    )


def test_a_student_starts_with_its_teachers_embeddings(make_backbone):
    teacher, student = make_backbone("ib_bert_large"), make_backbone()
    before = student.transformer_layers[0].get_weights()
    # The heads of pre-training are of the same size as well.
    pair = models.PretrainingModel(teacher), models.PretrainingModel(student)
    students.copy_layers(*pair, [(0, 0)], include_head=True)
    for name in ("token", "position", "segment"):
        found = getattr(student, f"{name}_embedding").get_weights()
        expected = getattr(teacher, f"{name}_embedding").get_weights()
        np.testing.assert_array_equal(found[0], expected[0])
    for name in ("embeddings_projection", "embeddings_layer_norm"):
        found = getattr(student, name).get_weights()
        expected = getattr(teacher, name).get_weights()
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    for found, expected in zip(
        pair[1].masked_lm_head.get_weights(),
        pair[0].masked_lm_head.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)
    after = student.transformer_layers[0].get_weights()
    for kept, was in zip(after, before, strict=True):
        np.testing.assert_array_equal(kept, was)
