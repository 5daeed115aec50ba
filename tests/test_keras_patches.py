"""Each patch of Keras is needed: Keras without it does what the patch mends.

A test that fails here says that its patch can go.
"""

import keras
import numpy as np
import pytest

from keras_distill import keras_patches
from keras_distill import optimizers

on_jax = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="JAX's own way of training"
)


@pytest.mark.tensorflow("tf.distribute is TensorFlow's")
def test_20585_keras_averages_logs_over_an_axis_that_they_lack(monkeypatch):
    import tensorflow as tf
    from keras.src.backend.tensorflow import trainer

    class Strategy:
        def reduce(self, how, value, axis=None):
            asked.append((how, axis, tuple(value.shape)))

    asked = []
    monkeypatch.setattr(
        trainer, "_collective_all_reduce_multi_worker", lambda strategy: True
    )
    trainer.reduce_per_replica(
        {"loss": tf.constant(1.0)}, Strategy(), reduction="auto"
    )
    assert asked == [("MEAN", 0, ())]


@pytest.mark.tensorflow("tf.distribute is TensorFlow's")
def test_keras_decides_in_each_replica_whether_gradients_are_added_up():
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        variable = keras.Variable([1.0, 1.0])
        optimizer = keras.optimizers.SGD(
            1.0, clipnorm=1.0, gradient_accumulation_steps=2
        )
        optimizer.build([variable])

    def step():
        optimizer.apply([tf.constant([3.0, 4.0])], [variable])

    def step_for_all():
        with keras_patches.steps_for_all_replicas(optimizer):
            step()

    with pytest.raises(RuntimeError, match="merge_call"):
        tf.function(strategy.run)(step)
    run = tf.function(lambda: strategy.run(step_for_all))
    run()
    np.testing.assert_array_equal(variable, [1.0, 1.0])
    run()
    np.testing.assert_allclose(variable, [0.4, 0.2], rtol=1e-6)
    assert "_all_reduce_sum_gradients" not in vars(optimizer)


@pytest.mark.tensorflow("on the others a gradient is a sum")
def test_18692_keras_squares_the_gradient_of_each_place():
    for make, moved in (
        (keras.optimizers.AdamW, [0.2, 0.1]),
        (optimizers.AdamW, [0.1, 0.1]),
    ):
        tokens = np.array([1, 1, 1, 1, 2])
        table = keras.layers.Embedding(4, 1)
        table.build()
        before = table.embeddings.numpy()
        model = keras.Sequential([keras.Input((5,)), table])
        model.compile(make(0.1, weight_decay=0.0), loss=lambda y, x: x)
        model.train_on_batch(tokens[None], np.zeros((1, 5, 1)))
        steps = (before - table.embeddings.numpy())[1:3, 0]
        np.testing.assert_allclose(steps, moved, rtol=1e-4)


def dense():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@on_jax
def test_a_stateless_step_of_keras_is_for_all_variables():
    model = dense()
    optimizer = model.optimizer
    model.layers[0].trainable = False
    values = [v.numpy() for v in model.trainable_variables]
    gradients = [np.ones_like(value) for value in values]
    state = [v.numpy() for v in optimizer.variables]
    with pytest.raises(ValueError, match="was built with 4 variables"):
        optimizer.stateless_apply(state, gradients, values)
    keras_patches.train_some(model)
    moved, _ = model.optimizer.stateless_apply(state, gradients, values)
    for old, new in zip(values, moved, strict=True):
        new = keras.ops.convert_to_numpy(new)
        np.testing.assert_allclose(new, old - 0.5, rtol=1e-6)
    model.layers[0].trainable = True
    keras_patches.train_some(model)
    assert model.optimizer is optimizer
    assert "stateless_apply" not in vars(optimizer)


@on_jax
def test_a_step_that_fails_costs_a_model_of_keras_its_values():
    model = dense()
    with pytest.raises((TypeError, ValueError)):
        # Keras has taken the values out when it reads the second batch.
        batches = ((np.ones((2, n)), np.ones((2, 1))) for n in (2, 3))
        model.evaluate(batches, steps=2, verbose=0)
    assert model.layers[0].kernel._value is None


@on_jax
def test_jax_takes_equal_methods_for_the_same_function():
    import jax

    class Step:
        factor = 1.0

        def run(self, x):
            return x * self.factor

    step = Step()
    first = jax.jit(step.run)
    assert first(1.0) == 1.0
    step.factor = 2.0
    assert jax.jit(step.run)(1.0) == 1.0
    with keras_patches.step_as_new(step, "run"):
        assert "run" in vars(step)
    assert "run" not in vars(step)


def test_a_dense_layer_with_a_map_of_policies_cannot_be_saved():
    layer = keras.layers.Dense(2, name="dense")
    layer.build((None, 2))
    layer.quantize("int8")
    model = keras.Sequential([keras.Input((2,)), layer])
    policies = {layer.path: layer.dtype_policy}
    layer._dtype_policy = keras.dtype_policies.DTypePolicyMap(
        "float32", policies
    )
    stored = {}
    layer.save_own_variables(stored)
    # The scale, which no file takes as it is.
    assert any(value is None for value in stored.values())
    with keras_patches.resolved_policies(model):
        stored = {}
        layer.save_own_variables(stored)
    assert all(value is not None for value in stored.values())
