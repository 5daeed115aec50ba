"""What phases freeze is free after them, and what joins is new."""

import keras
import numpy as np
import pytest

from keras_distill import optimizers
from keras_distill.callbacks import GradualUnfreezing
from keras_distill.callbacks import ProgressiveKnowledgeTransfer


class Interrupt(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt


def trainable_paths(model):
    return [variable.path for variable in model.trainable_variables]


@pytest.mark.parametrize(
    "kind", [ProgressiveKnowledgeTransfer, GradualUnfreezing]
)
def test_an_interrupted_training_leaves_nothing_frozen(
    make_bert_distiller, fit, values, kind
):
    distiller = make_bert_distiller()
    before = trainable_paths(distiller)
    with pytest.raises(KeyboardInterrupt):
        fit(distiller, kind(epochs=1), Interrupt(), epochs=3)
    assert trainable_paths(distiller) == before
    history = fit(distiller, values, epochs=1).history
    # All losses count again and move what they reach.
    assert {"hidden_states_loss", "attention_loss", "logits_loss"} <= set(
        history
    )
    moved = values.changed(1)
    for part in ("transformer_layer_0", "transformer_layer_1", "embedding"):
        assert any(part in path for path in moved)


def test_a_model_of_keras_is_released_by_hand():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="lower"),
            keras.layers.Dense(2, name="upper"),
        ]
    )
    model.compile("adam", "mse")
    before = trainable_paths(model)
    callback = GradualUnfreezing(
        [model.get_layer("upper"), model.get_layer("lower")], epochs=1
    )
    x = np.ones((4, 4), "float32")
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, x[:, :2], callbacks=[callback, Interrupt()], verbose=0)
    assert trainable_paths(model) == before[2:]
    callback.release()
    assert trainable_paths(model) == before


def test_what_was_frozen_between_two_trainings_stays_so(
    make_dense_distiller, fit, values
):
    distiller = make_dense_distiller()
    head, upper, lower = map(
        distiller.student.get_layer, ("head", "upper", "lower")
    )
    callback = GradualUnfreezing([head, [upper, lower]], epochs=1)
    fit(distiller, callback, epochs=2)
    lower.trainable = False
    fit(distiller, callback, values, epochs=2)
    assert values.changed_layers(1) == {"head"}
    assert values.changed_layers(2) == {"head", "upper"}
    assert not lower.trainable


def test_parts_that_join_late_move_as_new_ones(
    make_dense_distiller, fit, values
):
    distiller = make_dense_distiller(
        optimizers.RateScaleOptimizer(
            # Gradients of so tiny a model are no larger than the default.
            keras.optimizers.Adam(0.01, epsilon=1e-15)
        ),
    )
    groups = [
        distiller.student.get_layer(name) for name in ("head", "upper", "lower")
    ]
    callback = GradualUnfreezing(groups, epochs=10)
    fit(distiller, callback, values, epochs=21)
    before, after = values.copies[-2:]
    moves = {
        path: np.abs(after[path] - before[path]).max()
        for path in values.changed(21)
        if "lower" in path
    }
    assert len(moves) == 2
    # The first step of Adam is as long as the rate, whatever the gradient.
    np.testing.assert_allclose(list(moves.values()), 0.01, rtol=0.02)
