import keras
import numpy as np
import pytest

from keras_distill.callbacks import KeepBest


@pytest.fixture
def model():
    """One weight, that counts the epochs it was trained for."""

    class Counts(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.set_weights([np.full((1, 1), epoch + 1.0)])

    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False)]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    model.counts = Counts()
    return model


def fit(model, callback, epochs):
    history = model.fit(
        np.ones((2, 1)),
        np.ones((2, 1)),
        epochs=epochs,
        verbose=0,
        callbacks=[model.counts, callback],
    )
    return history.history


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.1, 0.7, 0.5], 2),
        # The first of equal ones.
        ([0.1, 0.7, 0.7], 2),
        # Matthews's correlation of a bad model.
        ([-0.5, -0.2, -0.9], 2),
        # The correlation of a model that always says the same.
        ([float("nan"), -0.1, float("nan")], 2),
        ([0.3, float("nan"), 0.1], 1),
    ],
)
def test_the_best_epoch_is_put_back(model, scores, best):
    seen = []

    def measure():
        seen.append(float(model.get_weights()[0][0, 0]))
        score = scores[len(seen) - 1]
        return {"accuracy": score, "f1": 10.0 * score}

    callback = KeepBest(measure, monitor="accuracy")
    history = fit(model, callback, epochs=3)
    assert seen == [1.0, 2.0, 3.0]
    assert float(model.get_weights()[0][0, 0]) == best
    assert callback.best == {
        "accuracy": scores[best - 1],
        "f1": 10.0 * scores[best - 1],
        "epoch": best,
    }
    np.testing.assert_array_equal(history["val_accuracy"], scores)


def test_every_training_starts_anew(model):
    scores = iter([0.9, 0.4])
    callback = KeepBest(lambda: {"accuracy": next(scores)}, "accuracy")
    fit(model, callback, epochs=1)
    fit(model, callback, epochs=1)
    assert callback.best == {"accuracy": 0.4, "epoch": 1}


def test_a_measure_that_is_not_there_is_named(model):
    callback = KeepBest(lambda: {"accuracy": 0.5, "f1": 0.5}, "recall")
    with pytest.raises(
        ValueError, match="the measures accuracy, f1. Received: .*'recall'"
    ):
        fit(model, callback, epochs=1)


@pytest.mark.parametrize(
    ("mode", "patience", "scores", "epochs", "best"),
    [
        ("max", 1, [0.1, 0.7, 0.5, 0.9], 3, 2),
        ("max", 2, [0.1, 0.7, 0.5, 0.9], 4, 4),
        ("max", 2, [0.7, 0.7, 0.7, 0.9], 3, 1),
        ("min", 2, [0.7, 0.2, 0.3, 0.4, 0.1], 4, 2),
        ("min", None, [0.7, 0.2, 0.3, float("nan"), 0.1], 5, 5),
    ],
)
def test_training_stops_when_nothing_is_better(
    model, mode, patience, scores, epochs, best
):
    left = list(scores)
    callback = KeepBest(lambda: {"loss": left.pop(0)}, "loss", mode, patience)
    history = fit(model, callback, epochs=len(scores))
    assert history["val_loss"] == pytest.approx(scores[:epochs], nan_ok=True)
    assert callback.best["epoch"] == best
    assert float(model.get_weights()[0][0, 0]) == best


@pytest.mark.parametrize(
    ("option", "message"),
    [({"mode": "least"}, "least"), ({"patience": 0}, "1 or more")],
)
def test_bad_options(option, message):
    with pytest.raises(ValueError, match=message):
        KeepBest(dict, "loss", **option)
