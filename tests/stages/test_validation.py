"""Stages that say which measure on which examples chooses their epochs."""

import json

import keras
import numpy as np
import pytest

from keras_distill import losses
from keras_distill import stages
from tests.stages import tiny_run


class Accuracy:
    """As much of a task as a stage asks for."""

    metrics = ("accuracy", "error")
    selection_metric = "accuracy"

    def evaluate(self, model, examples):
        predicted = model.predict_on_batch(examples.x).argmax(-1)
        right = float((predicted == examples.y).mean())
        return {"accuracy": right, "error": 1 - right}


def make_stage(model=None, **words):
    settings = {
        "loss": tiny_run.cross_entropy(),
        "optimizer": "adam",
        "epochs": 2,
        "validation": tiny_run.make_data(24),
        **words,
    }
    return stages.Stage(
        "one", model or tiny_run.make_model(4), tiny_run.make_data(), **settings
    )


def measured(stage):
    """What is measured before the first epoch."""
    stage.keep.set_model(stage.build())
    return stage.keep.measure()


def expected_accuracy(stage):
    data = tiny_run.make_data(24)
    outputs = stage.student.predict_on_batch(data.x)
    return (outputs.argmax(-1) == data.y).mean()


def test_a_task_chooses_by_its_metric():
    stage = make_stage(task=Accuracy(), patience=2)
    rule = stage.keep.monitor, stage.keep.mode, stage.keep.patience
    assert rule == ("accuracy", "max", 2)
    assert stage.describe()["keep"] == "accuracy, patience 2"
    found = measured(stage)
    assert set(found) == {"accuracy", "error"}
    assert found["accuracy"] == expected_accuracy(stage)
    assert make_stage(task=Accuracy(), select_by="error").keep.monitor == (
        "error"
    )


def test_a_distiller_chooses_by_its_loss_and_knows_the_metrics():
    keras.utils.set_random_seed(1)
    teacher = tiny_run.make_model(8, dropout=0)
    stage = make_stage(
        tiny_run.make_model(4, dropout=0),
        teacher=teacher,
        distillation_losses=losses.LogitsDistillation(loss="mse"),
        student_loss_weight=0,
        loss=None,
        task=Accuracy(),
        select_by="loss",
        batch_size=8,
    )
    assert (stage.keep.monitor, stage.keep.mode) == ("loss", "min")
    found = measured(stage)
    x = tiny_run.make_data(24).x
    ours, theirs = (
        model.predict_on_batch(x) for model in (stage.student, teacher)
    )
    np.testing.assert_allclose(
        found["loss"], np.mean((ours - theirs) ** 2), rtol=1e-5
    )
    assert found["accuracy"] == expected_accuracy(stage)


def test_without_a_task_the_loss_on_the_labels_chooses():
    stage = make_stage()
    assert stage.describe()["keep"] == "loss, min"
    data = tiny_run.make_data(24)
    loss = tiny_run.cross_entropy()(
        data.y, stage.student.predict_on_batch(data.x)
    )
    np.testing.assert_allclose(measured(stage)["loss"], loss, rtol=1e-5)


def test_what_chooses_is_part_of_what_a_stage_is():
    def selection(**words):
        stage = make_stage(**words)
        return stage.identity(1, {}, {})["code"]["selection"]

    first = selection(task=Accuracy())
    assert selection(task=Accuracy()) == first
    assert selection() != first
    assert selection(task=Accuracy(), select_by="loss") != first
    others = tiny_run.make_data(23)
    assert selection(task=Accuracy(), validation=others) != first


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"validation": None, "patience": 2}, "which needs `validation`"),
        ({"validation": None, "select_by": "loss"}, "needs `validation`"),
        ({"validation": None, "task": Accuracy()}, "needs `validation`"),
        ({"validation": [1, 2]}, "`validation` of stage 'one' must be token"),
        ({"select_by": "accuracy"}, "must be one of loss. Received"),
        ({"task": Accuracy(), "select_by": "f1"}, "loss, accuracy, error"),
        ({"patience": 0}, "`patience` must be an int of 1 or more"),
    ],
)
def test_what_cannot_choose_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        make_stage(**words)


def test_validation_and_keep_are_two_ways_to_choose():
    keep = make_stage().keep
    with pytest.raises(ValueError, match="either `validation` or `keep`"):
        make_stage(keep=keep)


class StopOnce(keras.callbacks.Callback):
    """Ends a run in the middle, before its fourth batch."""

    stops = True

    def on_train_batch_begin(self, batch, logs=None):
        if self.stops and self.model.optimizer.iterations == 3:
            raise RuntimeError("stopped here")


def noisy_stage(**words):
    """Five batches, measured after each second one and at the end."""
    keras.utils.set_random_seed(2)
    teacher, student = tiny_run.make_model(8), tiny_run.make_model(4)
    return make_stage(
        student,
        teacher=teacher,
        teacher_training=True,
        distillation_losses=losses.LogitsDistillation(loss="mse"),
        student_loss_weight=0,
        loss=None,
        epochs=1,
        batch_size=8,
        evaluate_every=2,
        compile_options={"run_eagerly": True},
        **words,
    )


def test_a_stop_between_measures_changes_nothing(tmp_path):
    """Neither what is kept, nor what the teacher's dropout draws."""
    found = []
    for stops in (False, True):
        stage = noisy_stage(callbacks=[StopOnce()])
        stage.callbacks[0].stops = stops
        if stops:
            with pytest.raises(RuntimeError, match="stopped here"):
                stages.run_stages(
                    [stage],
                    tmp_path / str(stops),
                    checkpoint_every=0.0,
                    quiet=True,
                )
            stage = noisy_stage(callbacks=[StopOnce()])
            stage.callbacks[0].stops = False
        done = stages.run_stages(
            [stage], tmp_path / str(stops), checkpoint_every=0.0, quiet=True
        )
        lines = (tmp_path / str(stops) / "metrics.jsonl").read_text()
        found.append((done["one"].best, done["one"].history, lines))
        found[-1] += (tiny_run.digest(stage.student.get_weights()),)
    assert found[0] == found[1]
    best, _, lines, _ = found[0]
    assert best["step"] in (0, 2, 4, 5)
    measured_at = [
        json.loads(line)["step"]
        for line in lines.splitlines()
        if "val_loss" in line
    ]
    assert measured_at == [0, 2, 4, 5]


def test_how_often_is_part_of_what_a_stage_is():
    stage = make_stage(evaluate_every=3)
    assert stage.describe()["keep"] == "loss, min, every 3 batches"
    assert noisy_stage().describe()["teacher_training"] is True
    assert "teacher_training" not in stage.describe()
    with pytest.raises(ValueError, match="`teacher_training` is for a stage"):
        make_stage(teacher_training=True)
    with pytest.raises(ValueError, match="`evaluate_every` is about"):
        make_stage(validation=None, evaluate_every=3)
