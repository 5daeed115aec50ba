import keras
import numpy as np
import pytest

from keras_distill.callbacks import KeepBest


@pytest.fixture
def model():
    """One weight, that counts the epochs it was trained for."""

    class Counts(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            (value,) = self.model.get_weights()
            self.model.set_weights([value + 1.0])

    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros"),
        ]
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


NAN = float("nan")


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.0, 0.1, 0.7, 0.5], 2),
        # The first of equal ones.
        ([0.0, 0.1, 0.7, 0.7], 2),
        # Matthews's correlation of a bad model.
        ([-0.8, -0.5, -0.2, -0.9], 2),
        # The correlation of a model that always says the same.
        ([NAN, NAN, -0.1, NAN], 2),
        ([0.1, 0.3, NAN, 0.1], 1),
        # A start that no epoch is as good as.
        ([0.8, 0.1, 0.7, 0.5], 0),
        ([-0.1, NAN, -0.5, NAN], 0),
        ([0.0, NAN, NAN, NAN], 0),
        # One that an epoch is as good as.
        ([0.7, 0.1, 0.7, 0.7], 2),
        ([0.5, 0.5, 0.5, 0.5], 1),
        ([NAN, NAN, NAN, NAN], 1),
    ],
)
def test_the_best_is_put_back(model, scores, best):
    seen = []

    def measure():
        seen.append(float(model.get_weights()[0][0, 0]))
        score = scores[len(seen) - 1]
        return {"accuracy": score, "f1": 10.0 * score}

    callback = KeepBest(measure, monitor="accuracy")
    history = fit(model, callback, epochs=3)
    assert seen == [0.0, 1.0, 2.0, 3.0]
    assert float(model.get_weights()[0][0, 0]) == best
    assert callback.keeps_start == (best == 0)
    for epoch, found in ((best, callback.best), (0, callback.start)):
        assert found == pytest.approx(
            {
                "accuracy": scores[epoch],
                "f1": 10.0 * scores[epoch],
                "epoch": epoch,
            },
            nan_ok=True,
        )
    np.testing.assert_array_equal(history["val_accuracy"], scores[1:])


def test_what_is_best_is_known_after_a_stop(model):
    scores = [0.8, 0.1, 0.7, 0.9, 0.8]
    left = list(scores)
    whole = KeepBest(lambda: {"f1": left.pop(0)}, "f1", patience=2)
    fit(model, whole, epochs=4)
    assert whole.best == {"f1": 0.9, "epoch": 3}

    left = list(scores)
    model.set_weights([np.zeros((1, 1))])
    first = KeepBest(lambda: {"f1": left.pop(0)}, "f1", patience=2)
    first.set_model(model)
    first.on_train_begin()
    first.on_epoch_begin(0)
    first.on_epoch_end(0, {})
    second = KeepBest(first.measure, "f1", patience=2)
    second.set_model(model)
    second.on_train_begin()
    second.set_state(first.get_state())
    for epoch in (1, 2, 3):
        second.on_epoch_begin(epoch)
        second.on_epoch_end(epoch, {})
    assert (second.best, second.start) == (whole.best, whole.start)
    assert not left


def test_what_an_earlier_version_left_has_no_start(model):
    callback = KeepBest(lambda: {"f1": 0.5}, "f1")
    callback.set_model(model)
    for best in (None, {"f1": 0.9, "epoch": 1}):
        callback.on_train_begin()
        callback.set_state({"best": best, "weights": model.get_weights()})
        callback.on_epoch_begin(1)
        callback.on_epoch_end(1, {})
        assert callback.start is None
        assert callback.best == (best or {"f1": 0.5, "epoch": 2})


def test_the_start_takes_no_part_in_the_first_epoch(model):
    """Its evaluation fills the same metrics."""
    x = np.ones((2, 1))

    def measure():
        return model.evaluate(x, 100.0 * x, verbose=0, return_dict=True)

    (loss,) = fit(model, KeepBest(measure, "loss", "min"), epochs=1)["loss"]
    assert loss == 1.0


