"""Folders that `transformers` wrote give what `transformers` computes."""

import json
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import models
from keras_distill import teachers
from keras_distill.features import FeatureExtractor
from keras_distill.models import hugging_face
from keras_distill.models.hugging_face import settings

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.peers

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a good bad film plot is".split()
SIZES = dict(
    vocab_size=len(WORDS),
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=24,
    max_position_embeddings=20,
)
DISTILBERT_SIZES = dict(
    vocab_size=len(WORDS),
    dim=16,
    n_layers=2,
    n_heads=2,
    hidden_dim=24,
    max_position_embeddings=20,
)
IDS = np.array([[2, 5, 6, 8, 3, 0], [2, 7, 3, 9, 10, 3]])
MASK = np.array([[1, 1, 1, 1, 1, 0], [1] * 6])


@pytest.fixture
def save(tmp_path):
    """Saves a model of `transformers` with weights that differ clearly."""

    def write(kind, head="Model", folder="teacher", **config):
        sizes = DISTILBERT_SIZES if kind == "DistilBert" else SIZES
        torch.manual_seed(0)
        model = getattr(transformers, f"{kind}{head}")(
            getattr(transformers, f"{kind}Config")(**sizes, **config)
        )
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.4)
        path = tmp_path / folder
        model.save_pretrained(path)
        write_tokenizer(kind, path)
        return path, model.eval()

    return write


def write_tokenizer(kind, path):
    if kind == "Albert":
        return
    if kind in ("Bert", "DistilBert"):
        (path / "vocab.txt").write_text("\n".join(WORDS))
        (path / "tokenizer_config.json").write_text('{"do_lower_case": true}')
        return
    # RoBERTa's: special tokens first, then pieces of bytes.
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abcdef"]
    vocabulary = {word: index for index, word in enumerate(words)}
    (path / "vocab.json").write_text(json.dumps(vocabulary))
    (path / "merges.txt").write_text("#version: 0.2\n")


def of_torch(model, kind, **words):
    """Hidden states and output of a model, as `transformers` loads it."""
    arguments = dict(
        input_ids=torch.tensor(IDS),
        attention_mask=torch.tensor(MASK),
        output_hidden_states=True,
        **words,
    )
    if kind == "Bert":
        arguments["token_type_ids"] = torch.tensor(IDS % 2)
    with torch.no_grad():
        return model(**arguments)


def batch_of(classifier):
    batch = {"token_ids": IDS, "segment_ids": IDS % 2, "padding_mask": MASK}
    inputs = classifier.input
    return {name: value for name, value in batch.items() if name in inputs}


def check_equal(classifier, outputs, with_logits=True):
    kinds = ["hidden_states", "logits"] if with_logits else ["hidden_states"]
    found = FeatureExtractor(classifier, kinds)(batch_of(classifier))
    for layer, expected in enumerate(outputs.hidden_states):
        name = f"hidden_states.{layer}" if layer else "embeddings"
        np.testing.assert_allclose(
            np.asarray(found[name])[MASK > 0],
            expected.numpy()[MASK > 0],
            atol=1e-4,
            err_msg=name,
        )
    if with_logits:
        logits = np.asarray(found["logits"])
        expected = outputs.logits.numpy()
        if logits.ndim == 3:
            logits, expected = logits[MASK > 0], expected[MASK > 0]
        np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize(
    "kind, config, is_keras_hubs",
    [
        ("Bert", {}, False),
        ("Bert", {"hidden_act": "relu", "layer_norm_eps": 0.1}, False),
        ("Bert", {"hidden_act": "gelu_new"}, True),
        ("Bert", {"hidden_act": "silu", "type_vocab_size": 3}, False),
        ("Roberta", {"layer_norm_eps": 1e-5, "type_vocab_size": 1}, True),
        ("Roberta", {"hidden_act": "gelu_new", "pad_token_id": 0}, False),
        ("DistilBert", {}, True),
        ("DistilBert", {"activation": "relu"}, False),
    ],
)
def test_text_classifiers(kind, config, is_keras_hubs, save):
    """The whole model, head and all, on the config as it is."""
    names = {0: "no", 1: "maybe", 2: "yes"}
    path, model = save(
        kind, "ForSequenceClassification", id2label=names, **config
    )
    loaded = teachers.load_teacher(path, 3, 6)
    assert loaded.has_head
    assert loaded.label_names == ("no", "maybe", "yes")
    assert isinstance(
        loaded.classifier,
        getattr(keras_hub.models, f"{kind}TextClassifier"),
    )
    backbone = type(loaded.classifier.backbone)
    assert backbone.__module__.startswith("keras_hub") == is_keras_hubs
    check_equal(loaded.classifier, of_torch(model, kind))


