"""What a MultiTaskDistiller is made of, and what it refuses."""

import keras
import numpy as np
import pytest

from keras_distill import MultiTaskDistiller
from keras_distill import losses
from keras_distill import optimizers
from keras_distill.checks.model_of import model_of
from keras_distill.data import Examples

SOFT = losses.LogitsDistillation(loss="cross_entropy")
SCORES = losses.LogitsDistillation(loss="mse")


@pytest.fixture(scope="module")
def student(make_model):
    return make_model()


@pytest.fixture(scope="module")
def teacher(make_model):
    return make_model(16)


def test_arguments_are_for_all_or_by_task(student, teacher):
    tasks = teacher.task_models
    distiller = MultiTaskDistiller(
        student,
        {"nli": tasks["nli"], "tags": tasks["tags"]},
        {"nli": SOFT, "tags": [SOFT, losses.HiddenStatesDistillation()]},
        student_loss_weight={"nli": 0.0},
    )
    assert model_of(distiller) is student
    weights = {
        t: d.student_loss_weight for t, d in distiller.distillers.items()
    }
    assert weights == {"nli": 0.0, "score": 1.0, "tags": 0.5}
    assert [line.split(" | ")[0] for line in distiller.plan()] == [
        "nli: student logits <- teacher logits",
        "score: labels alone",
        "tags: student logits <- teacher logits",
        "tags: student layer 1 <- teacher layer 1",
    ]
    assert list(distiller.projections["tags"])
    names = {id(v) for v in distiller.trainable_variables}
    assert {id(v) for v in student.trainable_variables} < names
    # A model of several tasks teaches those that it has in common.
    by_task = {"nli": SOFT, "tags": SOFT, "score": SCORES}
    both = MultiTaskDistiller(student, teacher, by_task)
    assert all(d.teacher is tasks[t] for t, d in both.distillers.items())


@pytest.mark.parametrize(
    "words, message",
    [
        ({"teachers": 3}, "`teachers` must be a dict of the name of a task"),
        ({"teachers": {"cola": 3}}, "`teachers` must be by task of the stud"),
        ({"distillation_losses": SOFT}, "Received: losses and no teacher"),
        (
            {"teachers": "nli"},
            "Task 'nli': `distillation_losses` must be given for a task with",
        ),
        (
            {"teachers": "nli", "distillation_losses": {"score": SOFT}},
            "`distillation_losses` must be by task of `teachers`: nli.*'score'",
        ),
        (
            {
                "teachers": "nli",
                "distillation_losses": SOFT,
                "student_loss_weight": 2,
            },
            "Task 'nli': `student_loss_weight` must be",
        ),
    ],
)
def test_what_does_not_go_together(student, teacher, words, message):
    if words.get("teachers") == "nli":
        words = {**words, "teachers": {"nli": teacher.task_models["nli"]}}
    with pytest.raises(ValueError, match=message):
        MultiTaskDistiller(student, **words)


def test_a_student_of_one_task(student):
    with pytest.raises(ValueError, match="`student` must be a keras_distill"):
        MultiTaskDistiller(student.task_models["nli"])


@pytest.mark.parametrize(
    "compiled, message",
    [
        ({"loss": None}, "`loss` must be given"),
        ({"loss": {"cola": "mse"}}, "`loss` must be by task of the student"),
        ({"steps_per_execution": 2}, "Received: steps_per_execution=2"),
        (
            {"optimizer": keras.optimizers.SGD(use_ema=True)},
            "An optimizer with `use_ema` works on all variables",
        ),
        (
            {"optimizer": keras.optimizers.SGD(gradient_accumulation_steps=2)},
            "An optimizer with `gradient_accumulation_steps` works on all",
        ),
        ({"metrics": {"rte": ["accuracy"]}}, "`metrics` must be by task"),
    ],
)
def test_what_cannot_be_compiled(student, by_task, compiled, message):
    settings = {"optimizer": "sgd", "loss": by_task, **compiled}
    with pytest.raises(ValueError, match=message):
        MultiTaskDistiller(student).compile(**settings)


