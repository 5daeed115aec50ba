"""The stages of each way of transfer, before any training."""

import types

import numpy as np
import pytest

from keras_distill import callbacks
from keras_distill import losses
from keras_distill import models
from recipes.mobilebert import plan
from recipes.mobilebert import pretrained_models
from recipes.mobilebert import profiles
from recipes.mobilebert import transfer
from recipes.mobilebert.config import Config


@pytest.fixture(scope="module")
def make(settings):
    """The configuration, models and stages of some settings."""

    def build(**changes):
        given = {**settings, **changes}
        given = {k: v for k, v in given.items() if v is not None}
        config = Config(**given)
        teacher = pretrained_models.make_teacher(config)
        student, start = pretrained_models.make_student(config, teacher)
        rows = plan.MadeUpRows(config, student)
        return types.SimpleNamespace(
            config=config,
            teacher=teacher,
            student=student,
            start=start,
            rows=rows,
            stages=transfer.student_stages(
                config, teacher, student, lambda stage: rows
            ),
        )

    return build


def _losses(stage):
    return [type(loss).__name__ for loss in stage.distillation_losses or ()]


LAYERS = ["FeatureMapTransfer", "AttentionDistillation"]


def test_progressive_transfer_follows_layer_by_layer(make):
    made = make()
    first, second = made.stages
    assert [first.total_steps, second.total_steps] == [6, 3]
    assert _losses(first) == LAYERS
    assert _losses(second) == ["PretrainingDistillation"]
    (progress, _) = first.callbacks
    assert isinstance(progress, callbacks.ProgressiveKnowledgeTransfer)
    assert progress.get_config() == {
        "epochs": None,
        "steps": 3,
        "layers_at_once": 1,
        "order": "bottom_up",
        "hold": ("embeddings", "head"),
        "done_rate": 0.1,
    }
    # Rates are those of the paper for each layer.
    optimizer = first.optimizer(first.total_steps)
    schedule = optimizer.inner_optimizer._learning_rate
    assert schedule.get_config() == {"peak": 4.5e-3, "steps_per_layer": 3}
    assert not optimizer.inner_optimizer._use_weight_decay(
        made.student.backbone.transformer_layers[0].trainable_variables[1]
    )
    assert first.distillation_loss_weights == [0.5, 0.5]


def test_joint_transfer_follows_all_at_once(make):
    made = make(transfer="joint")
    first, second = made.stages
    assert _losses(first) == LAYERS and first.total_steps == 6
    assert _losses(second) == ["PretrainingDistillation"]
    assert [type(x).__name__ for x in first.callbacks] == ["Throughput"]
    # Embeddings and heads are held, as layer by layer.
    layers = made.student.backbone.transformer_layers
    count = sum(len(layer.trainable_variables) for layer in layers)
    with first.only_trainable():
        assert len(made.student.trainable_variables) == count
    assert not second.describe()["frozen_weights"]


def test_auxiliary_transfer_is_one_stage_of_as_many_steps(make):
    (stage,) = make(transfer="auxiliary").stages
    assert _losses(stage) == [*LAYERS, "PretrainingDistillation"]
    assert stage.total_steps == 9
    assert stage.distillation_loss_weights == [0.5, 0.5, 1.0]


def test_without_transfer_the_predictions_alone_are_followed(make):
    (stage,) = make(transfer="none", transfer_steps=None).stages
    assert _losses(stage) == ["PretrainingDistillation"]
    assert stage.total_steps == 3


def test_a_student_without_a_teacher_learns_from_labels(make):
    made = make(transfer="none", alpha=1.0, transfer_steps=None)
    assert made.teacher is None and made.start == "The student starts at random"
    (stage,) = made.stages
    assert stage.teacher is None
    assert set(stage.loss) == {"masked_lm", "next_sentence"}
    stage.build()


