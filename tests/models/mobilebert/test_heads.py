"""Facts about the heads of MobileBERT."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import models
from keras_distill.export import to_preset
from keras_distill.features import FeatureExtractor
from keras_distill.models import MobileBertTextClassifier
from keras_distill.models import PretrainingModel
from keras_distill.models import TokenClassifier
from tests.models.mobilebert.conftest import shake


@pytest.fixture
def masked_batch(token_batch):
    return {
        **token_batch,
        "mask_positions": np.array([[1, 4], [2, 0], [3, 1], [0, 0]], "int32"),
    }


def test_the_whole_student_counts_and_normalizes_once():
    """Nothing is allocated."""
    with keras.StatelessScope(initialize_variables=False):
        whole = PretrainingModel.from_preset(
            "mobilebert", load_weights=False, compile=False
        )
        backbone = whole.backbone
        classifier = MobileBertTextClassifier(
            backbone, num_classes=2, compile=False
        )
    assert backbone.count_params() == 24_581_888
    assert whole.count_params() == 36_597_564
    assert classifier.count_params() == 24_582_914
    layers = list(whole._flatten_layers())
    norms = [type(layer).__name__ for layer in layers]
    assert norms.count("NoNorm") == 193
    assert norms.count("LayerNormalization") == 1


def test_both_heads_stand_on_one_pass_of_the_encoder(
    make_backbone, masked_batch, run
):
    """Seen by features, which take no layer that is called twice."""
    model = PretrainingModel(make_backbone("mobilebert"))
    extractor = FeatureExtractor(model, ["hidden_states.1"])
    states = run(extractor, masked_batch)["hidden_states.1"]
    assert states.shape[:2] == masked_batch["token_ids"].shape


@pytest.mark.parametrize("name", ["mobilebert", "ib_bert_large"])
def test_both_heads_are_those_of_plain_numpy(
    name, make_backbone, token_batch, masked_batch, run
):
    backbone = make_backbone(name)
    model = PretrainingModel(backbone)
    shake(model.masked_lm_head)
    shake(model.next_sentence_dense)
    weights = {
        weight.path: keras.ops.convert_to_numpy(weight).astype("float64")
        for weight in model.weights
    }
    states = run(backbone, token_batch)
    rows = np.arange(4)[:, None]
    chosen = states["sequence_output"][rows, masked_batch["mask_positions"]]
    x = chosen @ weights["mlm_head/intermediate_dense/kernel"]
    x = x + weights["mlm_head/intermediate_dense/bias"]
    x = keras.ops.convert_to_numpy(backbone.activation(x))
    x = x - x.mean(axis=-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-12)
    x = x * weights["mlm_head/intermediate_layer_norm/gamma"]
    x = x + weights["mlm_head/intermediate_layer_norm/beta"]
    words = [
        weights["token_embedding/embeddings"],
        weights["mlm_head/untied_embeddings"],
    ]
    found = run(model, masked_batch)
    np.testing.assert_allclose(
        found["masked_lm"],
        x @ np.concatenate(words, axis=1).T + weights["mlm_head/output_bias"],
        rtol=1e-5,
        atol=1e-5,
    )
    np.testing.assert_allclose(
        found["next_sentence"],
        states["pooled_output"] @ weights["next_sentence/kernel"]
        + weights["next_sentence/bias"],
        rtol=1e-5,
        atol=1e-5,
    )


def test_heads_compute_in_16_bits(make_backbone, masked_batch, run):
    # With weights of the head alone, and without.
    for width in (4, 8):
        words = {"num_layers": 1, "embedding_dim": width}
        model = PretrainingModel(make_backbone(**words))
        near = PretrainingModel(make_backbone(dtype="mixed_bfloat16", **words))
        near.set_weights(model.get_weights())
        expected, found = run(model, masked_batch), run(near, masked_batch)
        for head, logits in expected.items():
            np.testing.assert_allclose(
                found[head].astype("float32"), logits, atol=0.1 * logits.std()
            )


def test_the_heads_of_a_bert_are_kerashubs(masked_batch, token_batch, run):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=27,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
    )
    model = PretrainingModel(backbone)
    alone = models.MaskedLanguageModel(backbone)
    alone.masked_lm_head.set_weights(model.masked_lm_head.get_weights())
    np.testing.assert_array_equal(
        run(model, masked_batch)["masked_lm"], run(alone, masked_batch)
    )
    head = keras_hub.layers.MaskedLMHead(
        token_embedding=backbone.token_embedding,
        intermediate_activation="gelu",
        layer_norm_epsilon=1e-12,
    )
    states = backbone(token_batch)["sequence_output"]
    positions = masked_batch["mask_positions"]
    head.build(states.shape)
    head.set_weights(model.masked_lm_head.get_weights())
    np.testing.assert_allclose(
        run(model, masked_batch)["masked_lm"],
        keras.ops.convert_to_numpy(head(states, positions)),
        atol=1e-6,
    )
    # The pooler is a weight of the first, and idle in the second.
    assert len(model.trainable_weights) == len(alone.trainable_weights) + 4


def test_pretraining_lowers_both_losses(make_backbone, masked_batch, tmp_path):
    model = PretrainingModel(make_backbone(num_layers=1, embedding_dim=8))
    assert model.masked_lm_head._untied is None
    labels = {
        "masked_lm": np.array([[5, 6], [7, 0], [8, 9], [9, 0]]),
        "next_sentence": np.array([0, 1, 1, 0]),
    }
    weights = {
        "masked_lm": np.array([[1, 1], [1, 0], [1, 1], [1, 0]], "float32"),
        "next_sentence": np.ones(4, "float32"),
    }
    # To compile takes longer than a few steps.
    eagerly = keras.backend.backend() == "tensorflow"
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=eagerly)
    history = model.fit(
        masked_batch, labels, sample_weight=weights, epochs=4, verbose=0
    ).history
    for head in labels:
        assert history[f"{head}_loss"][-1] < history[f"{head}_loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    found = loaded.evaluate(
        masked_batch, labels, sample_weight=weights, verbose=0, return_dict=True
    )
    expected = model.evaluate(
        masked_batch, labels, sample_weight=weights, verbose=0, return_dict=True
    )
    assert found == expected
    assert loaded.optimizer.iterations == 4


def test_a_backbone_without_what_the_heads_read():
    embedding = keras_hub.models.DistilBertBackbone(
        vocabulary_size=27,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
    )
    with pytest.raises(ValueError, match="pooled_output.*DistilBertBackbone"):
        PretrainingModel(embedding)


def test_classifier_round_trip(make_backbone, tokenizer, answers, tmp_path):
    classifier = MobileBertTextClassifier(
        make_backbone(num_layers=1),
        num_classes=3,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
    )
    texts = ["a good film", "the plot is bad and the ending is dull"]
    expected = answers(classifier, texts)
    to_preset(classifier, tmp_path / "preset")
    loaded = keras_hub.models.TextClassifier.from_preset(
        str(tmp_path / "preset")
    )
    assert type(loaded) is MobileBertTextClassifier
    np.testing.assert_array_equal(answers(loaded, texts), expected)
    # A new head on its encoder, with its tokenizer.
    tagger = TokenClassifier.from_preset(tmp_path / "preset", num_classes=5)
    tagger.preprocessor.sequence_length = 16
    np.testing.assert_array_equal(
        tagger.backbone.get_weights()[0], classifier.backbone.get_weights()[0]
    )
    assert answers(tagger, texts).shape == (2, 16, 5)


def test_a_classifier_starts_on_a_name():
    with keras.StatelessScope(initialize_variables=False):
        classifier = MobileBertTextClassifier.from_preset(
            "mobilebert_tiny",
            load_weights=False,
            num_classes=4,
            compile=False,
        )
        tagger = TokenClassifier.from_preset(
            "mobilebert_tiny",
            load_weights=False,
            num_classes=4,
            compile=False,
        )
    assert classifier.count_params() == 15_485_696 + 4 * 513
    assert tagger.count_params() == 15_485_696 + 4 * 513
    with pytest.raises(ValueError, match="load_weights=False"):
        MobileBertTextClassifier.from_preset("mobilebert", num_classes=2)
    with pytest.raises(ValueError, match="load_weights=False"):
        TokenClassifier.from_preset("mobilebert", num_classes=2)
    with pytest.raises(ValueError, match="load_weights=False"):
        PretrainingModel.from_preset("mobilebert")


def test_a_pretraining_model_is_saved_with_its_heads(make_backbone, tmp_path):
    model = PretrainingModel(make_backbone(num_layers=1))
    model.save_to_preset(str(tmp_path / "whole"))
    loaded = PretrainingModel.from_preset(tmp_path / "whole")
    for found, expected in zip(
        loaded.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    model.backbone.save_to_preset(str(tmp_path / "encoder"))
    with pytest.raises(ValueError, match="To start new heads on its encoder"):
        PretrainingModel.from_preset(tmp_path / "encoder")
