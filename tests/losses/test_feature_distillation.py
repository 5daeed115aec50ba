"""Facts about the distillation of layers by name."""

import keras
import numpy as np
import pytest

from keras_distill.features import describe
from keras_distill.losses import FeatureDistillation
from keras_distill.losses import Projection
from keras_distill.testing import check_distillation_loss


def mean_squared_error(teacher, student, mask):
    values = np.mean((teacher - student) ** 2, axis=-1)
    if mask is not None:
        return np.sum(mask * values, axis=1) / np.sum(mask, axis=1)
    return values.reshape(len(values), -1).mean(axis=1)


def mean_cosine_distance(teacher, student, mask):
    teacher = teacher / np.linalg.norm(teacher, axis=-1, keepdims=True)
    student = student / np.linalg.norm(student, axis=-1, keepdims=True)
    values = 1 - np.sum(teacher * student, axis=-1)
    if mask is not None:
        return np.sum(mask * values, axis=1) / np.sum(mask, axis=1)
    return values.reshape(len(values), -1).mean(axis=1)


@pytest.mark.parametrize("shape", [(3, 5), (3, 4, 5), (3, 2, 4, 5)])
@pytest.mark.parametrize(
    "loss, reference",
    [("mse", mean_squared_error), ("cosine", mean_cosine_distance)],
)
def test_values(loss, reference, shape, random, mask):
    check_distillation_loss(
        FeatureDistillation("dense", "dense", loss),
        random.normal(size=shape),
        random.normal(size=shape),
        # Only features (B, L, D) are taken for features of tokens.
        mask if len(shape) == 3 else None,
        reference=reference,
    )


@pytest.fixture
def make_model():
    """Describes a model of dense layers `first` and `second`, nested."""

    def make(width, name):
        inputs = keras.Input((3, 2))
        encoder = keras.Sequential(
            [keras.Input((3, 2)), keras.layers.Dense(width, name="first")],
            name="encoder",
        )
        x = encoder(inputs)
        x = keras.layers.Flatten(name="flat")(x)
        x = keras.layers.Dense(width, name="second")(x)
        return describe(keras.Model(inputs, x, name=name))

    return make


def test_layers_by_name(make_model):
    loss = FeatureDistillation("second", "encoder/first")
    assert loss.name == "second"
    with pytest.raises(ValueError, match=r"\(None, 3, 8\).*\(None, 8\)"):
        loss.match(make_model(8, "teacher"), make_model(8, "student"))
    (match,) = FeatureDistillation("second", "second").match(
        make_model(8, "teacher"), make_model(4, "student")
    )
    assert (match.student, match.teacher) == ("layer.second", "layer.second")
    assert match.projection == Projection("second", 4, 8)
    assert match.note == "layer output, 4 -> 8 linear, mse"


def test_layers_of_nested_models(make_model):
    loss = FeatureDistillation("encoder/first", "encoder/first", "cosine")
    assert loss.name == "encoder_first"
    (match,) = loss.match(make_model(8, "teacher"), make_model(8, "student"))
    assert match.student == "layer.encoder/first"
    assert match.projection is None


def test_projections(make_model):
    wide, narrow = make_model(8, "wide"), make_model(4, "narrow")
    loss = FeatureDistillation("second", "second", projection="shared")
    (match,) = loss.match(wide, wide)
    assert match.projection == Projection("second", 8, 8)
    loss = FeatureDistillation("second", "second", projection=None)
    with pytest.raises(ValueError, match="projection=None"):
        loss.match(wide, narrow)


def test_layers_that_do_not_exist(make_model):
    model = make_model(4, "student")
    with pytest.raises(
        ValueError,
        match="'student' has no feature 'layer.third'.*layer.encoder/first",
    ):
        FeatureDistillation("third", "second").match(model, model)


@pytest.mark.parametrize(
    "option, value", [("loss", "mae"), ("projection", "per_layer")]
)
def test_unknown_options(option, value):
    with pytest.raises(ValueError, match=f"`{option}` must be one of.*{value}"):
        FeatureDistillation("dense", "dense", **{option: value})
