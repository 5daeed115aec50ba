"""MobileBERT is that of `transformers`, on folders that it wrote."""

import keras_hub
import numpy as np
import pytest

from keras_distill import models
from keras_distill import teachers
from keras_distill.evaluation import count_flops
from keras_distill.export import to_hugging_face
from keras_distill.features import FeatureExtractor

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
flop_counter = pytest.importorskip("torch.utils.flop_counter")
pytestmark = pytest.mark.peers

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a good bad film plot is".split()
SIZES = dict(
    vocab_size=len(WORDS),
    hidden_size=16,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=12,
    embedding_size=6,
    intra_bottleneck_size=8,
    max_position_embeddings=64,
    attn_implementation="eager",
)
RELEASED = dict(classifier_activation=False)
TINY = dict(
    num_feedforward_networks=2,
    use_bottleneck_attention=True,
    key_query_shared_bottleneck=False,
)
# As it was released, but for the number of words.
FULL = dict(
    hidden_size=512,
    num_hidden_layers=24,
    num_attention_heads=4,
    intermediate_size=512,
    embedding_size=128,
    intra_bottleneck_size=128,
    classifier_activation=False,
)
MASK = (np.arange(64) < np.array([[64], [40], [2]])).astype("int32")
IDS = np.random.default_rng(0).integers(1, len(WORDS), (3, 64)) * MASK
BATCH = {
    "token_ids": IDS,
    "segment_ids": (np.arange(64) > 20) * MASK,
    "padding_mask": MASK,
}
REAL = MASK == 1


def _small(name):
    """Nothing bounds the states but small weights."""
    return 0.15


def _of_full_width(name):
    """States that stay about as large as the words over 24 blocks."""
    if "word_embeddings" in name:
        return 1.0
    return 0.25 if "query" in name or "key" in name else 0.02


@pytest.fixture
def save(tmp_path):
    """Saves a model of `transformers` with weights that differ clearly."""

    def write(head, std=_small, **config):
        torch.manual_seed(0)
        model = getattr(transformers, f"MobileBert{head}")(
            transformers.MobileBertConfig(**SIZES | config)
        )
        for name, parameter in model.named_parameters():
            mean = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            torch.nn.init.normal_(parameter, mean=mean, std=std(name))
        path = tmp_path / "model"
        model.save_pretrained(path)
        (path / "vocab.txt").write_text("\n".join(WORDS))
        return path, model.eval()

    return write


def of_torch(model, **batch):
    batch = {**BATCH, **batch}
    with torch.no_grad():
        return model(
            input_ids=torch.tensor(batch["token_ids"]),
            token_type_ids=torch.tensor(batch["segment_ids"]),
            attention_mask=torch.tensor(batch["padding_mask"]),
            output_hidden_states=True,
            output_attentions=True,
        )


def check_features(model, outputs):
    kinds = ["hidden_states", "attention_probabilities"]
    found = FeatureExtractor(model, kinds)(BATCH)
    assert len(found) == len(outputs.hidden_states) + len(outputs.attentions)
    for layer, expected in enumerate(outputs.hidden_states):
        name = f"hidden_states.{layer}" if layer else "embeddings"
        np.testing.assert_allclose(
            np.asarray(found[name])[REAL],
            expected.numpy()[REAL],
            atol=1e-4,
            err_msg=name,
        )
    for layer, expected in enumerate(outputs.attentions, start=1):
        np.testing.assert_allclose(
            np.moveaxis(found[f"attention_probabilities.{layer}"], 1, 2)[REAL],
            np.moveaxis(expected.numpy(), 1, 2)[REAL],
            atol=1e-4,
        )


@pytest.mark.parametrize("config", [RELEASED, TINY])
def test_encoders(config, save):
    path, model = save("Model", **config)
    backbone = models.MobileBertBackbone.from_preset(path)
    outputs = of_torch(model)
    check_features(backbone, outputs)
    assert not backbone.zero_pad_embedding
    # The tiny one has the default of `transformers`, a pooler.
    assert backbone.use_pooler == ("classifier_activation" not in config)
    np.testing.assert_allclose(
        backbone(BATCH)["pooled_output"],
        outputs.pooler_output.numpy(),
        atol=1e-4,
    )


def test_both_heads_of_pretraining(save):
    path, model = save("ForPreTraining", **RELEASED)
    loaded = models.PretrainingModel.from_preset(path)
    assert loaded.count_params() == sum(
        parameter.numel() for parameter in model.parameters()
    )
    outputs = of_torch(model)
    check_features(loaded.backbone, outputs)
    check_heads(loaded, outputs)


def check_heads(loaded, outputs):
    positions = np.array([[1, 63, 5], [0, 39, 20], [0, 1, 1]])
    found = loaded({**BATCH, "mask_positions": positions})
    np.testing.assert_allclose(
        found["masked_lm"],
        np.take_along_axis(
            outputs.prediction_logits.numpy(), positions[..., None], axis=1
        ),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        found["next_sentence"],
        outputs.seq_relationship_logits.numpy(),
        atol=1e-4,
    )


@pytest.mark.parametrize("config", [{}, TINY])
def test_24_blocks_and_both_heads_of_pretraining(config, save):
    """Every state and every map of attention, of the full width."""
    path, model = save("ForPreTraining", _of_full_width, **FULL | config)
    loaded = models.PretrainingModel.from_preset(path)
    outputs = of_torch(model)
    assert len(outputs.hidden_states) == 25 and len(outputs.attentions) == 24
    check_features(loaded.backbone, outputs)
    # The last block still does something, and attention chooses.
    changes = outputs.hidden_states[-1] - outputs.hidden_states[-2]
    assert changes.std() > 0.01
    assert outputs.attentions[-1][0].std() > 0.003
    check_heads(loaded, outputs)


