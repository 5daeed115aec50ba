"""Functions are told apart by what they do, not by where they stand."""

import functools

import keras
import numpy as np

from keras_distill.losses import FeatureDistillation
from keras_distill.stages.code_hash import code_hash
from keras_distill.stages.code_hash import object_hash

SCALE = 1.0
CALLS = 0


def made(text, **names):
    """What a text defines as `f`, as if it stood in a module of a user."""
    space = {"__name__": "mine", "np": np, **names}
    exec(text, space)
    return space["f"]


def different(*functions):
    return len({code_hash(f) for f in functions}) == len(functions)


def test_code_counts():
    one = made("def f(y, p): return y - p")
    assert different(
        one,
        made("def f(y, p): return p - y"),
        made("def f(y, p): return 2 * (y - p)"),
        made("def f(y, p): return np.abs(y - p)"),
        made("def f(y, p, a=1): return y - p"),
        made("f = lambda y, p: y - p"),
        np.abs,
    )
    assert code_hash(one) == code_hash(
        made('\n\ndef f(y, p):\n    "Doc."\n\n    # Why.\n    return y - p')
    )
    # Texts in a set stand in any order.
    assert code_hash(made("f = lambda x: x in {'a', 'b', 'c'}")) == code_hash(
        made("f = lambda x: x in {'c', 'b', 'a'}")
    )


def test_what_is_read_from_around_counts():
    text = "def f(y): return g(y) * SCALE"
    g, h = made("f = lambda y: y"), made("f = lambda y: y + 1")
    assert different(
        made(text, g=g, SCALE=1.0),
        made(text, g=g, SCALE=2.0),
        made(text, g=h, SCALE=1.0),
    )

    def weighted(alpha, rows=None):
        return lambda y: alpha * y + (0 if rows is None else rows.sum())

    assert different(
        weighted(0.1),
        weighted(0.9),
        weighted(0.1, np.zeros(3)),
        weighted(0.1, np.ones(3)),
    )
    assert different(
        functools.partial(g, 1), functools.partial(g, 2), functools.partial(h)
    )


def test_what_changes_by_itself_does_not_count():
    calls, count, model = [], 0, keras.Sequential([keras.layers.Dense(1)])
    scores = iter([0.1, 0.2])

    def measure():
        nonlocal count
        count += 1
        calls.append(count)
        model.count_params()
        return {"f1": next(scores)}

    before = code_hash(measure)
    calls.append(7)
    count, scores = 5, iter([0.3])
    model.build((None, 2))
    assert code_hash(measure) == before


def test_losses_count_with_settings_and_code():
    def loss_class(text):
        space = {"keras": keras, "__name__": "mine"}
        exec(text, space)
        return space["Loss"]

    text = """
class Loss(keras.losses.Loss):
    def __init__(self, beta):
        super().__init__()
        self.beta = beta

    def call(self, y, p):
        return {} * self.beta
"""
    plus, minus = (
        loss_class(text.format(one)) for one in ("(y + p)", "(y - p)")
    )
    losses = [
        plus(1.0),
        plus(2.0),
        minus(1.0),
        "mse",
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        [plus(1.0), minus(1.0)],
        FeatureDistillation("hidden", "hidden"),
        FeatureDistillation("hidden", "head"),
        None,
    ]
    assert len({object_hash(one) for one in losses}) == len(losses)
    assert object_hash(plus(1.0)) == object_hash(plus(1.0))
