"""The best epoch's weights are those that stay."""

import keras
import numpy as np
import pytest

from keras_distill.callbacks import KeepBest


def train(scores, monitor="accuracy"):
    """Fits one weight, which rises by 1 an epoch, under given scores."""
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False)]
    )
    model.set_weights([np.zeros((1, 1), "float32")])
    model.compile(keras.optimizers.SGD(1.0), loss=lambda y, p: -p)
    remaining = iter(scores)
    callback = KeepBest(lambda: {"accuracy": next(remaining)}, monitor)
    history = model.fit(
        np.ones((2, 1)),
        np.ones((2, 1)),
        batch_size=2,
        epochs=len(scores),
        verbose=0,
        callbacks=[callback],
    )
    return callback, history.history, float(model.get_weights()[0][0, 0])


def test_keeps_the_best_epoch():
    callback, history, weight = train([0.5, 0.9, 0.7])
    assert callback.best == {"accuracy": 0.9, "epoch": 2}
    assert history["val_accuracy"] == [0.5, 0.9, 0.7]
    assert weight == 2.0


def test_of_equal_epochs_the_first_is_kept():
    assert train([0.9, 0.9])[2] == 1.0


def test_a_negative_score_is_kept_too():
    callback, _, weight = train([-0.5, -0.2])
    assert callback.best["accuracy"] == -0.2
    assert weight == 2.0


def test_an_unknown_measure_is_named():
    with pytest.raises(ValueError, match="monitor='f1'"):
        train([0.5], monitor="f1")