def test_a_student_starts_with_its_teachers_embeddings_and_heads(make):
    made = make()
    for name in ("token_embedding", "embedding_projection"):
        ours, theirs = (
            getattr(model.backbone, name, None)
            for model in (made.student, made.teacher)
        )
        if ours is not None:
            np.testing.assert_array_equal(
                ours.get_weights()[0], theirs.get_weights()[0]
            )
    np.testing.assert_array_equal(
        made.student.next_sentence_dense.kernel,
        made.teacher.next_sentence_dense.kernel,
    )
    assert "fits" in made.start


@pytest.mark.parametrize("way", ["progressive", "auxiliary"])
def test_an_ordinary_teacher_teaches_layers_and_no_predictions(
    make, folder, way
):
    made = make(
        teacher=str(folder / "encoder"),
        tokenizer=None,
        teacher_size=None,
        teacher_steps=None,
        transfer=way,
    )
    assert not isinstance(made.teacher, models.PretrainingModel)
    assert "truncated SVD" in made.start
    first, last = made.stages[0], made.stages[-1]
    assert _losses(first) == LAYERS
    # Its states are 8 wide, the student's 12.
    distiller = first.build()
    assert len(distiller.projections) == 2
    if way == "progressive":
        assert last.teacher is None and set(last.loss) == set(transfer._OUTPUTS)
    else:
        assert last.student_loss_weight == 0.5


def test_relations_where_heads_differ(make, folder):
    made = make(
        teacher=str(folder / "encoder"),
        tokenizer=None,
        teacher_size=None,
        teacher_steps=None,
        student="2x12x4x4x8x2",
    )
    assert _losses(made.stages[0])[1] == "RelationDistillation"


def test_what_the_paper_writes(make):
    stage = make(feature_loss="paper", feature_weight=3.0).stages[0]
    assert isinstance(
        stage.distillation_losses[0], losses.HiddenStatesDistillation
    )
    assert stage.distillation_loss_weights == [1.5, 0.5]


def test_the_numbers_of_the_paper():
    config = Config(profile=profiles.PAPER)
    assert (config.student, config.teacher_size) == (
        "mobilebert",
        "ib_bert_large",
    )
    assert config.transfer_steps == 24 * 10_000
    assert config.distil_steps == config.teacher_steps == 500_000
    # 10,000 of 500,000.
    assert config.warmup * config.distil_steps == pytest.approx(10_000)
    assert (config.batch_size, config.max_length) == (2048, 512)
    assert config.max_predictions == 20
    # 3 times the rate of the rest.
    assert config.transfer_rate == pytest.approx(3 * config.distil_rate)
    assert config.distil_rate == 1.5e-3
    # What is given beats it.
    config = Config(profile=profiles.PAPER, batch_size=8, tasks="cola")
    assert config.batch_size == 8
    # Of its ranges.
    assert config.tuning_epochs == 10
    assert config.tuning("cola", "runs").rate_values[::4] == [1e-5, 1e-4]


def test_a_plan_tells_what_a_run_takes(settings, monkeypatch):
    timed = []

    def seconds(stage, arrays, count):
        timed.append((stage.name, count))
        return 100.0 * len(timed)

    monkeypatch.setattr(plan, "_seconds", seconds)
    monkeypatch.setattr(plan, "_TOKENS", 24)
    text = plan.plan(Config(**settings), quiet=True)
    # Of 4 rows only 2 are timed; of progressive transfer both ends.
    names = ["teacher", "transfer", "transfer", "distil"]
    assert timed == [(name, 2) for name in names]
    rows = [line.split(" | ") for line in text.splitlines()]
    rows = {row[0].strip("| "): row[1:] for row in rows if len(row) == 5}
    assert rows["teacher"][-3:] == ["144", "200", "10.0 minutes |"]
    assert rows["transfer"][:3] == ["6", "288", "500"]
    assert rows["distil"][2] == "800"
    assert "In all 100.0 minutes, without fine-tuning." in text
    assert "one of 4 rows is taken for 2 of them" in text


@pytest.mark.slow
def test_a_plan_is_measured(settings):
    text = plan.plan(Config(**settings, plan=True), quiet=True)
    for name in ("teacher", "student", "transfer", "distil"):
        assert f"| {name} |" in text
    assert "| 6 | 288 |" in text
    assert "Measured by 3 steps of 4 rows of 12 tokens each." in text