def test_every_training_starts_anew(model):
    scores = iter([0.1, 0.9, 0.3, 0.4])
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
        ("max", 1, [0.0, 0.1, 0.7, 0.5, 0.9], 3, 2),
        ("max", 2, [0.0, 0.1, 0.7, 0.5, 0.9], 4, 4),
        ("max", 2, [0.0, 0.7, 0.7, 0.7, 0.9], 3, 1),
        ("min", 2, [1.0, 0.7, 0.2, 0.3, 0.4, 0.1], 4, 2),
        ("min", None, [1.0, 0.7, 0.2, 0.3, NAN, 0.1], 5, 5),
        # Epochs are compared with epochs.
        ("max", 1, [0.8, 0.1, 0.5, 0.9, 0.7], 4, 3),
        ("max", 1, [0.8, 0.1, 0.5, 0.3, 0.9], 3, 0),
        ("min", 1, [0.2, 0.4, 0.3, NAN], 3, 0),
    ],
)
def test_training_stops_when_nothing_is_better(
    model, mode, patience, scores, epochs, best
):
    left = list(scores)
    callback = KeepBest(lambda: {"loss": left.pop(0)}, "loss", mode, patience)
    history = fit(model, callback, epochs=len(scores) - 1)
    assert history["val_loss"] == pytest.approx(
        scores[1 : epochs + 1], nan_ok=True
    )
    assert callback.best["epoch"] == best
    assert float(model.get_weights()[0][0, 0]) == best


@pytest.mark.parametrize(
    ("option", "message"),
    [({"mode": "least"}, "least"), ({"patience": 0}, "1 or more")],
)
def test_bad_options(option, message):
    with pytest.raises(ValueError, match=message):
        KeepBest(dict, "loss", **option)


def test_within_epochs_as_well(model):
    """Every two of three batches an epoch, at the end of one once."""
    scores = {0: 0.1, 2: 0.3, 3: 0.2, 4: 0.9, 6: 0.4, 8: 0.5, 9: 0.1}
    seen, logged = [], []

    def measure():
        (value,) = model.get_weights()
        seen.append(float(value[0, 0]))
        # As a measure of the loss does, which fills the metrics.
        model.evaluate(np.ones((1, 1)), np.zeros((1, 1)), verbose=0)
        return {"f1": scores[seen[-1]]}

    class Logged(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            logged.append("val_f1" in logs)

    callback = KeepBest(measure, "f1", every=2, patience=2)
    history = model.fit(
        np.ones((3, 1)),
        np.ones((3, 1)),
        batch_size=1,
        epochs=3,
        verbose=0,
        callbacks=[model.counts, callback, Logged()],
    ).history
    assert seen == list(scores)
    assert callback.best == {"f1": 0.9, "epoch": 2, "step": 4}
    assert callback.start == {"f1": 0.1, "epoch": 0, "step": 0}
    assert model.get_weights()[0] == 4.0
    assert history["val_f1"] == [0.2, 0.4, 0.1]
    assert logged == [s in (2, 4, 8) for s in range(1, 10)]
    # (w - 1)^2 of w = 0, 1, 2, then 3, 4, 5 and 6, 7, 8.
    np.testing.assert_allclose(history["loss"], [2 / 3, 29 / 3, 110 / 3])


def test_a_stop_within_an_epoch_changes_nothing(model):
    """A second callback takes over before the third batch of three."""
    scores = [0.1, 0.3, 0.2, 0.9, 0.4]
    left, callback = list(scores), None
    for ends in ([0, 1], [2, 3, 4, 5]):
        old = callback
        callback = KeepBest(lambda: {"f1": left.pop(0)}, "f1", every=2)
        callback.set_model(model)
        callback.set_params({"steps": 3})
        callback.on_train_begin()
        if old is not None:
            callback.set_state(old.get_state())
            callback.on_epoch_begin(0)
        for step in ends:
            if step % 3 == 0:
                callback.on_epoch_begin(step // 3)
            callback.on_train_batch_begin(step % 3)
            callback.on_train_batch_end(step % 3, {})
            if step % 3 == 2:
                callback.on_epoch_end(step // 3, {})
    assert not left
    assert callback.best == {"f1": 0.9, "epoch": 2, "step": 4}
