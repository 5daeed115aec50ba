"""What each stage of the recipe learns from, trains and is listed as."""

import dataclasses

import numpy as np
import pytest

from keras_distill import losses
from keras_distill import tasks
from keras_distill import teachers
from recipes.common.task_data import TaskData
from recipes.xtremedistil import stage_list
from recipes.xtremedistil import targets

pytestmark = pytest.mark.usefixtures("all_eager")


def trained_in(stage):
    with stage.only_trainable():
        return {id(variable) for variable in stage.student.trainable_variables}


def ids(*things):
    return {id(variable) for one in things for variable in one.weights}


def test_each_stage_has_its_data_losses_and_parts(
    experiment, prepared, stage_names
):
    student, data = prepared.student, prepared.data
    listed = stage_list.distillation_stages(experiment, prepared)
    assert [stage.name for stage in listed] == stage_names
    everything = {id(variable) for variable in student.trainable_variables}
    head = ids(student.output_dense)
    both = ids(student.output_dense, student.backbone.pooled_dense)
    trained = [trained_in(stage) for stage in listed]
    assert trained[0] == everything
    assert trained[1:4] == trained[4:] == [head, both, everything]
    for stage in listed[:4]:
        # No labels.
        assert stage.student_loss_weight == 0
        assert stage.loss is None
        assert (stage.keep.monitor, stage.keep.mode) == ("loss", "min")
    assert listed[0].train is data.train
    assert isinstance(listed[1].teacher, teachers.TeacherCache)
    for stage in listed[4:]:
        assert stage.teacher is None
        assert stage.train is data.train
        assert (stage.keep.monitor, stage.keep.mode) == ("accuracy", "max")
    assert {stage.keep.patience for stage in listed} == {2}


@pytest.mark.slow
def test_what_a_stage_freezes_does_not_change(experiment, prepared):
    student = prepared.student
    listed = stage_list.distillation_stages(experiment, prepared)

    def values(*layers):
        return [w for layer in layers for w in layer.get_weights()]

    def of_encoder():
        known = ids(student.backbone.pooled_dense)
        return [
            weight.numpy()
            for weight in student.backbone.weights
            if id(weight) not in known
        ]

    for stage, head, projection, encoder in zip(
        listed,
        (False, True, True, True, True, True, True),
        (False, False, True, True, False, True, True),
        (True, False, False, True, False, False, True),
        strict=True,
    ):
        before = (
            values(student.output_dense),
            values(student.backbone.pooled_dense),
            of_encoder(),
        )
        # What it ends with counts here, better or not.
        stage.keep = "last"
        experiment.run([stage])
        after = (
            values(student.output_dense),
            values(student.backbone.pooled_dense),
            of_encoder(),
        )
        changed = [
            any((x != y).any() for x, y in zip(old, new, strict=True))
            for old, new in zip(before, after, strict=True)
        ]
        assert changed == [head, projection, encoder], stage.name


def test_other_heads_are_compared_by_relations(
    experiment, prepared, make_classifier
):
    lesson = dataclasses.replace(
        prepared, teacher=make_classifier(num_layers=3, num_heads=4)
    )
    (stage, *_) = stage_list.distillation_stages(experiment, lesson)
    relations = stage.distillation_losses[1]
    assert isinstance(relations, losses.RelationDistillation)
    assert relations.num_relation_heads == 2
    found = stage.build().evaluate(
        lesson.dev.batches(16), verbose=0, return_dict=True
    )
    assert np.isfinite(found["relations_loss"])


def words_of(model):
    return {id(w) for w in model.backbone.token_embedding.weights}


@pytest.mark.parametrize(
    ("unfreezing", "embedding_dim"), [("encoder", None), ("layer", 4)]
)
def test_frozen_words_are_trained_on_targets_alone(
    experiment, prepared, unfreezing, embedding_dim, monkeypatch
):
    teacher, data = prepared.teacher, prepared.data
    experiment.config = dataclasses.replace(
        experiment.config,
        freeze_embeddings=True,
        embedding_dim=embedding_dim,
        unfreezing=unfreezing,
        # Without them there are no logits to compute.
        logits_epochs=0,
    )
    student = stage_list.create_student(experiment, teacher)
    listed = stage_list.distillation_stages(
        experiment, dataclasses.replace(prepared, student=student)
    )
    for stage in listed:
        assert not trained_in(stage) & words_of(student)
    assert trained_in(listed[0]) > ids(student.backbone.position_embedding)
    # A stage leaves what it found.
    assert not student.backbone.token_embedding.trainable

    ran = []
    monkeypatch.setattr(experiment, "run", ran.extend)
    monkeypatch.setattr(experiment, "teacher", lambda *_: (teacher, data))
    monkeypatch.setattr(TaskData, "score", lambda *_: {})
    targets.transfer(
        experiment,
        "sst2",
        targets.with_encoder_of(student),
        [targets.BASELINE, targets.TRANSFERRED, targets.FURTHER],
    )
    for stage in ran[:2]:
        assert trained_in(stage) >= words_of(stage.student)
    assert ran[2].name.startswith("sst2.further.")
    for stage in ran[2:]:
        assert not trained_in(stage) & words_of(stage.student)


@pytest.mark.parametrize(
    "kind, names, metric, labels",
    [
        (tasks.RegressionTask, None, "pearson_spearman", [0.5, 2.0, 1.0, 0.0]),
        (
            tasks.MultiLabelTask,
            ("sad", "funny"),
            "micro_f1",
            [[1, 1], [0, 1], [1, 0], [0, 0]],
        ),
    ],
)
def test_tasks_of_any_kind_are_distilled(
    experiment, make_classifier, kind, names, metric, labels, tmp_path
):
    task = kind("films", ("text",), names, (metric,), 16)
    rows = tasks.Examples(
        (["a sad film", "a funny plot", "dull", "good"],),
        task.encode_labels(labels),
    )
    teacher, student = (
        make_classifier(layers, num_classes=task.num_outputs)
        for layers in (2, 1)
    )
    data = TaskData(task, rows, rows).tokenize(teacher.preprocessor.tokenizer)
    lesson = stage_list.Lesson(
        None, data, data.train, data.validation, teacher, student, tmp_path
    )
    listed = stage_list.distillation_stages(experiment, lesson)
    # Whatever the outputs stand for, they follow the teacher's as they are.
    assert listed[1].distillation_losses.loss == "mse"
    assert isinstance(listed[-1].loss, type(task.label_loss()))
    assert listed[-1].keep.monitor == metric
    assert np.isfinite(listed[-1].keep.measure()[metric])
    assert np.isfinite(data.chance())
