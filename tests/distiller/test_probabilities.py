"""Probabilities where logits are meant are refused, or told, at the start."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_distill import Distiller
from keras_distill import losses

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = np.array([0, 1, 2, 0, 1, 2])


def functional(end=None):
    x = keras.Input((4,))
    outputs = keras.layers.Dense(3, name="head")(x)
    return keras.Model(x, outputs if end is None else end(outputs))


class Subclassed(keras.Model):
    def __init__(self, end):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.end = end

    def call(self, x):
        return self.end(self.dense(x))


def subclassed(end):
    model = Subclassed(end)
    model(X)
    return model


def distil(teacher, student, **words):
    return Distiller(teacher, student, losses.LogitsDistillation(**words))


@pytest.mark.parametrize(
    "model",
    [
        lambda: functional(keras.layers.Lambda(lambda x: ops.softmax(x))),
        lambda: functional(keras.layers.Softmax()),
        lambda: functional(ops.sigmoid),
        lambda: subclassed(ops.softmax),
    ],
    ids=["lambda", "layer", "sigmoid", "subclassed"],
)
def test_they_are_refused_at_construction(model):
    with pytest.raises(ValueError, match="needs logits, but the teacher"):
        distil(model(), functional())
    with pytest.raises(ValueError, match="needs logits, but the student"):
        distil(functional(), model())


def test_what_shows_in_the_first_batch_alone_is_refused_there():
    """Nothing was trained until then."""

    def sevens_alone(x):
        if not np.all(ops.convert_to_numpy(x)[:, 0] == 7.0):
            raise ValueError("Only sevens.")
        return ops.softmax(x)

    class Picky(keras.Model):
        def call(self, x):
            return sevens_alone(x)

    sevens = np.hstack([np.full((6, 1), 7.0), X[:, :2]]).astype("float32")
    teacher = Picky()
    teacher(sevens)
    x = keras.Input((3,))
    distiller = distil(teacher, keras.Model(x, keras.layers.Dense(3)(x)))
    distiller.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    before = distiller.student.get_weights()
    with pytest.raises(ValueError, match="the teacher .* ends in a softmax"):
        distiller.fit(sevens, Y, verbose=0)
    for one, other in zip(before, distiller.student.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_log_probabilities_serve_where_a_softmax_follows():
    with pytest.warns(UserWarning, match="the teacher .* log-probabilities"):
        distil(functional(ops.log_softmax), functional())
    for words in ({"loss": "mse"}, {"multi_label": True}):
        with pytest.raises(ValueError, match="ends in a log_softmax"):
            distil(functional(ops.log_softmax), functional(), **words)


def test_what_may_be_probabilities_is_told():
    with pytest.warns(UserWarning, match="numbers between 0 and 1 alone"):
        distil(subclassed(ops.sigmoid), functional())


def test_squares_take_probabilities_from_both():
    distil(functional(ops.softmax), functional(ops.softmax), loss="mse")
    with pytest.raises(ValueError, match="the teacher .* ends in a softmax"):
        distil(functional(ops.softmax), functional(), loss="mse")


@pytest.mark.parametrize("end", [ops.softmax, ops.sigmoid])
def test_a_student_of_probabilities_and_a_loss_on_logits(end):
    student = functional(end)
    distiller = Distiller(
        functional(), student, losses.FeatureDistillation("head", "head")
    )
    wrong = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for loss in (wrong, [wrong]):
        with pytest.raises(ValueError, match="`loss` takes logits, but"):
            distiller.compile("sgd", loss)
    distiller.compile("sgd", "sparse_categorical_crossentropy")
