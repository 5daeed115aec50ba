import keras
import numpy as np
import pytest

from keras_distill.callbacks import StopOnNaN

GOOD = (np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))
BAD = (GOOD[0] * np.nan, GOOD[1])


@pytest.fixture
def model():
    """A linear model, trained by Adam."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    return model


def state(model):
    return [v.numpy() for v in (*model.weights, *model.optimizer.variables)]


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def after(batches):
    """Data of one row a batch, good for some batches and then bad."""
    x = np.ones((6, 2), "float32")
    x[batches:] = np.nan
    return x, np.ones((6, 1), "float32")


@pytest.mark.parametrize(
    ("snapshot_every", "good_batches", "kept"),
    [(100, 5, 0), (1, 5, 5), (2, 5, 4), (3, 2, 0)],
)
def test_the_last_copy_comes_back(model, snapshot_every, good_batches, kept):
    words = dict(batch_size=1, shuffle=False, verbose=0)
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    twin.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    twin.optimizer.build(twin.trainable_variables)
    if kept:
        twin.fit(GOOD[0][:1].repeat(kept, 0), np.ones((kept, 1)), **words)
    with pytest.raises(FloatingPointError, match=f"at batch {good_batches}: "):
        model.fit(
            *after(good_batches),
            callbacks=[StopOnNaN(snapshot_every=snapshot_every)],
            **words,
        )
    assert_same(state(model), state(twin))


def test_the_end_of_an_epoch_is_a_copy(model):
    callback = StopOnNaN()
    model.fit(*GOOD, verbose=0, callbacks=[callback])
    before = state(model)
    with pytest.raises(FloatingPointError):
        model.fit(*BAD, verbose=0, callbacks=[callback])
    assert_same(state(model), before)


def test_good_training_is_not_changed(model):
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    twin.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    model.fit(*GOOD, epochs=2, verbose=0, callbacks=[StopOnNaN(1)])
    twin.fit(*GOOD, epochs=2, verbose=0)
    assert_same(state(model), state(twin))


def test_the_total_is_named_where_no_term_is(model):
    with pytest.raises(FloatingPointError, match="at batch 0: loss is not"):
        model.fit(*BAD, verbose=0, callbacks=[StopOnNaN()])


def test_a_metric_that_is_no_loss_may_be_nan(model):
    model.compile(
        "sgd",
        "mse",
        metrics=[lambda y_true, y_pred: keras.ops.mean(y_pred) * np.nan],
        run_eagerly=True,
    )
    history = model.fit(*GOOD, verbose=0, callbacks=[StopOnNaN()]).history
    assert np.isfinite(history["loss"][0])


def test_a_model_that_is_broken_already_does_not_start(model):
    model.set_weights([np.full((2, 1), np.inf), np.zeros(1)])
    with pytest.raises(FloatingPointError, match="cannot start"):
        model.fit(*GOOD, verbose=0, callbacks=[StopOnNaN()])


def test_a_broken_step_is_found_at_the_next_copy(model):
    class Breaks(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                self.model.optimizer.learning_rate = np.inf

    words = dict(batch_size=1, shuffle=False, verbose=0)
    before = [np.array(weight) for weight in model.get_weights()]
    with pytest.raises(FloatingPointError, match="at batch 1: a trained"):
        model.fit(
            *GOOD,
            callbacks=[StopOnNaN(snapshot_every=2), Breaks()],
            **words,
        )
    assert_same(model.get_weights(), before)


@pytest.mark.parametrize("snapshot_every", [0, -1])
def test_snapshot_every_is_checked(snapshot_every):
    with pytest.raises(
        ValueError, match="`snapshot_every` must be an int of 1"
    ):
        StopOnNaN(snapshot_every)
