"""A stage that trains several tasks, and goes on where it was stopped."""

import keras
import numpy as np
import pytest

from keras_distill import losses
from keras_distill import stages
from keras_distill.data import MainTaskMixing
from keras_distill.data import MultiTaskExamples

BATCH_SIZE = 4


class Share:
    """As much of a task as a stage asks for."""

    metrics = ("share", "error")
    selection_metric = "share"
    label_names = None

    def __init__(self, value):
        self.value = value

    def evaluate(self, model, examples):
        return {"share": self.value, "error": len(examples)}


class Stopped(Exception):
    pass


@pytest.fixture(scope="module")
def student(make_model):
    return make_model()


@pytest.fixture(scope="module")
def teacher(make_model):
    return make_model(16)


@pytest.fixture(scope="module")
def make_stage(student, teacher, rows, by_task):
    def make(student=student, **words):
        settings = {
            "train": MultiTaskExamples(rows),
            "teacher": {"nli": teacher.task_models["nli"]},
            "distillation_losses": losses.LogitsDistillation(
                loss="cross_entropy"
            ),
            "loss": by_task,
            "metrics": {"nli": ["accuracy"]},
            "optimizer": lambda steps: keras.optimizers.Adamax(0.01),
            "epochs": 2,
            "batch_size": BATCH_SIZE,
            "compile_options": {"run_eagerly": True},
            **words,
        }
        return stages.Stage("tasks", student, **settings)

    return make


class Stop(keras.callbacks.Callback):
    """Ends a training as a lost machine would, before a batch."""

    def __init__(self, at):
        super().__init__()
        self.at = at
        self.batches = 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.batches == self.at:
            raise Stopped
        self.batches += 1


@pytest.fixture(scope="module")
def run(make_stage, make_model, rows, by_task, arrays):
    """Trains three batches of two tasks twice, always from the same start."""

    def go(folder, stop_at=None):
        keras.utils.set_random_seed(3)
        student = make_model(tasks=("nli", "score"))
        stop = Stop(stop_at)
        stage = make_stage(
            student,
            train={
                "nli": rows["nli"].select(np.arange(6)),
                "score": rows["score"].select(np.arange(3)),
            },
            loss={task: by_task[task] for task in ("nli", "score")},
            callbacks=[stop],
        )
        results = stages.run_stages(
            [stage], folder, seed=5, checkpoint_every=0, quiet=True
        )
        return results["tasks"], arrays(student.weights), stop.batches

    return go


def test_stopped_within_an_epoch_it_ends_with_the_same_weights(run, tmp_path):
    result, weights, batches = run(tmp_path / "whole")
    assert batches == 6
    with pytest.raises(Stopped):
        run(tmp_path / "stopped", stop_at=5)
    resumed, others, batches = run(tmp_path / "stopped")
    assert batches == 1
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(one, other)
    # What was measured before counts, too.
    assert resumed.history == result.history
    assert {"loss", "nli/accuracy", "nli/logits_loss", "score/loss"} <= set(
        result.history
    )
    lines = (tmp_path / "stopped" / "metrics.jsonl").read_text().splitlines()
    assert '"nli/logits_loss"' in lines[-1]


def test_the_mean_of_named_tasks_chooses(make_stage, rows):
    tasks = {"nli": Share(0.5), "score": Share(0.9), "tags": Share(0.1)}
    words = {"task": tasks, "validation": rows}
    stage = make_stage(**words, select_by=["nli", "tags/error"])
    assert stage.describe()["keep"] == "mean"
    assert stage.keep.measure() == {
        **{"nli/share": 0.5, "nli/error": 8},
        **{"score/share": 0.9, "score/error": 4},
        **{"tags/share": 0.1, "tags/error": 4},
        "mean": 2.25,
    }
    everything = make_stage(**words)
    assert everything.keep.measure()["mean"] == pytest.approx(0.5)
    others = [everything, make_stage(**words, select_by="nli")]
    hashes = [one.keep.measure.fingerprint() for one in (stage, *others)]
    assert len(set(hashes)) == 3
    by_loss = make_stage(**words, select_by="loss")
    assert (by_loss.keep.monitor, by_loss.keep.mode) == ("loss", "min")


def test_what_a_stage_of_several_tasks_is(make_stage, make_model, rows):
    stage = make_stage(student_loss_weight={"nli": 0.25})
    assert stage.steps_per_epoch == 4
    described = stage.describe()
    assert described["has_teacher"] == ["nli"]
    assert described["student_loss_weight"] == {"nli": 0.25}
    model = stage.build()
    assert model.distillers["nli"].student_loss_weight == 0.25
    found = stage.identity(1, {}, {})
    assert found["teacher"]["score"] is None
    # A teacher of other weights is another one.
    other = make_stage(
        teacher=make_model(16),
        distillation_losses=losses.LogitsDistillation(loss="mse"),
    ).identity(1, {}, {})
    assert other["teacher"]["nli"] != found["teacher"]["nli"]
    assert set(other["teacher"]) == {"nli", "score", "tags"}
    mixed = MultiTaskExamples(rows, MainTaskMixing("nli", 0.5))
    assert make_stage(train=mixed).steps_per_epoch == 2 + 1
    frozen = make_stage(trainable=["head"])
    with frozen.only_trainable():
        heads = [
            variable
            for model in frozen.student.task_models.values()
            for variable in model.output_dense.trainable_variables
        ]
        pooler = frozen.student.backbone.pooled_dense.trainable_variables
        trained = {id(v) for v in frozen.student.trainable_variables}
        assert trained == {id(v) for v in (*heads, *pooler)}
    table = " ".join(stages.stage_table([stage]).split())
    assert "nli, the teacher: logits; score, labels: str; tags, " in table


@pytest.mark.parametrize(
    "words, message",
    [
        ({"train": 3}, "`train` of stage 'tasks' must be keras_distill"),
        ({"teacher": 3}, "`teacher` of stage 'tasks' must be a dict by task"),
        (
            {"teacher": {"cola": 1}},
            "`teacher` .* by task of the student: nli, score, tags.*'cola'",
        ),
        (
            {"student_loss_weight": {"score": 0.5}},
            "`student_loss_weight` .* by task of `teacher`: nli.*'score'",
        ),
        ({"loss": {"nli": "mse"}}, "task 'score' has nothing to learn"),
        ({"teacher": None}, "`teacher` and `distillation_losses` go together"),
        (
            {"distillation_losses": None},
            "go together. Received, for stage 'tasks', task 'nli'",
        ),
        ({"class_weight": "balanced"}, "`class_weight` is for"),
    ],
)
def test_what_does_not_go_together(make_stage, words, message):
    with pytest.raises(ValueError, match=message):
        make_stage(**words)


def test_what_cannot_choose(make_stage, rows):
    words = {"task": {"nli": Share(1)}, "validation": rows}
    for select_by in ("rte", ["nli", "loss"], [], ["score"]):
        with pytest.raises(ValueError, match="`select_by` must be one of"):
            make_stage(**words, select_by=select_by)
