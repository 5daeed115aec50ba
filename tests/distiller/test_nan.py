"""A loss that is not a number stops `fit` and nothing is lost."""

import keras
import numpy as np
import pytest

from keras_distill import callbacks
from keras_distill import losses


@pytest.fixture
def bad(batch):
    """The batch with one value that is not a number."""
    x, y = batch
    x = x.copy()
    x[4, 0] = np.nan
    return x, y


@pytest.fixture
def state(values):
    def read(distiller):
        return values(distiller) + [
            v.numpy() for v in distiller.optimizer.variables
        ]

    return read


def test_fit_stops_names_the_terms_and_keeps_the_weights(
    make_distiller, batch, bad, state, assert_same
):
    distiller = make_distiller(compiled={"optimizer": "adam"})
    distiller.fit(*batch, verbose=0)
    before = state(distiller)
    with pytest.raises(FloatingPointError) as error:
        distiller.fit(*bad, batch_size=2, shuffle=False, verbose=0)
    assert "at batch 2: " in str(error.value)
    for term in ("student_loss", "hidden_loss", "logits_loss"):
        assert term in str(error.value)
    assert_same(state(distiller), before)


def test_only_the_broken_term_is_named(make_distiller, batch):
    class Broken(losses.LogitsDistillation):
        def per_example(self, teacher, student, mask=None):
            return super().per_example(teacher, student, mask) * float("inf")

    distiller = make_distiller(
        distillation_losses=[
            losses.LogitsDistillation(),
            Broken(name="broken"),
        ]
    )
    with pytest.raises(FloatingPointError, match="batch 0: broken_loss is"):
        distiller.fit(*batch, verbose=0)


def test_training_goes_on_as_if_the_bad_batch_never_came(
    make_distiller, batch, bad, state, assert_same
):
    distiller = make_distiller(compiled={"optimizer": "adam"})
    other = make_distiller(distiller.teacher, compiled={"optimizer": "adam"})
    for mine, theirs in zip(other.weights, distiller.weights, strict=True):
        mine.assign(theirs.numpy())
    with pytest.raises(FloatingPointError):
        distiller.fit(*bad, verbose=0)
    for each in (distiller, other):
        each.fit(*batch, epochs=2, shuffle=False, verbose=0)
    assert_same(state(distiller), state(other))


def test_an_infinite_gradient_under_a_finite_loss_is_found(
    make_distiller, batch, values, assert_same
):
    @keras.saving.register_keras_serializable("tests")
    def root_of_zero(y_true, y_pred):
        # Its value is 0, its gradient 0 / 0.
        return keras.ops.sqrt(0.0 * keras.ops.sum(y_pred, axis=-1))

    distiller = make_distiller(compiled={"loss": root_of_zero})
    before = values(distiller)
    with pytest.raises(FloatingPointError, match="epoch 1: a trained weight"):
        distiller.fit(*batch, verbose=0)
    assert_same(values(distiller), before)


def test_a_callback_of_ones_own_takes_the_place(
    make_distiller, batch, bad, values, assert_same
):
    every_batch, expected = (
        make_distiller(teacher) for teacher in [make_distiller().teacher] * 2
    )
    for mine, theirs in zip(every_batch.weights, expected.weights, strict=True):
        mine.assign(theirs.numpy())
    own = callbacks.StopOnNaN(snapshot_every=1)
    words = dict(batch_size=2, shuffle=False, verbose=0)
    with pytest.raises(FloatingPointError, match="batch 2"):
        every_batch.fit(*bad, callbacks=own, **words)
    # Its own callback took a copy after the two good batches.
    expected.fit(batch[0][:4], batch[1][:4], **words)
    assert_same(values(every_batch), values(expected))


def test_weights_loaded_by_another_callback_are_the_good_ones(
    make_distiller, bad, values, assert_same
):
    class Load(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            for weight in self.model.weights:
                weight.assign(np.ones(weight.shape))

    distiller = make_distiller()
    with pytest.raises(FloatingPointError):
        distiller.fit(*bad, verbose=0, callbacks=[Load()])
    assert_same(
        values(distiller),
        [np.ones(w.shape, "float32") for w in distiller.weights],
    )
