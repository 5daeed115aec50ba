"""Tiny distillations that tests of phases share."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses


@pytest.fixture
def token_batches():
    """Twelve rows of 6 tokens and less, and their labels."""
    generator = np.random.default_rng(4)
    lengths = generator.integers(2, 7, 12)
    mask = (np.arange(6) < lengths[:, None]).astype("int32")
    x = {
        "token_ids": generator.integers(5, 24, (12, 6)).astype("int32") * mask,
        "segment_ids": np.zeros((12, 6), "int32"),
        "padding_mask": mask,
    }
    return x, np.arange(12) % 2


@pytest.fixture(scope="module")
def make_pair(make_classifier):
    """A BERT to learn from, and one of half the width that learns."""

    def make(teacher_layers=2, num_layers=2):
        keras.utils.set_random_seed(5)
        return (
            make_classifier(num_layers=teacher_layers, hidden_dim=8),
            make_classifier(num_layers=num_layers, hidden_dim=4),
        )

    return make


@pytest.fixture(scope="module")
def untrained(make_pair):
    """A pair of two layers each, for what never gets to train it."""
    return make_pair()


@pytest.fixture
def make_bert_distiller(make_pair):
    """A compiled distiller of two models of two layers.

    By default hidden states, attention and logits are matched. It runs
    eagerly, which is quicker than to compile so few steps, unless
    `is_compiled`. `models` are the two models, if they are there.
    """

    def make(
        distillation_losses=None,
        optimizer=None,
        compiled=None,
        is_compiled=False,
        models=None,
        teacher_layers=2,
        **words,
    ):
        teacher, student = models or make_pair(teacher_layers)
        distiller = Distiller(
            teacher,
            student,
            distillation_losses
            or [
                losses.HiddenStatesDistillation(),
                losses.AttentionDistillation(),
                losses.LogitsDistillation(),
            ],
            **{"student_loss_weight": 0, **words},
        )
        distiller.compile(
            optimizer or keras.optimizers.SGD(0.5),
            run_eagerly=not is_compiled,
            **(compiled or {}),
        )
        return distiller

    return make


@pytest.fixture
def make_dense_distiller():
    """A compiled distiller of logits: `lower -> upper -> head` of each model.

    It is much quicker than one of BERT, for what is the same in any model.
    """

    def make(optimizer=None, is_compiled=False):
        keras.utils.set_random_seed(5)
        distiller = Distiller(
            _make_dense(6),
            _make_dense(3),
            losses.LogitsDistillation(),
            student_loss_weight=0,
        )
        distiller.compile(
            optimizer or keras.optimizers.SGD(0.5), run_eagerly=not is_compiled
        )
        return distiller

    return make


def _make_dense(width):
    x = keras.Input((4,))
    h = keras.layers.Dense(width, "tanh", name="lower")(x)
    h = keras.layers.Dense(width, "tanh", name="upper")(h)
    return keras.Model(x, keras.layers.Dense(2, name="head")(h))


@pytest.fixture
def rows_of(token_batches):
    """Twelve rows as a distiller's student reads them, and their labels."""

    def find(distiller):
        x, y = token_batches
        if not isinstance(distiller.student.input, dict):
            x = np.random.default_rng(4).normal(size=(12, 4)).astype("float32")
        return x, None if distiller.loss is None else y

    return find


@pytest.fixture
def fit(rows_of):
    """Trains in order of the rows, with so many steps an epoch.

    All steps have one shape, for which JAX compiles each operation once.
    """

    def train(distiller, *callbacks, steps=1, **words):
        x, y = keras.tree.map_structure(
            lambda rows: (
                None if rows is None else np.concatenate([rows] * steps)
            ),
            rows_of(distiller),
        )
        settings = {"batch_size": 12, "shuffle": False, "verbose": 0, **words}
        return distiller.fit(x, y, callbacks=list(callbacks), **settings)

    return train


class Values(keras.callbacks.Callback):
    """Copies all weights before training and after each epoch."""

    def on_train_begin(self, logs=None):
        self.copies = [self._read()]

    def on_epoch_end(self, epoch, logs=None):
        self.copies.append(self._read())

    def _read(self):
        return {w.path: np.array(w.numpy()) for w in self.model.weights}

    def changed(self, epoch):
        """The paths of the weights that an epoch, from 1, changed."""
        before, after = self.copies[epoch - 1 : epoch + 1]
        return {p for p in before if not np.array_equal(before[p], after[p])}

    def changed_layers(self, epoch):
        """The names of the layers that hold them."""
        return {path.split("/")[-2] for path in self.changed(epoch)}


@pytest.fixture
def values():
    return Values()


@pytest.fixture
def step_cost(rows_of):
    """Counts the matrix products of a training step, as it would run."""

    def count(distiller):
        x, y = rows_of(distiller)
        x = keras.tree.map_structure(keras.ops.convert_to_tensor, x)
        data = (x, y)
        return _COUNTS[keras.backend.backend()](distiller, data)

    return count


def _count_tensorflow(distiller, data):
    import tensorflow as tf

    # As Keras makes a step: without AutoGraph.
    traced = tf.function(lambda: distiller.train_step(data), autograph=False)
    graph = traced.get_concrete_function().graph
    # What nothing asks for is taken out before it runs.
    waiting = [tensor.op for tensor in graph.outputs]
    waiting += [op for op in graph.control_outputs]
    seen = set()
    while waiting:
        op = waiting.pop()
        if op not in seen:
            seen.add(op)
            waiting += [tensor.op for tensor in op.inputs]
            waiting += op.control_inputs
    return sum(op.type in ("MatMul", "BatchMatMulV2", "Einsum") for op in seen)


def _count_jax(distiller, data):
    import jax

    state = distiller._get_jax_state(
        trainable_variables=True,
        non_trainable_variables=True,
        optimizer_variables=True,
        metrics_variables=True,
    )
    step = jax.make_jaxpr(lambda state: distiller.train_step(state, data))
    return _count_products(step(state).jaxpr)


def _count_products(jaxpr):
    count = 0
    for equation in jaxpr.eqns:
        count += equation.primitive.name == "dot_general"
        for value in equation.params.values():
            parts = value if isinstance(value, (list, tuple)) else [value]
            for part in parts:
                part = getattr(part, "jaxpr", part)
                if hasattr(part, "eqns"):
                    count += _count_products(part)
    return count


def _count_torch(distiller, data):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    products = (torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.bmm)

    class Counter(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.count += function.overloadpacket in products
            return function(*args, **(kwargs or {}))

    with Counter() as counter:
        distiller.train_step(data)
    return counter.count


_COUNTS = {
    "tensorflow": _count_tensorflow,
    "jax": _count_jax,
    "torch": _count_torch,
}
