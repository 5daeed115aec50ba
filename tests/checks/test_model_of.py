"""Other objects of the library where a model is meant."""

import pathlib

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import evaluation
from keras_distill import export
from keras_distill import features
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import stages
from keras_distill import students
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.checks.model_of import model_of


@pytest.fixture
def loaded(make_classifier):
    return teachers.LoadedTeacher(make_classifier(num_layers=1), True, None)


@pytest.fixture
def distiller(loaded, make_classifier):
    return Distiller(
        loaded,
        make_classifier(num_layers=1),
        losses.LogitsDistillation(),
    )


@pytest.fixture
def examples():
    return tasks.Examples((["a good film", "the dull plot"],), [1, 0])


def test_the_model_is_taken(distiller, loaded):
    assert distiller.teacher is loaded.classifier
    assert model_of(distiller) is distiller.student
    again = Distiller(distiller, loaded, losses.LogitsDistillation())
    assert again.teacher is distiller.student
    assert again.student is loaded.classifier
    assert model_of(3) == 3


def test_students_start_from_them(distiller, loaded):
    student = students.create_student(loaded, num_layers=1)
    assert student.backbone.num_layers == 1
    students.copy_layers(loaded, distiller, layer_map.uniform)
    assert list(students.parts_of(distiller)) == [
        "head",
        "layer.1",
        "embeddings",
    ]
    assert features.FeatureExtractor(loaded, "pooled").output_names


def test_they_are_exported(distiller, loaded, tmp_path):
    export.to_preset(distiller, tmp_path / "student")
    export.to_encoder_preset(loaded, tmp_path / "encoder")
    written = teachers.load_teacher(str(tmp_path / "student"), 2, 16).classifier
    np.testing.assert_array_equal(
        written.get_weights()[0], distiller.student.get_weights()[0]
    )
    with pytest.raises(ValueError, match="`label_names` must hold one name"):
        # Three of the task by that name, where the model has two outputs.
        export.to_saved_model(distiller, tmp_path / "served", task="mnli")


def test_they_are_measured_by_the_name_of_a_task(distiller, loaded, examples):
    words = {"latency_runs": 1, "throughput_runs": 1, "quiet": True}
    models = {"teacher": loaded, "student": distiller}
    found = evaluation.compare(models, "sst2", examples, **words)
    assert found.task == "sst2"
    tokenized = tasks.TokenizedExamples(
        examples, distiller.student.preprocessor, 8
    )
    logits = tasks.predict_logits(distiller, tokenized)
    np.testing.assert_array_equal(
        logits, tasks.predict_logits(distiller.student, tokenized)
    )
    metrics = tasks.evaluate_metrics("sst2", examples.labels, logits)
    assert metrics == pytest.approx(dict(found.rows[1].metrics))
    assert tasks.chance_level("sst2", [0, 1, 1]) == pytest.approx(2 / 3)


def test_kinds_of_examples_that_are_not_meant_are_told(
    distiller, examples, tokenizer
):
    words = tasks.TaggedExamples([["a", "film"]])
    splits = tasks.Splits({"dev": lambda: examples}, "a list")
    tokenized = tasks.TokenizedExamples(examples, tokenizer, 8)
    texts = tasks.TokenizedExamples(list(examples.texts[0]), tokenizer, 8)
    assert texts.labels is None
    np.testing.assert_array_equal(texts.lengths, tokenized.lengths)
    for wrong, message in (
        (splits, "one split. Received: all of them .'dev'"),
        (tokenized, "tokenised already"),
        (words, "TokenizedTags"),
        (examples.texts, "Make them: Examples"),
        (7, "Received: int"),
    ):
        with pytest.raises(ValueError, match=message):
            tasks.TokenizedExamples(wrong, tokenizer, 8)
        if wrong is examples.texts:
            # Columns are read as rows of the task; they have no labels.
            message = "must have labels"
        with pytest.raises(ValueError, match=message):
            evaluation.compare({"teacher": distiller}, "sst2", wrong)
    with pytest.raises(ValueError, match="must be .*TaggedExamples"):
        tasks.TokenizedTags(examples, tokenizer, 8)
    with pytest.raises(ValueError, match="Tokenise it"):
        tasks.predict_logits(distiller, examples)
    with pytest.raises(ValueError, match="must be a dict of name"):
        evaluation.compare([distiller], "sst2", examples)


def test_a_stage_takes_models_and_tells_of_data(distiller, loaded, examples):
    tokenized = tasks.TokenizedExamples(
        examples, distiller.student.preprocessor, 8
    )
    words = {"optimizer": "sgd", "loss": "mse", "epochs": 1}
    stage = stages.Stage("labels", distiller, tokenized, **words)
    assert stage.student is distiller.student
    for wrong in (examples, ["a film"], tokenized.batches(2)):
        with pytest.raises(ValueError, match="`train`.*must be tokenised"):
            stages.Stage("labels", loaded, wrong, **words)


@pytest.mark.parametrize("path", ["bert_tiny_en", pathlib.Path("a") / "b"])
def test_names_and_paths_of_models_are_told(distiller, path):
    loss = losses.LogitsDistillation()
    with pytest.raises(ValueError, match="load_teacher.*TeacherCache"):
        Distiller(path, distiller, loss)
    with pytest.raises(ValueError, match="create_student"):
        Distiller(distiller, path, loss)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (losses.LogitsDistillation, r"a class. Write LogitsDistillation\("),
        (keras.distillation.LogitsDistillation, "a class"),
        ("kl_divergence", "LogitsDistillation.loss=.kl"),
        (keras.losses.KLDivergence(), "LogitsDistillation.loss=.kl"),
        ({"a": losses.LogitsDistillation()}, "as a list"),
    ],
)
def test_what_is_no_distillation_loss_is_told(distiller, loss, message):
    for given in (loss, [loss]):
        with pytest.raises(ValueError, match=message):
            Distiller(distiller.teacher, distiller.student, given)
