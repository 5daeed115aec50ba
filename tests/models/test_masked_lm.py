"""Masked language models on encoders of any make, and where they come from."""

import keras
import keras_hub
import numpy as np
import pytest
import safetensors.numpy

from keras_distill import export
from keras_distill import models
from tests.hugging_face_folder import write_folder

IDS = np.array([[2, 5, 4, 6, 3], [2, 4, 3, 0, 0]], "int32")
BATCH = {
    "token_ids": IDS,
    "segment_ids": 0 * IDS,
    "padding_mask": (IDS > 0).astype("int32"),
    "mask_positions": np.array([[2], [1]], "int32"),
}


def logits(model):
    return keras.ops.convert_to_numpy(model(BATCH))


@pytest.fixture(scope="module")
def masked_lm(tokenizer):
    backbone = models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
        max_sequence_length=16,
        activation="relu",
        layer_norm_epsilon=1e-3,
    )
    model = models.MaskedLanguageModel(
        backbone, keras_hub.models.MaskedLMPreprocessor(tokenizer, 16)
    )
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(random.normal(0, 0.5, weight.shape))
    return model


def test_the_head_is_berts_at_the_masked_positions(masked_lm):
    head = masked_lm.masked_lm_head
    states = masked_lm.backbone(
        {k: v for k, v in BATCH.items() if k != "mask_positions"}
    )["sequence_output"]
    state = keras.ops.convert_to_numpy(states)[0, 2]
    dense = head._intermediate_dense
    kernel, bias, words, of_words = map(
        keras.ops.convert_to_numpy,
        (
            *(dense.kernel, dense.bias),
            *(masked_lm.backbone.token_embedding.embeddings, head._bias),
        ),
    )
    # Activation and epsilon are those of the encoder.
    inner = np.maximum(state @ kernel + bias, 0)
    norm = head._intermediate_layer_norm
    inner = (inner - inner.mean()) / np.sqrt(inner.var() + 1e-3)
    gamma, beta = map(keras.ops.convert_to_numpy, (norm.gamma, norm.beta))
    inner = inner * gamma + beta

    expected = inner @ words.T + of_words
    assert logits(masked_lm).shape == (2, 1, len(words))
    np.testing.assert_allclose(logits(masked_lm)[0, 0], expected, atol=1e-4)


def test_an_idle_pooler_is_not_trained(masked_lm):
    trained = {id(v) for v in masked_lm.trainable_variables}

    pooler = {id(v) for v in masked_lm.backbone.pooled_dense.variables}
    assert not pooler & trained
    assert len(trained) == len(masked_lm.weights) - 2


def test_a_preset_is_read_again(masked_lm, tmp_path):
    export.to_preset(masked_lm, tmp_path / "preset")

    loaded = models.load_masked_lm(tmp_path / "preset")
    np.testing.assert_array_equal(logits(loaded), logits(masked_lm))
    tokenizer = loaded.preprocessor.tokenizer
    assert tokenizer.mask_token_id == IDS[0, 2]
    assert "Load it" in (tmp_path / "preset/README.md").read_text()


def test_keras_hubs_own_is_read(masked_lm, tmp_path, make_classifier):
    made = keras_hub.models.BertMaskedLM(
        make_classifier(num_layers=1).backbone,
        keras_hub.models.BertMaskedLMPreprocessor(
            masked_lm.preprocessor.tokenizer, 16
        ),
    )
    made.save_to_preset(tmp_path / "preset")

    loaded = models.load_masked_lm(tmp_path / "preset")
    assert isinstance(loaded, keras_hub.models.BertMaskedLM)
    np.testing.assert_array_equal(logits(loaded), logits(made))


def test_a_hugging_face_folder_with_its_head_is_read(
    tmp_path, masked_lm, make_classifier
):
    # A classifier that has the encoder of the masked language model.
    classifier = models.BertTextClassifier(
        masked_lm.backbone,
        num_classes=2,
        preprocessor=make_classifier(num_layers=1).preprocessor,
    )
    folder = tmp_path / "folder"
    write_folder(
        folder,
        classifier,
        "BertForMaskedLM",
        hidden_act="relu",
        layer_norm_eps=1e-3,
    )
    with pytest.raises(ValueError, match="without the head of a masked lang"):
        models.load_masked_lm(folder)
    head = masked_lm.masked_lm_head
    dense, norm = head._intermediate_dense, head._intermediate_layer_norm
    named = {
        "transform.dense.weight": keras.ops.transpose(dense.kernel),
        "transform.dense.bias": dense.bias,
        "transform.LayerNorm.gamma": norm.gamma,
        "transform.LayerNorm.beta": norm.beta,
        "bias": head._bias,
    }
    file = folder / "model.safetensors"
    weights = safetensors.numpy.load_file(file)
    for name, value in named.items():
        value = keras.ops.convert_to_numpy(value)
        weights[f"cls.predictions.{name}"] = np.ascontiguousarray(value)
    safetensors.numpy.save_file(weights, file)

    loaded = models.load_masked_lm(folder)
    np.testing.assert_allclose(logits(loaded), logits(masked_lm), atol=1e-5)


def test_what_has_no_head_is_refused(tmp_path, masked_lm, make_classifier):
    classifier = make_classifier(num_layers=1)
    export.to_preset(classifier, tmp_path / "classifier")
    export.to_encoder_preset(classifier, tmp_path / "encoder")

    for name, found in (
        ("classifier", "a BertTextClassifier"),
        ("encoder", "an encoder alone"),
    ):
        with pytest.raises(ValueError, match=f"{found}, without the head"):
            models.load_masked_lm(tmp_path / name)
    with pytest.raises(ValueError, match="No masked language model could be"):
        models.load_masked_lm(tmp_path / "none")
    with pytest.raises(ValueError, match="must have its words in `token_emb"):
        models.MaskedLanguageModel(keras.Sequential())
