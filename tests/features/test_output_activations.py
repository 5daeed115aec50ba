"""What an output went through last, however it is spelled."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_distill.features import describe
from keras_distill.features import output_activations


class OwnSoftmax(keras.layers.Layer):
    def call(self, x):
        return ops.softmax(x)


class Subclassed(keras.Model):
    """A model that nobody can look into."""

    def __init__(self, end, takes_ids=False):
        super().__init__()
        self.words = keras.layers.Embedding(5, 4) if takes_ids else None
        self.dense = keras.layers.Dense(3)
        self.end = end

    def call(self, x):
        if self.words is not None:
            x = ops.mean(self.words(x["token_ids"]), axis=1)
        return self.end(self.dense(x))


SPELLINGS = {
    "a layer": keras.layers.Softmax,
    "an activation layer": lambda: keras.layers.Activation("softmax"),
    "an operation": lambda: ops.softmax,
    "Keras's function": lambda: keras.activations.softmax,
    "a Lambda": lambda: keras.layers.Lambda(lambda x: ops.softmax(x)),
    "a layer of one's own": OwnSoftmax,
    "a function of one's own": lambda: keras.layers.Activation(
        lambda x: ops.softmax(x)
    ),
    "arithmetic": lambda: (
        lambda x: ops.exp(x) / ops.sum(ops.exp(x), axis=-1, keepdims=True)
    ),
    "before a dropout": lambda: (
        lambda x: keras.layers.Dropout(0.1)(ops.softmax(x))
    ),
    "before a reshape": lambda: lambda x: ops.reshape(ops.softmax(x), (-1, 3)),
    "a head": lambda: keras.layers.Dense(3, activation="softmax"),
}


def end_of(layer):
    x = keras.Input((4,))
    return describe(keras.Model(x, layer(keras.layers.Dense(3)(x))))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_softmax_by_any_spelling(spelling):
    found = end_of(SPELLINGS[spelling]()).output_activations
    assert found == {"logits": "softmax"}


def test_a_softmax_inside_a_model_or_over_time():
    softmax = keras.layers.Dense(3, activation="softmax")
    inner = keras.Sequential([keras.Input((3,)), softmax])
    assert end_of(inner).output_activations == {"logits": "softmax"}
    x = keras.Input((5, 4))
    tokens = keras.Model(x, keras.layers.TimeDistributed(softmax)(x))
    assert describe(tokens).output_activations == {"logits": "softmax"}


@pytest.mark.parametrize(
    "end, expected",
    [
        (ops.sigmoid, "sigmoid"),
        (lambda x: keras.layers.Lambda(ops.sigmoid)(x), "sigmoid"),
        (ops.log_softmax, "log_softmax"),
        (lambda x: ops.log(ops.softmax(x)), "log_softmax"),
        (lambda x: keras.layers.Dense(3, activation="relu")(x), "relu"),
        (lambda x: x, None),
        (lambda x: x + 1.0, None),
        (lambda x: 2.0 * x, None),
        (lambda x: keras.layers.Lambda(lambda x: 2.0 * x)(x), None),
        (lambda x: keras.layers.LayerNormalization()(x), None),
        (lambda x: keras.layers.Dropout(0.1)(x), None),
    ],
)
def test_other_ends(end, expected):
    assert end_of(end).output_activations == {"logits": expected}


@pytest.mark.parametrize("takes_ids", [False, True])
@pytest.mark.parametrize(
    "end, expected",
    [
        (ops.softmax, "softmax"),
        (ops.log_softmax, "log_softmax"),
        (ops.sigmoid, "between 0 and 1"),
        (lambda x: x, None),
    ],
)
def test_subclassed_models_are_known_by_their_values(end, expected, takes_ids):
    model = Subclassed(end, takes_ids)
    x = np.ones((2, 4), "float32")
    model({"token_ids": x.astype("int32")} if takes_ids else x)
    description = describe(model)
    assert description.is_opaque
    assert description.output_activations == {"logits": expected}


def test_models_that_run_on_nothing_made_up_are_not_known():
    class Picky(Subclassed):
        def call(self, x):
            if np.any(ops.convert_to_numpy(x)[:, 0] != 7.0):
                raise ValueError("Only sevens.")
            return ops.softmax(self.dense(x))

    model = Picky(None)
    sevens = np.full((2, 4), 7.0, "float32")
    model(sevens)
    assert describe(model).output_activations == {}
    found = output_activations.activations_by_values(model, sevens)
    assert found == {"logits": "softmax"}


@pytest.mark.parametrize(
    "values, expected",
    [
        ([[0.2, 0.8], [0.5, 0.5]], "softmax"),
        ([[0.2, 0.7], [0.5, 0.6]], "between 0 and 1"),
        ([[0.2, 0.8], [-0.5, 1.5]], None),
        ([[np.log(0.2), np.log(0.8)], [np.log(0.5)] * 2], "log_softmax"),
        ([[-1.0, -2.0], [-3.0, -4.0]], None),
        ([[0.0, 0.0], [0.0, 0.0]], None),
        ([[np.nan, 1.0]], None),
        ([0.1, 0.9], None),
    ],
)
def test_values(values, expected):
    assert output_activations.of_values(values) == expected