@pytest.mark.parametrize("kind", ["Bert", "Roberta", "DistilBert"])
def test_token_classifiers(kind, save):
    """BERT's has no pooler."""
    names = {0: "O", 1: "B-X", 2: "I-X"}
    path, model = save(kind, "ForTokenClassification", id2label=names)
    loaded = teachers.load_teacher(path, 3, 6, models.TokenClassifier)
    assert loaded.has_head
    assert loaded.label_names == ("O", "B-X", "I-X")
    check_equal(loaded.classifier, of_torch(model, kind))
    tagger = models.TokenClassifier.from_preset(str(path))
    np.testing.assert_array_equal(
        tagger(batch_of(tagger)), loaded.classifier(batch_of(tagger))
    )


@pytest.mark.parametrize(
    "kind", ["Bert", "Roberta", "XLMRoberta", "DistilBert"]
)
def test_encoders_alone(kind, save):
    """Saved without a head, and so without a prefix."""
    path, model = save(kind)
    backbone = hugging_face.load_encoder(hugging_face.Checkpoint(path))
    check_equal(backbone, of_torch(model, kind), with_logits=False)


def test_activations_are_those_of_transformers():
    x = np.linspace(-6, 6, 101, dtype="float32")
    for name, activation in settings.ACTIVATIONS.items():
        expected = transformers.activations.ACT2FN[name](torch.tensor(x))
        np.testing.assert_allclose(
            keras.activations.get(activation)(x),
            expected.numpy(),
            atol=1e-6,
            err_msg=name,
        )


def test_the_conversion_of_pytorchs_weights_works(save):
    """The command that the error names is run as it stands."""
    path, model = save("Bert", "ForSequenceClassification")
    (path / "model.safetensors").unlink()
    torch.save(model.state_dict(), path / "pytorch_model.bin")
    with pytest.raises(ValueError) as error:
        teachers.load_teacher(path, 2, 6)
    command = str(error.value).split("in the same folder: ")[1]
    subprocess.run(
        command.replace("python -c", f"{sys.executable} -c"),
        shell=True,
        check=True,
        capture_output=True,
    )
    check_equal(
        teachers.load_teacher(path, 2, 6).classifier, of_torch(model, "Bert")
    )


def test_albert_is_converted_by_kerashub_and_has_its_head(save):
    names = {0: "no", 1: "maybe", 2: "yes"}
    words = dict(embedding_size=8, id2label=names)
    path, model = save("Albert", "ForSequenceClassification", **words)
    checkpoint = hugging_face.Checkpoint(path)
    classifier = hugging_face.load_task(
        keras_hub.models.TextClassifier, checkpoint, preprocessor=None
    )
    assert type(classifier) is keras_hub.models.AlbertTextClassifier
    assert hugging_face.label_names(checkpoint.config, 3) == tuple(
        names.values()
    )
    batch = batch_of(classifier)
    outputs = of_torch(model, "Bert")
    np.testing.assert_allclose(
        classifier(batch), outputs.logits.numpy(), atol=1e-4
    )
    path, _ = save(
        "Albert", "ForSequenceClassification", "relu", hidden_act="relu"
    )
    with pytest.raises(ValueError, match="hidden_act='relu'"):
        hugging_face.Checkpoint(path)
