"""Facts about running a model on batches as they come."""

import keras
import numpy as np
import pytest

from keras_distill.features import FeatureForward
from keras_distill.features import select_inputs


class Opaque(keras.Model):
    """A model that nobody can look into."""

    def __init__(self, structure, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2)
        self.structure = structure

    def call(self, inputs):
        return keras.tree.map_structure(
            lambda factor: factor * self.dense(inputs), self.structure
        )


def test_outputs_features_and_padding_mask(make_backbone, batch):
    backbone = make_backbone("Roberta")
    forward = FeatureForward(backbone, ["hidden_states.1"], "student", True)
    # The batch has segment ids, which RoBERTa does not know.
    found = forward(batch, training=False)
    assert set(found) == {"hidden_states.1", "outputs", "padding_mask"}
    inputs = {name: batch[name] for name in ("token_ids", "padding_mask")}
    np.testing.assert_allclose(found["outputs"], backbone(inputs), atol=1e-5)
    np.testing.assert_array_equal(found["padding_mask"], batch["padding_mask"])


def test_features_without_outputs(make_backbone, batch):
    forward = FeatureForward(make_backbone(), ["pooled"], "teacher", False)
    assert set(forward(batch, training=False)) == {"pooled", "padding_mask"}


def test_outputs_keep_their_structure(make_backbone, batch):
    backbone = make_backbone()
    forward = FeatureForward(backbone, ["pooled"], "student", True)
    outputs = forward(batch, training=False)["outputs"]
    assert set(outputs) == {"sequence_output", "pooled_output"}


@pytest.mark.parametrize(
    "structure, outputs",
    [
        (1.0, ["logits"]),
        ({"start": 1.0, "end": 2.0}, ["output.end", "output.start"]),
        ([1.0, 2.0], ["output.0", "output.1"]),
    ],
)
def test_a_model_that_nobody_can_look_into(structure, outputs):
    model = Opaque(structure)
    x = np.ones((3, 4), "float32")
    expected = model(x)
    found = FeatureForward(model, ["logits"], "student", True)(
        x, training=False
    )
    assert sorted(found) == [*outputs, "outputs"]
    keras.tree.map_structure(
        np.testing.assert_array_equal, found["outputs"], expected
    )


def test_masks_that_keras_carries_along_are_padding_masks():
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(10, 4, mask_zero=True)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, name="tokens")(x))
    ids = np.array([[1, 2, 0], [3, 4, 5]])
    forward = FeatureForward(model, ["layer.tokens"], "student", True)
    found = forward(ids, training=False)["padding_mask"]
    np.testing.assert_array_equal(found, ids > 0)


def test_models_without_a_mask_have_none():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    forward = FeatureForward(model, ["logits"], "student", True)
    found = forward(np.ones((1, 4), "float32"), training=False)
    assert set(found) == {"logits", "outputs"}


def test_training_is_passed_on(make_backbone, batch):
    forward = FeatureForward(
        make_backbone(dropout=0.5), ["pooled"], "student", False
    )

    def pooled(training):
        return np.asarray(forward(batch, training=training)["pooled"])

    np.testing.assert_array_equal(pooled(False), pooled(False))
    assert np.abs(pooled(True) - pooled(True)).max() > 1e-3


def test_inputs_that_are_missing(make_backbone, batch):
    del batch["segment_ids"]
    with pytest.raises(
        ValueError,
        match="student 'bert_backbone.*' takes.*missing: segment_ids",
    ):
        select_inputs(make_backbone(), batch, "student")


def test_inputs_that_are_no_dict_are_passed_on():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    x = np.ones((1, 4))
    assert select_inputs(model, x, "student") is x