@pytest.mark.parametrize("config", [FULL, FULL | TINY])
def test_the_counted_arithmetic_is_that_of_torch(config):
    """Two blocks of full width, of which torch counts each product."""
    config = SIZES | config | {"num_hidden_layers": 2}
    model = transformers.MobileBertModel(
        transformers.MobileBertConfig(**config)
    )
    with flop_counter.FlopCounterMode(display=False) as counter:
        model(input_ids=torch.ones((1, 64), dtype=torch.long))
    ours = models.MobileBertBackbone.from_preset(
        "mobilebert_tiny"
        if "use_bottleneck_attention" in config
        else "mobilebert",
        load_weights=False,
        vocabulary_size=len(WORDS),
        num_layers=2,
    )
    assert count_flops(ours, 64) == counter.get_total_flops()


@pytest.mark.parametrize("config", [RELEASED, {}])
def test_text_classifiers(config, save):
    names = {0: "no", 1: "maybe", 2: "yes"}
    path, model = save("ForSequenceClassification", id2label=names, **config)
    loaded = teachers.load_teacher(path, 3, 64)
    assert loaded.has_head and loaded.label_names == ("no", "maybe", "yes")
    assert type(loaded.classifier) is models.MobileBertTextClassifier
    expected = of_torch(model).logits.numpy()
    np.testing.assert_allclose(loaded.classifier(BATCH), expected, atol=1e-4)
    again = models.MobileBertTextClassifier.from_preset(path)
    np.testing.assert_allclose(again(BATCH), expected, atol=1e-4)


def test_token_classifiers_and_masked_words(save):
    path, model = save("ForTokenClassification", num_labels=4)
    tagger = models.TokenClassifier.from_preset(path)
    assert not tagger.backbone.use_pooler
    np.testing.assert_allclose(
        np.asarray(tagger(BATCH))[REAL],
        of_torch(model).logits.numpy()[REAL],
        atol=1e-4,
    )
    path, model = save("ForMaskedLM")
    loaded = models.load_masked_lm(path)
    assert isinstance(loaded, keras_hub.models.MaskedLM)
    found = loaded({**BATCH, "mask_positions": np.array([[1], [2], [0]])})
    logits = of_torch(model).logits.numpy()
    np.testing.assert_allclose(
        np.asarray(found)[:, 0], logits[[0, 1, 2], [1, 2, 0]], atol=1e-4
    )
    with pytest.warns(UserWarning, match="next sentences"):
        models.PretrainingModel.from_preset(path)


def test_padding_of_zeros_stays_zero(save):
    path, model = save("Model")
    with torch.no_grad():
        model.embeddings.word_embeddings.weight[0] = 0
    model.save_pretrained(path)
    backbone = models.MobileBertBackbone.from_preset(path)
    assert backbone.zero_pad_embedding
    check_features(backbone, of_torch(model))


@pytest.mark.parametrize("zero_pad_embedding", [True, False])
def test_it_is_written_for_transformers(zero_pad_embedding, tmp_path):
    backbone = models.MobileBertBackbone.from_preset(
        "mobilebert",
        load_weights=False,
        vocabulary_size=len(WORDS),
        num_layers=2,
        num_heads=2,
        embedding_dim=6,
        hidden_dim=16,
        intra_dim=8,
        intermediate_dim=12,
        max_sequence_length=64,
        zero_pad_embedding=zero_pad_embedding,
    )
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer(WORDS, lowercase=True),
        sequence_length=9,
    )
    classifier = models.MobileBertTextClassifier(
        backbone, num_classes=3, preprocessor=preprocessor
    )
    random = np.random.default_rng(3)
    for weight in classifier.weights:
        is_scale = weight.path.endswith("gamma")
        weight.assign(random.normal(is_scale, 0.2, weight.shape))
    path = to_hugging_face(classifier, tmp_path / "out", ["no", "so", "yes"])
    model, info = (
        transformers.AutoModelForSequenceClassification.from_pretrained(
            path, attn_implementation="eager", output_loading_info=True
        )
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert model.config.id2label == {0: "no", 1: "so", 2: "yes"}
    outputs = of_torch(model.eval())
    found = np.asarray(classifier(BATCH))
    np.testing.assert_allclose(found, outputs.logits.numpy(), atol=1e-4)
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    texts = ["a Good film", "the plot is bad"]
    theirs = tokenizer(texts, padding="max_length", max_length=9)
    ours = preprocessor(texts)
    np.testing.assert_array_equal(theirs["input_ids"], ours["token_ids"])
    np.testing.assert_array_equal(
        theirs["attention_mask"], ours["padding_mask"]
    )


def test_heads_of_pretraining_are_written_for_transformers(save, tmp_path):
    """What was read is written with the same bits."""
    path, model = save("ForPreTraining", **RELEASED)
    loaded = models.PretrainingModel.from_preset(path)
    again = to_hugging_face(loaded, tmp_path / "again")
    twin, info = transformers.MobileBertForPreTraining.from_pretrained(
        again, output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
    expected = model.state_dict()
    assert set(twin.state_dict()) == set(expected)
    for name, value in twin.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), expected[name].numpy())


@pytest.mark.parametrize(
    "config, message",
    [
        ({"use_bottleneck": False}, "without bottlenecks it is a BERT"),
        ({"normalization_type": "layer_norm"}, "two epsilons"),
    ],
)
def test_what_cannot_be_expressed(config, message, save):
    path, _ = save("Model", **config)
    with pytest.raises(ValueError, match=message):
        models.MobileBertBackbone.from_preset(path)
