"""Checkpoints of MobileBERT's original code are read by their names."""

import json
import re

import keras
import numpy as np
import pytest

from keras_distill import models
from keras_distill import teachers

CONFIG = dict(
    vocab_size=27,
    num_hidden_layers=2,
    num_attention_heads=2,
    hidden_size=8,
    hidden_dropout_prob=0.1,
    attention_probs_dropout_prob=0.1,
    max_position_embeddings=16,
    type_vocab_size=2,
    embedding_size=4,
    trigram_input=True,
    use_bottleneck=True,
)
STUDENT = CONFIG | dict(
    hidden_act="relu",
    intermediate_size=10,
    intra_bottleneck_size=6,
    num_feedforward_networks=3,
    key_query_shared_bottleneck=True,
    normalization_type="no_norm",
    classifier_activation=False,
)
# It leaves out what the original code has by default.
TEACHER = CONFIG | dict(
    hidden_act="gelu", intermediate_size=24, intra_bottleneck_size=12
)
# What stands where in the original code, by our own names.
NAMES = {
    "token_embedding/embeddings": "bert/embeddings/word_embeddings",
    "position_embedding/embeddings": "bert/embeddings/position_embeddings",
    "segment_embedding/embeddings": "bert/embeddings/token_type_embeddings",
    "embeddings_projection/": "bert/embeddings/embedding_transformation/",
    "embeddings_layer_norm/": "bert/embeddings/NORM/",
    "pooled_dense/": "bert/pooler/dense/",
    "transformer_layer_0/": "bert/encoder/layer_0/",
    "transformer_layer_1/": "bert/encoder/layer_1/",
    "/bottleneck_dense/": "/bottleneck/input/dense/",
    "/bottleneck_norm/": "/bottleneck/input/NORM/",
    "/key_query_dense/": "/bottleneck/attention/dense/",
    "/key_query_norm/": "/bottleneck/attention/NORM/",
    "/attention/attention_output/": "/attention/output/dense/",
    "/attention/query/": "/attention/self/query/",
    "/attention/key/": "/attention/self/key/",
    "/attention/value/": "/attention/self/value/",
    "/attention_norm/": "/attention/output/NORM/",
    "/intermediate_dense_LAST/": "/intermediate/dense/",
    "/feedforward_dense_LAST/": "/output/dense/",
    "/feedforward_norm_LAST/": "/output/NORM/",
    r"/intermediate_dense_(\d)/": r"/ffn_layer_\1/intermediate/dense/",
    r"/feedforward_dense_(\d)/": r"/ffn_layer_\1/output/dense/",
    r"/feedforward_norm_(\d)/": r"/ffn_layer_\1/output/NORM/",
    "/output_dense/": "/output/bottleneck/dense/",
    "/output_norm/": "/output/bottleneck/NORM/",
    "mlm_head/untied_embeddings": "cls/predictions/extra_output_weights",
    "mlm_head/output_bias": "cls/predictions/output_bias",
    "mlm_head/intermediate_dense/": "cls/predictions/transform/dense/",
    "mlm_head/intermediate_layer_norm/": "cls/predictions/transform/LayerNorm/",
    "next_sentence/kernel": "cls/seq_relationship/output_weights",
    "next_sentence/bias": "cls/seq_relationship/output_bias",
}


def original(path, value, config):
    """A weight of ours as the original code has it."""
    last = config.get("num_feedforward_networks", 1) - 1
    norm = "FakeLayerNorm" if "normalization_type" in config else "LayerNorm"
    name = path
    for ours, theirs in NAMES.items():
        name = re.sub(ours.replace("LAST", str(last)), theirs, name)
    if path == "next_sentence/kernel":
        value = value.T
    if "/attention/" in path and value.ndim > 1 and path.endswith("kernel"):
        wide = config["intra_bottleneck_size"]
        is_output = "attention_output" in path
        value = value.reshape((wide, -1) if is_output else (-1, wide))
    if "/attention/" in path and path.endswith("bias"):
        value = value.reshape(-1)
    return name.replace("NORM", norm), value


@pytest.fixture
def write(tmp_path):
    """Writes a model's weights and config as the original code has them."""
    import tensorflow as tf

    def save(model, config, without=()):
        (tmp_path / "config.json").write_text(json.dumps(config))
        variables = {"global_step": np.int64(7)}
        for weight in model.weights:
            value = keras.ops.convert_to_numpy(weight)
            name, value = original(weight.path, value, config)
            assert name not in variables
            if name not in without:
                variables[name] = value
        prefix = str(tmp_path / "variables.ckpt")
        tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=list(variables),
            shape_and_slices=[""] * len(variables),
            tensors=[tf.constant(value) for value in variables.values()],
        )
        return prefix, tmp_path / "config.json"

    return save


