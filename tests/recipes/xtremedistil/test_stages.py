"""What each stage of the recipe learns from, trains and is listed as."""

import dataclasses

import numpy as np
import pytest

from keras_distill import losses
from recipes.xtremedistil import stage_list
from recipes.xtremedistil import targets
from recipes.xtremedistil.trainer import TaskData


def trained_in(stage):
    with stage.only_trainable():
        return {id(variable) for variable in stage.student.trainable_variables}


def ids(*things):
    return {id(variable) for one in things for variable in one.weights}


def test_each_stage_has_its_data_losses_and_parts(
    trainer, prepared, stage_names
):
    teacher, student, data = prepared
    transfer = trainer.transfer_data(data.train, data, teacher)
    listed = stage_list.distillation_stages(
        trainer.config, data, transfer, teacher, student
    )
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
    assert listed[1].teacher is transfer.logits
    for stage in listed[4:]:
        assert stage.teacher is None
        assert stage.train is data.train
        assert (stage.keep.monitor, stage.keep.mode) == ("accuracy", "max")
    assert {stage.keep.patience for stage in listed} == {2}


@pytest.mark.slow
def test_what_a_stage_freezes_does_not_change(trainer, prepared):
    teacher, student, data = prepared
    transfer = trainer.transfer_data(data.train, data, teacher)
    listed = stage_list.distillation_stages(
        trainer.config, data, transfer, teacher, student
    )

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
        trainer.run([stage])
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
    trainer, prepared, make_classifier
):
    _, student, data = prepared
    teacher = make_classifier(num_layers=3, num_heads=4)
    transfer = trainer.transfer_data(data.train, data, teacher)
    (stage, *_) = stage_list.distillation_stages(
        trainer.config, data, transfer, teacher, student
    )
    relations = stage.distillation_losses[1]
    assert isinstance(relations, losses.RelationDistillation)
    assert relations.num_relation_heads == 2
    found = stage.build().evaluate(
        data.dev.batches(8), verbose=0, return_dict=True
    )
    assert np.isfinite(found["relations_loss"])


def words_of(model):
    return {id(w) for w in model.backbone.token_embedding.weights}


@pytest.mark.parametrize("embedding_dim", [None, 4])
@pytest.mark.parametrize("unfreezing", ["encoder", "layer"])
def test_frozen_words_are_trained_on_targets_alone(
    trainer, prepared, unfreezing, embedding_dim, monkeypatch
):
    teacher, _, data = prepared
    trainer.config = dataclasses.replace(
        trainer.config,
        freeze_embeddings=True,
        embedding_dim=embedding_dim,
        unfreezing=unfreezing,
        # Without them there are no logits to compute.
        logits_epochs=0,
    )
    student = trainer.create_student(teacher)
    ran = []
    monkeypatch.setattr(trainer, "run", ran.extend)

    trainer.distil(data, stage_list.TransferData(data.train), teacher, student)
    for stage in ran:
        assert not trained_in(stage) & words_of(student)
    assert trained_in(ran[0]) > ids(student.backbone.position_embedding)
    # A stage leaves what it found.
    assert not student.backbone.token_embedding.trainable

    ran.clear()
    monkeypatch.setattr(trainer, "teacher", lambda *_: (teacher, data))
    monkeypatch.setattr(TaskData, "score", lambda *_: {})
    targets.transfer(
        trainer,
        "sst2",
        targets.transferred_from(student),
        [targets.BASELINE, targets.TRANSFERRED, targets.FURTHER],
    )
    for stage in ran[:2]:
        assert trained_in(stage) >= words_of(stage.student)
    assert ran[2].name.startswith("sst2.further.")
    for stage in ran[2:]:
        assert not trained_in(stage) & words_of(stage.student)
