"""Facts about blocks and models of a user's own."""

import keras
import numpy as np
import pytest

from keras_distill.features import FeatureAdapter
from keras_distill.features import FeatureExtractor
from keras_distill.features import adapters
from keras_distill.features import describe
from keras_distill.features import register_adapter


@pytest.fixture(autouse=True)
def adapters_of_this_test(monkeypatch):
    """What a test registers is gone after it."""
    monkeypatch.setattr(adapters, "_ADAPTERS", dict(adapters._ADAPTERS))


class MixingBlock(keras.layers.Layer):
    """A block of one dense layer around a residual connection."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.mix = keras.layers.Dense(width, activation="gelu")

    def call(self, x):
        return x + self.mix(x)


class MixingAdapter(FeatureAdapter):
    def call(self, layer, recorder, x):
        number = recorder.next_layer(x)
        outputs = layer(x)
        recorder.record("hidden_states", outputs, number)
        return outputs


class Encoder(keras.Model):
    """A model written as a subclass."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = keras.layers.Embedding(10, 4)
        self.block = MixingBlock(4)
        self.head = keras.layers.Dense(2)

    def call(self, inputs):
        x = self.table(inputs["token_ids"])
        x = self.block(x)
        return self.head(x[:, 0])


class EncoderAdapter(FeatureAdapter):
    def inputs(self, model):
        return {
            name: keras.Input((None,), dtype="int32", name=name)
            for name in ("token_ids", "padding_mask")
        }

    def call(self, layer, recorder, inputs):
        x = layer.table(inputs["token_ids"])
        number = recorder.next_layer(x, inputs["padding_mask"])
        x = layer.block(x)
        recorder.record("hidden_states", x, number)
        pooled = x[:, 0]
        recorder.record("pooled", pooled)
        return layer.head(pooled)


def test_a_block_of_ones_own():
    register_adapter(MixingBlock, MixingAdapter())
    inputs = keras.Input((3, 4))
    blocks = [MixingBlock(4), MixingBlock(4)]
    model = keras.Model(inputs, blocks[1](blocks[0](inputs)))
    assert describe(model).num_layers == 2
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    found = FeatureExtractor(model, "hidden_states")(x)
    np.testing.assert_allclose(found["embeddings"], x)
    np.testing.assert_allclose(
        found["hidden_states.1"], blocks[0](x), atol=1e-6
    )
    np.testing.assert_allclose(found["hidden_states.2"], model(x), atol=1e-6)


def test_a_subclass_of_a_block_has_its_adapter():
    class WideMixingBlock(MixingBlock):
        pass

    register_adapter(MixingBlock, MixingAdapter())
    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, WideMixingBlock(4)(inputs))
    assert describe(model).num_layers == 1


def test_a_whole_model_of_ones_own():
    register_adapter(Encoder, EncoderAdapter())
    model = Encoder(name="encoder")
    batch = {
        "token_ids": np.array([[1, 2, 3], [4, 5, 0]]),
        "padding_mask": np.array([[1, 1, 1], [1, 1, 0]]),
    }
    predictions = model(batch)
    description = describe(model)
    assert not description.is_opaque
    assert description.num_layers == 1
    extractor = FeatureExtractor(
        model, ["logits", "hidden_states", "pooled", "padding_mask"]
    )
    found = extractor(batch)
    np.testing.assert_allclose(found["logits"], predictions, atol=1e-6)
    np.testing.assert_allclose(
        found["pooled"], np.asarray(found["hidden_states.1"])[:, 0]
    )
    np.testing.assert_array_equal(found["padding_mask"], batch["padding_mask"])
    own = {id(variable) for variable in model.variables}
    assert {id(variable) for variable in extractor.variables} == own


def test_an_adapter_of_a_block_gives_no_inputs_of_a_model():
    register_adapter(Encoder, MixingAdapter())
    with pytest.raises(
        NotImplementedError, match=r"override `inputs\(model\)`"
    ):
        describe(Encoder())


def test_an_adapter_must_say_how_to_call():
    register_adapter(MixingBlock, FeatureAdapter())
    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, MixingBlock(4)(inputs))
    with pytest.raises(NotImplementedError, match="must override `call"):
        describe(model)


@pytest.mark.parametrize("adapter", [MixingAdapter, None, "adapter"])
def test_only_adapters_are_registered(adapter):
    with pytest.raises(ValueError, match="instance of a FeatureAdapter"):
        register_adapter(MixingBlock, adapter)
