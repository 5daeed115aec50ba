"""A task without a teacher trains as if there were no distillation."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses
from keras_distill import optimizers
from keras_distill.data import MultiTaskExamples

ORDER = {"batch_size": 4, "shuffle": True, "seed": 3}


def optimizer():
    return optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.5)


def made(make_model):
    keras.utils.set_random_seed(5)
    return make_model()


def test_its_steps_are_those_of_keras_bit_for_bit(
    make_model, make_distiller, rows, by_task, arrays
):
    """With dropout, weight decay and clipping; with others beside it."""
    plain = made(make_model)
    task = plain.task_models["nli"]
    task.compile(optimizer(), loss=by_task["nli"], metrics=[])
    # PyTorch draws dropout from a generator that all share.
    seed = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: keras.utils.set_random_seed(epoch)
    )
    settings = {"epochs": 2, "verbose": 0, "callbacks": [seed]}
    keras.Model.fit(
        task, rows["nli"].batches(**ORDER), shuffle=False, **settings
    )

    student = made(make_model)
    distiller = make_distiller(student, teachers=None, optimizer=optimizer())
    before = arrays(student.task_models["score"].output_dense.variables)
    examples = MultiTaskExamples({"nli": rows["nli"]})
    distiller.fit(examples.batches(**ORDER), **settings)

    for one, other in zip(
        arrays(task.variables),
        arrays(student.task_models["nli"].variables),
        strict=True,
    ):
        np.testing.assert_array_equal(other, one)
    after = arrays(student.task_models["score"].output_dense.variables)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_distiller_without_a_teacher(make_model, rows, by_task):
    model = make_model().task_models["nli"]
    distiller = Distiller(None, model, None, student_loss_weight=1)
    assert distiller.plan() == []
    distiller.compile("sgd", by_task["nli"], run_eagerly=True)
    measured = distiller.evaluate(rows["nli"], verbose=0, return_dict=True)
    assert set(measured) == {"loss", "student_loss"}
    assert measured["loss"] == measured["student_loss"]
    distiller.student_loss_weight = 0.5
    with pytest.raises(ValueError, match="must be 1 without a teacher"):
        distiller.evaluate(rows["nli"], verbose=0)


@pytest.mark.parametrize(
    "words, message",
    [
        ({}, "`student_loss_weight` must be 1 and `teacher_training` False"),
        (
            {"distillation_losses": losses.LogitsDistillation()},
            "`distillation_losses` compare the student with a teacher",
        ),
        (
            {"student_loss_weight": 1, "teacher_training": True},
            "`student_loss_weight` must be 1 and `teacher_training` False",
        ),
    ],
)
def test_what_needs_a_teacher(make_model, words, message):
    model = make_model().task_models["nli"]
    words = {"distillation_losses": None, **words}
    with pytest.raises(ValueError, match=message):
        Distiller(None, model, **words)
