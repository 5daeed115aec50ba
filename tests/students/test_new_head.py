"""The same encoder under another head."""

import numpy as np

from keras_distill import students


def test_a_new_head_leaves_the_encoder(make_classifier):
    model = make_classifier()
    model.preprocessor.truncate = "waterfall"
    copy = students.with_new_head(model, num_classes=5, sequence_length=8)
    assert copy.preprocessor.truncate == "waterfall"
    assert copy.output_shape == (None, 5)
    assert copy.preprocessor.sequence_length == 8
    assert model.preprocessor.sequence_length == 16
    assert copy.preprocessor.tokenizer is model.preprocessor.tokenizer
    for one, two in zip(
        model.backbone.weights, copy.backbone.weights, strict=True
    ):
        assert one is not two
        np.testing.assert_array_equal(one.numpy(), two.numpy())
    fresh = students.from_its_start(model)
    kernels = [m.backbone.pooled_dense.get_weights()[0] for m in (model, fresh)]
    assert (kernels[0] != kernels[1]).all()
