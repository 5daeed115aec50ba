"""Facts about functional models of any make, seen by layer name."""

import keras
import numpy as np
import pytest

from keras_distill.features import FeatureExtractor
from keras_distill.features import describe
from keras_distill.features.rebuild import symbolic_inputs


def dense_model(name, units=3, activation=None, **kwargs):
    """A model whose layer is always called "dense"."""
    inputs = keras.Input((4,), name="inputs")
    outputs = keras.layers.Dense(
        units, activation, name="dense", bias_initializer="normal", **kwargs
    )(inputs)
    return keras.Model(inputs, outputs, name=name)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(2, 4)).astype("float32")


def test_layers_of_a_functional_model(x):
    inputs = keras.Input((4,))
    first = keras.layers.Dense(3, "tanh", name="first")
    second = keras.layers.Dense(2, name="second")
    model = keras.Model(inputs, second(first(inputs)))
    found = FeatureExtractor(model, ["layer.first", "layer.second"])(x)
    np.testing.assert_allclose(found["layer.first"], first(x), atol=1e-6)
    np.testing.assert_allclose(found["layer.second"], model(x), atol=1e-6)


def test_layers_of_a_sequential_model(x):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, "relu", name="first"),
            keras.layers.Dense(2, name="second"),
        ]
    )
    found = FeatureExtractor(model, ["layer.first", "logits"])(x)
    np.testing.assert_allclose(
        found["layer.first"], model.layers[0](x), atol=1e-6
    )
    np.testing.assert_allclose(found["logits"], model(x), atol=1e-6)


def test_sequential_models_in_sequential_models(x):
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="dense")], name="inner"
    )
    model = keras.Sequential(
        [keras.Input((4,)), inner, keras.layers.Dense(2, name="dense")]
    )
    found = FeatureExtractor(
        model, ["layer.inner/dense", "layer.inner", "layer.dense"]
    )(x)
    np.testing.assert_allclose(found["layer.inner/dense"], inner(x), atol=1e-6)
    np.testing.assert_allclose(found["layer.inner"], inner(x), atol=1e-6)
    np.testing.assert_allclose(found["layer.dense"], model(x), atol=1e-6)


def test_nested_models_with_the_same_layer_names(x):
    first, second = dense_model("first", 4), dense_model("second", 4)
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(4, name="dense")(second(first(inputs)))
    model = keras.Model(inputs, outputs)
    extractor = FeatureExtractor(
        model, ["layer.first/dense", "layer.second/dense", "layer.dense"]
    )
    found = extractor(x)
    np.testing.assert_allclose(found["layer.first/dense"], first(x), atol=1e-6)
    np.testing.assert_allclose(
        found["layer.second/dense"], second(first(x)), atol=1e-6
    )
    np.testing.assert_allclose(found["layer.dense"], model(x), atol=1e-6)
    own = {id(variable) for variable in model.variables}
    assert {id(variable) for variable in extractor.variables} == own


def test_a_layer_with_a_taken_name_that_is_called_twice(x):
    first = dense_model("first", 4)
    inputs = keras.Input((4,))
    dense = keras.layers.Dense(4, name="dense")
    second = keras.Model(inputs, dense(dense(inputs)), name="second")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, second(first(inputs)))
    found = FeatureExtractor(model, ["layer.first/dense", "logits"])(x)
    np.testing.assert_allclose(found["logits"], model(x), atol=1e-6)


def test_a_nested_name_that_the_model_has_itself(x):
    """Names made of a path must not meet those of other layers."""
    first = dense_model("first", 4)
    second = dense_model("second", 4)
    inputs = keras.Input((4,))
    y = keras.layers.Dense(4, name="second_dense")(first(inputs))
    y = keras.layers.Dense(4, name="dense_1")(second(y))
    model = keras.Model(inputs, y)
    found = FeatureExtractor(model, ["logits"])(x)
    np.testing.assert_allclose(found["logits"], model(x), atol=1e-6)


def test_operations_with_the_same_names(x):
    """Operations get their names anew in each session."""

    def make(name):
        inputs = keras.Input((4,))
        return keras.Model(inputs, keras.ops.exp(inputs)[:, :2] + 1, name=name)

    first = make("first")
    keras.backend.clear_session()
    second = make("second")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [first(inputs), second(2 * inputs)])
    found = FeatureExtractor(model, ["output.0", "output.1"])(x)
    np.testing.assert_allclose(found["output.0"], first(x), atol=1e-6)
    np.testing.assert_allclose(found["output.1"], second(2 * x), rtol=1e-6)


