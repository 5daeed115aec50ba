"""The teacher's dropout, off unless it is asked for."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses
from keras_distill import tasks
from keras_distill import teachers


def make_model(dropout=0.0):
    x = keras.Input((4,), name="x")
    h = keras.layers.Dropout(dropout)(x)
    return keras.Model(x, keras.layers.Dense(2)(h))


def distiller(**words):
    made = Distiller(
        make_model(dropout=0.5),
        make_model(),
        losses.LogitsDistillation(loss="mse"),
        student_loss_weight=0,
        **words,
    )
    made.compile("sgd")
    return made


def test_its_targets_are_drawn_anew_if_it_is_on():
    x = np.ones((64, 4), "float32")
    for made, is_noisy in (
        (distiller(), False),
        (distiller(teacher_training=True), True),
    ):
        first, second = (
            keras.ops.convert_to_numpy(made.compute_loss(x)) for _ in range(2)
        )
        assert (first != second) == is_noisy
        twin = type(made).from_config(made.get_config())
        assert twin.teacher_training == is_noisy


def test_it_must_be_said_plainly():
    with pytest.raises(ValueError, match="`teacher_training` must be"):
        distiller(teacher_training="on")


def test_a_cache_does_not_hold_it(make_classifier, tmp_path):
    teacher, student = (make_classifier(num_layers=1) for _ in "ts")
    examples = tasks.TokenizedExamples(
        tasks.Examples((["a good film", "a bad film"],)),
        teacher.preprocessor,
        8,
    )
    cache = teachers.TeacherCache.write(
        tmp_path / "cache", teacher, examples, quiet=True
    )
    with pytest.raises(ValueError, match="Use the live teacher"):
        Distiller(
            cache,
            student,
            losses.LogitsDistillation(loss="mse"),
            student_loss_weight=0,
            teacher_training=True,
        )
