"""What callbacks monitor is in the logs, or they are told at the start."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import callbacks
from keras_distill import losses

C = keras.callbacks


@pytest.fixture(scope="module")
def distiller():
    def dense():
        x = keras.Input((4,))
        return keras.Model(x, keras.layers.Dense(3)(x))

    distiller = Distiller(dense(), dense(), losses.LogitsDistillation())
    distiller.compile(
        "sgd",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[
            "accuracy",
            keras.metrics.SparseTopKCategoricalAccuracy(2, name="top_2"),
        ],
        run_eagerly=True,
    )
    return distiller


@pytest.fixture
def fit(distiller):
    def run(*used, **words):
        x, y = np.zeros((4, 4)), np.array([0, 1, 2, 0])
        if words.pop("validates", True):
            words["validation_data"] = (x, y)
        return distiller.fit(x, y, callbacks=list(used), verbose=0, **words)

    return run


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (C.EarlyStopping("val_total_loss"), "total loss is 'val_loss' here"),
        (C.EarlyStopping("total_loss"), "total loss is 'loss' here"),
        (
            C.ReduceLROnPlateau("distillation_loss"),
            "its own name here: 'logits_loss'",
        ),
        (
            C.ModelCheckpoint(
                "a.weights.h5",
                "val_f1",
                save_best_only=True,
                save_weights_only=True,
            ),
            "ModelCheckpoint.*Logged are .*'val_student_loss'.*'val_accuracy'",
        ),
    ],
)
def test_what_is_never_logged_is_told_at_the_start(
    fit, distiller, callback, message
):
    before = distiller.get_weights()
    with pytest.raises(ValueError, match=message):
        fit(callback)
    for one, other in zip(distiller.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_validation_that_is_not_asked_for_is_told(fit):
    with pytest.raises(ValueError, match="Pass `validation_data`"):
        fit(C.EarlyStopping("val_loss"), validates=False)
    fit(C.EarlyStopping("val_loss"), validates=False, validation_split=0.5)


def test_a_checkpoint_of_each_epoch_monitors_nothing(fit, tmp_path):
    path = tmp_path / "last.weights.h5"
    fit(C.ModelCheckpoint(path, save_weights_only=True), validates=False)
    assert path.exists()


def test_what_is_logged_is_monitored(fit):
    names = ("loss", "student_loss", "logits_loss", "accuracy", "top_2")
    history = fit(
        *(C.EarlyStopping(name, mode="min") for name in names),
        *(C.EarlyStopping(f"val_{name}", mode="min") for name in names),
    ).history
    assert {*names, *(f"val_{name}" for name in names)} <= set(history)


def test_measures_of_keep_best_are_monitored(fit):
    keep = callbacks.KeepBest(lambda: {"f1": 0.5}, "f1")
    stop = C.EarlyStopping("val_f1", mode="max")
    assert fit(keep, stop, validates=False).history["val_f1"] == [0.5]
    assert stop.best == 0.5


class AddsF1(C.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["f1"] = 0.5


def test_what_a_callback_of_ones_own_adds_is_monitored(fit):
    stop = C.EarlyStopping("f1", mode="max")
    fit(AddsF1(), stop)
    assert stop.best == 0.5


def test_beside_a_callback_of_ones_own_a_known_name_is_a_warning(fit):
    stop = C.EarlyStopping("total_loss", mode="min")
    with pytest.warns(UserWarning) as told:
        fit(AddsF1(), stop)
    assert "The total loss is 'loss' here." in str(told[0].message)