def test_masks_and_dropout_pass_through_renamed_layers():
    def make(name):
        inputs = keras.Input((None,), dtype="int32")
        y = keras.layers.Embedding(9, 4, mask_zero=True, name="table")(inputs)
        y = keras.layers.Dropout(0.5, name="dropout")(y)
        y = keras.layers.GlobalAveragePooling1D(name="pool")(y)
        return keras.Model(inputs, y, name=name)

    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, [make("first")(inputs), make("second")(inputs)])
    ids = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]])
    extractor = FeatureExtractor(model, ["output.0", "output.1"])
    found, expected = extractor(ids), model(ids)
    for i in range(2):
        np.testing.assert_allclose(found[f"output.{i}"], expected[i], atol=1e-6)
    dropped = extractor(ids, training=True)["output.1"]
    assert np.abs(dropped - found["output.1"]).max() > 1e-4


def test_a_nested_model_that_is_called_by_keyword(x):
    encoder = dense_model("encoder")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, encoder(inputs=inputs))
    found = FeatureExtractor(model, "layer.encoder/dense")(x)
    np.testing.assert_allclose(found["layer.encoder/dense"], model(x))


def test_a_layer_that_is_called_twice_has_no_one_output(x):
    inputs = keras.Input((4,))
    dense = keras.layers.Dense(4, name="dense")
    model = keras.Model(inputs, dense(dense(inputs)), name="model")
    with pytest.raises(ValueError, match="'layer.dense'.*has more than once"):
        FeatureExtractor(model, "layer.dense")
    found = FeatureExtractor(model, "logits")(x)
    np.testing.assert_allclose(found["logits"], model(x), atol=1e-6)


def test_a_nested_model_that_is_called_twice_has_no_one_output():
    tower = dense_model("tower")
    inputs = [keras.Input((4,)), keras.Input((4,))]
    model = keras.Model(inputs, [tower(x) for x in inputs])
    with pytest.raises(
        ValueError, match="'layer.tower/dense'.*has more than once"
    ):
        FeatureExtractor(model, "layer.tower/dense")


def test_structures_of_inputs(x):
    inputs = {
        "a": keras.Input((4,), name="a"),
        "b": keras.Input((4,), name="b"),
    }
    total = keras.layers.Add(name="total")([inputs["a"], inputs["b"]])
    model = keras.Model(inputs, total)
    assert set(symbolic_inputs(model)) == {"a", "b"}
    found = FeatureExtractor(model, "layer.total")({"a": x, "b": 2 * x})
    np.testing.assert_allclose(found["layer.total"], 3 * x, rtol=1e-6)


def test_a_subclass_that_overrides_call_is_no_graph():
    class Doubled(keras.Model):
        def call(self, inputs):
            return 2 * super().call(inputs)

    inputs = keras.Input((4,))
    doubled = Doubled(inputs, keras.layers.Dense(2, name="dense")(inputs))
    assert symbolic_inputs(doubled) is None
    outer = keras.Model(inputs, doubled(inputs))
    x = np.ones((1, 4), "float32")
    np.testing.assert_allclose(
        FeatureExtractor(outer, "logits")(x)["logits"], doubled(x), atol=1e-6
    )


@pytest.mark.parametrize(
    "make_output, activation",
    [
        (keras.layers.Dense(2), None),
        (keras.layers.Dense(2, activation="softmax"), "softmax"),
        (keras.layers.Dense(2, activation="sigmoid"), "sigmoid"),
        (keras.layers.Softmax(), "softmax"),
        (keras.layers.Activation("softmax"), "softmax"),
        (keras.layers.Activation("linear"), None),
        (keras.ops.softmax, "softmax"),
        (keras.ops.sigmoid, "sigmoid"),
        (keras.ops.square, None),
    ],
)
def test_activations_of_outputs(make_output, activation):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, make_output(inputs))
    assert describe(model).output_activations == {"logits": activation}


def test_activations_of_nested_outputs():
    first = dense_model("first", 4)
    second = dense_model("second", 4, activation="softmax")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, second(first(inputs)))
    assert describe(model).output_activations == {"logits": "softmax"}
