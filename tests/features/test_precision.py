"""Features of models that compute in half precision."""

import keras
import numpy as np
import pytest

from keras_distill.features import FeatureExtractor

ALL = [
    "hidden_states",
    "attention_scores",
    "attention_probabilities",
    "queries",
    "keys",
    "values",
]


@pytest.mark.parametrize(
    "policy, tolerance", [("mixed_float16", 0.005), ("mixed_bfloat16", 0.04)]
)
def test_mixed_precision_gives_the_features_of_float32(
    make_backbone, batch, policy, tolerance
):
    full = make_backbone(num_layers=2)
    mixed = make_backbone(num_layers=2, dtype=policy)
    mixed.set_weights(full.get_weights())
    expected = FeatureExtractor(full, ALL)(batch)
    found = FeatureExtractor(mixed, ALL)(batch)
    real = batch["padding_mask"].astype(bool)
    for name, value in found.items():
        value = keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))
        exact = keras.ops.convert_to_numpy(expected[name])
        assert np.all(np.isfinite(value)), name
        if name.startswith("attention"):
            # Heads, then queries and keys; of each only the real ones.
            pairs = real[:, None, :, None] & real[:, None, None, :]
            pairs = np.broadcast_to(pairs, value.shape)
            value, exact = value[pairs], exact[pairs]
        else:
            value, exact = value[real], exact[real]
        scale = np.abs(exact).max()
        assert np.abs(value - exact).max() < tolerance * scale, name
