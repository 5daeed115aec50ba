"""The list of stages, read off the stages themselves."""

import keras
import pytest

from keras_distill import callbacks
from keras_distill import losses
from keras_distill import optimizers
from keras_distill import schedules
from keras_distill import stages
from tests.stages import tiny_run


def make_stage(model, **words):
    settings = {
        "loss": tiny_run.cross_entropy(),
        "optimizer": lambda steps: keras.optimizers.SGD(0.5),
        "epochs": 2,
        "batch_size": 8,
        **words,
    }
    return stages.Stage("one", model, tiny_run.make_data(), **settings)


def cells(stage):
    line = stages.stage_table([stage]).splitlines()[2]
    return line.strip("| ").split(" | ")


def test_each_stage_is_a_row():
    model = tiny_run.make_model(3)
    stage = make_stage(model)
    table = stages.stage_table([stage, stage])
    assert table.startswith("| stage | rows | learns from | trains |")
    assert len(table.splitlines()) == 4
    # 4 x 3 weights and 3 biases, then 3 x 2 and 2.
    assert cells(stage) == [
        "one",
        "40",
        "labels: SparseCategoricalCrossentropy",
        "all: 23 of 23 weights",
        "SGD, 0.5",
        "2 epochs, 10 steps",
        "last",
    ]


def test_what_a_part_of_a_student_learns_from_a_teacher():
    model = tiny_run.make_model(3)
    stage = make_stage(
        model,
        loss=None,
        teacher=tiny_run.make_model(5),
        distillation_losses=[
            losses.LogitsDistillation(),
            losses.FeatureDistillation("hidden", "hidden"),
        ],
        student_loss_weight=0,
        trainable=[model.get_layer("head")],
        keep=callbacks.KeepBest(dict, "loss", mode="min", patience=2),
    )
    _, _, sources, trains, *_, keep = cells(stage)
    assert sources == "the teacher: logits, hidden"
    assert trains == "head: 8 of 23 weights"
    assert keep == "loss, min, patience 2"


@pytest.mark.parametrize(
    "make, words",
    [
        (
            lambda: keras.optimizers.SGD(
                schedules.JoinedSchedules([(0.5, 2), (0.1, 2)])
            ),
            "SGD, JoinedSchedules",
        ),
        (
            lambda: optimizers.RateScaleOptimizer(keras.optimizers.SGD(0.5)),
            "RateScaleOptimizer over SGD, 0.5",
        ),
        (
            lambda: keras.optimizers.AdamW(
                schedules.WarmupLinearDecay(2e-3, 10)
            ),
            "AdamW, WarmupLinearDecay with peak 0.002",
        ),
    ],
)
def test_every_optimizer_is_listed(make, words):
    stage = make_stage(tiny_run.make_model(3), optimizer=lambda _: make())
    assert cells(stage)[4] == words