def make(name, config):
    model = models.PretrainingModel(
        models.MobileBertBackbone.from_preset(
            name,
            load_weights=False,
            vocabulary_size=27,
            num_layers=2,
            num_heads=2,
            embedding_dim=4,
            hidden_dim=8,
            intra_dim=config["intra_bottleneck_size"],
            intermediate_dim=config["intermediate_size"],
            num_feedforward_networks=config.get("num_feedforward_networks", 1),
            max_sequence_length=16,
            dropout=0.1,
            zero_pad_embedding=False,
        )
    )
    random = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(random.normal(0.0, 0.4, weight.shape))
    return model


@pytest.mark.tensorflow("checkpoints of TensorFlow 1")
@pytest.mark.parametrize(
    "name, config", [("mobilebert", STUDENT), ("ib_bert_large", TEACHER)]
)
def test_each_weight_and_setting_comes_back(name, config, write):
    model = make(name, config)
    checkpoint, file = write(model, config)
    loaded = models.load_released_mobilebert(checkpoint, file, heads=True)
    expected = model.backbone.get_config()
    found = loaded.backbone.get_config()
    assert found | {"name": expected["name"]} == expected
    assert len(loaded.weights) == len(model.weights)
    for weight, value in zip(loaded.weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, value, err_msg=weight.path)
    check_folder(file.parent, model)
    alone = models.load_released_mobilebert(checkpoint, file)
    assert type(alone) is models.MobileBertBackbone
    np.testing.assert_array_equal(
        alone.get_weights()[-1], model.backbone.get_weights()[-1]
    )


def check_folder(folder, model):
    """By the folder alone each class and `load_teacher` find what is there."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    whole = models.PretrainingModel.from_preset(folder)
    for weight, value in zip(whole.weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, value, err_msg=weight.path)
    assert whole.preprocessor.tokenizer.get_vocabulary() == vocabulary
    new = models.PretrainingModel.from_preset(folder, load_weights=False)
    expected = model.backbone.get_weights()
    assert (new.backbone.get_weights()[0] != expected[0]).any()
    cut = models.MobileBertBackbone.from_preset(folder, num_layers=1)
    np.testing.assert_array_equal(cut.get_weights()[0], expected[0])
    tagger = models.TokenClassifier.from_preset(folder, num_classes=4)
    loaded = teachers.load_teacher(folder, 3, 9, pooling="mean")
    assert not loaded.has_head
    assert type(loaded.classifier) is models.MobileBertTextClassifier
    assert loaded.classifier.pooling == "mean"
    assert loaded.classifier.num_classes == 3
    for task in (tagger, loaded.classifier):
        for found, value in zip(
            task.backbone.get_weights(), expected, strict=True
        ):
            np.testing.assert_array_equal(found, value)
    packed = loaded.classifier.preprocessor(["A Good film"])
    assert packed["token_ids"].shape == (1, 9)
    np.testing.assert_array_equal(packed["token_ids"][0, :5], [2, 1, 5, 6, 3])


def test_a_folder_of_two_is_not_guessed(tmp_path):
    for name in ("small", "large"):
        (tmp_path / f"{name}.json").write_text(json.dumps(STUDENT))
        (tmp_path / f"{name}.ckpt.index").touch()
    with pytest.raises(ValueError, match="more than one.*large.ckpt.index"):
        models.MobileBertBackbone.from_preset(tmp_path)


@pytest.mark.tensorflow("checkpoints of TensorFlow 1")
def test_what_is_missing_is_named(write, tmp_path):
    lost = "bert/encoder/layer_1/ffn_layer_0/output/FakeLayerNorm/gamma"
    model = make("mobilebert", STUDENT)
    checkpoint, file = write(model, STUDENT, without=[lost])
    with pytest.raises(ValueError, match=f"no variable '{lost}'"):
        models.load_released_mobilebert(checkpoint, file)
    wider = STUDENT | {"intermediate_size": 12}
    file.write_text(json.dumps(wider))
    with pytest.raises(ValueError, match=r"has shape \(6, 10\).*\(6, 12\)"):
        models.load_released_mobilebert(checkpoint, file)
    file.write_text(json.dumps(STUDENT | {"use_bottleneck": False}))
    with pytest.raises(ValueError, match="use_bottleneck=False"):
        models.load_released_mobilebert(checkpoint, file)
    with pytest.raises(ValueError, match="missing or damaged"):
        models.load_released_mobilebert(checkpoint, tmp_path / "none.json")
    with pytest.raises(ValueError, match="ends where `.index` would follow"):
        models.load_released_mobilebert(tmp_path / "none.ckpt", file)
