"""A tiny distillation of BERT that tests of phases share."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses


@pytest.fixture
def token_batches():
    """Three batches of four rows of 6 tokens and less, and their labels."""
    generator = np.random.default_rng(4)
    lengths = generator.integers(2, 7, 12)
    mask = (np.arange(6) < lengths[:, None]).astype("int32")
    x = {
        "token_ids": generator.integers(5, 24, (12, 6)).astype("int32") * mask,
        "segment_ids": np.zeros((12, 6), "int32"),
        "padding_mask": mask,
    }
    return x, np.arange(12) % 2


@pytest.fixture
def make_bert_distiller(make_classifier):
    """A compiled distiller of a teacher of four layers.

    By default the student has two layers and half the width, and hidden
    states, attention and logits are matched. It runs eagerly, which is
    quicker than to compile so few steps, unless `is_compiled`.
    """

    def make(
        distillation_losses=None,
        num_layers=2,
        optimizer=None,
        compiled=None,
        is_compiled=False,
        **words,
    ):
        keras.utils.set_random_seed(5)
        teacher = make_classifier(num_layers=4, hidden_dim=8)
        student = make_classifier(num_layers=num_layers, hidden_dim=4)
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
            optimizer or keras.optimizers.Adam(0.01),
            run_eagerly=not is_compiled,
            **(compiled or {}),
        )
        return distiller

    return make


@pytest.fixture
def fit(token_batches):
    """Trains by batches of four, in order."""

    def train(distiller, *callbacks, **words):
        x, y = token_batches
        if distiller.loss is None:
            y = None
        settings = {"batch_size": 4, "shuffle": False, "verbose": 0, **words}
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


@pytest.fixture
def values():
    return Values()


@pytest.fixture
def step_cost(token_batches):
    """Counts the matrix products of a training step, as it would run."""

    def count(distiller):
        x, y = token_batches
        data = (
            {k: keras.ops.convert_to_tensor(v[:4]) for k, v in x.items()},
            None if distiller.loss is None else y[:4],
        )
        return _COUNTS[keras.backend.backend()](distiller, data)

    return count


def _count_tensorflow(distiller, data):
    import tensorflow as tf

    traced = tf.function(lambda: distiller.train_step(data))
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