def test_data_that_cannot_be_read(student, rows, by_task):
    distiller = MultiTaskDistiller(student)
    distiller.compile("sgd", {"nli": by_task["nli"]})
    for x, message in (
        (rows["nli"], "`x` must be a dict of the name of a task to its token"),
        ({"nli": Examples((["a"],), [0])}, "of task 'nli' must be tokenised"),
        ({"cola": rows["nli"]}, "has the tasks nli, score, tags. Received"),
        ({"score": rows["score"]}, "`loss` must be given for each task that"),
        ({"nli": rows["nli"].with_labels(np.arange(8))}, "Task 'nli': .*3"),
    ):
        with pytest.raises(ValueError, match=message):
            distiller.fit(x, verbose=0)
    # As `load_teacher` would have left it.
    distiller.distillers["nli"].__dict__["label_names"] = ("b", "a", "c")
    named = rows["nli"].with_labels(rows["nli"].labels)
    named.label_names = ("a", "b", "c")
    with pytest.raises(ValueError, match="Task 'nli': .*in another order"):
        distiller.fit({"nli": named}, verbose=0)
    distiller.distillers["nli"].__dict__["label_names"] = None
    with pytest.raises(ValueError, match="monitors what is never logged"):
        distiller.fit(
            {"nli": rows["nli"]},
            verbose=0,
            callbacks=[keras.callbacks.EarlyStopping("val_score/loss")],
        )
    for refused in (distiller.train_on_batch, distiller.test_on_batch):
        with pytest.raises(ValueError, match="A batch is one task's"):
            refused(1, 2)
    with pytest.raises(ValueError, match="is not saved as one file"):
        distiller.save("distiller.keras")


def test_metrics_that_are_for_all_are_each_tasks_own(student, by_task):
    metric = keras.metrics.SparseCategoricalAccuracy()
    distiller = MultiTaskDistiller(student)
    distiller.compile("sgd", by_task, metrics=[metric])
    first, second, third = (
        d._compile_metrics._user_metrics[0]
        for d in distiller.distillers.values()
    )
    assert len({id(metric), id(first), id(second), id(third)}) == 4
    assert first.name == metric.name


def test_callbacks_of_keras_and_saved_weights(
    make_model, make_distiller, rows, arrays, tmp_path
):
    """In eager steps; two tasks, of which one has labels alone."""
    tasks = {"nli": rows["nli"], "score": rows["score"]}

    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    settings = {
        "losses_by_task": {"nli": cross_entropy, "score": "mse"},
        "optimizer": optimizers.AdamW(0.01),
        "run_eagerly": True,
    }
    distiller = make_distiller(make_model(tasks=("nli", "score")), **settings)
    path = tmp_path / "last.weights.h5"
    callbacks = [
        keras.callbacks.ModelCheckpoint(str(path), save_weights_only=True),
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.EarlyStopping("score/loss", mode="min"),
    ]
    if keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(tmp_path / "board"))
    history = distiller.fit(
        tasks, batch_size=8, epochs=1, verbose=0, callbacks=callbacks
    ).history
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert set(history) <= set(header.split(","))
    if keras.backend.backend() == "tensorflow":
        assert {f"epoch_{name}" for name in history} <= _tags(tmp_path)

    keras.utils.set_random_seed(1)
    settings["optimizer"] = optimizers.AdamW(0.01)
    other = make_distiller(make_model(tasks=("nli", "score")), **settings)
    other.optimizer.build(other.trainable_variables)
    other.load_weights(path)
    for one, same in zip(
        arrays([*distiller.student.weights, *distiller.optimizer.variables]),
        arrays([*other.student.weights, *other.optimizer.variables]),
        strict=True,
    ):
        np.testing.assert_array_equal(one, same)


def _tags(folder):
    from tensorflow.compat.v1.train import summary_iterator

    return {
        value.tag
        for file in folder.glob("board/train/*tfevents*")
        for event in summary_iterator(str(file))
        for value in event.summary.value
    }
