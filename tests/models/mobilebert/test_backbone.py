"""Facts about MobileBERT's backbone and its teacher's."""

import warnings

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill.features import FeatureExtractor
from keras_distill.models import MobileBertBackbone
from keras_distill.models import NoNorm
from keras_distill.models.mobilebert.architectures import ARCHITECTURES
from tests.models.mobilebert.numpy_forward import forward

FEATURES = [
    "hidden_states",
    "attention_scores",
    "attention_probabilities",
    "queries",
    "keys",
    "values",
    "pooled",
    "output.sequence_output",
]
# Weights of a block, and of the whole with 24 of them.
COUNTS = {
    "mobilebert": (842_240, 24_581_888),
    "mobilebert_paper": (874_624, 25_359_104),
    "mobilebert_tiny": (463_232, 15_485_696),
    "ib_bert_large": (12_076_544, 294_205_184 + 262_656),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_each_state_is_that_of_plain_numpy(
    name, make_backbone, token_batch, run
):
    backbone = make_backbone(name)
    expected = forward(backbone, token_batch)
    found = run(FeatureExtractor(backbone, FEATURES), token_batch)
    assert set(found) == set(expected)
    for feature, value in found.items():
        np.testing.assert_allclose(
            value, expected[feature], atol=1e-5, err_msg=feature
        )
    # Without looking inside, attention takes its own way.
    outputs = run(backbone, token_batch)
    np.testing.assert_allclose(
        outputs["sequence_output"], found["hidden_states.2"], atol=1e-6
    )


def test_a_model_is_cut_off_above_what_is_asked_for(make_backbone):
    backbone = make_backbone()
    extractor = FeatureExtractor(backbone, ["keys.1", "embeddings"])
    top = {id(weight) for weight in backbone.transformer_layers[1].weights}
    assert not top & {id(weight) for weight in extractor.weights}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_counts_are_those_of_the_architecture(name):
    """One block of real width tells of 24; nothing is allocated."""
    with keras.StatelessScope(initialize_variables=False):
        backbone = MobileBertBackbone.from_preset(
            name, load_weights=False, num_layers=1
        )
    block = backbone.transformer_layers[0].count_params()
    per_block, total = COUNTS[name]
    assert block == per_block
    assert ARCHITECTURES[name]["num_layers"] == 24
    assert backbone.count_params() + 23 * block == total
    pooler = 262_656 if name == "ib_bert_large" else 0
    assert backbone.count_params() - block - pooler == 4_368_128


def test_the_multilingual_student_counts():
    with keras.StatelessScope(initialize_variables=False):
        backbone = MobileBertBackbone.from_preset(
            "mobilebert",
            load_weights=False,
            vocabulary_size=119_547,
            num_layers=1,
        )
    assert backbone.count_params() + 23 * 842_240 == 35_977_088


def test_only_the_teacher_normalizes(make_backbone):
    student = list(make_backbone()._flatten_layers())
    teacher = list(make_backbone("ib_bert_large")._flatten_layers())
    norms = keras.layers.LayerNormalization
    # Eight in each of two blocks and one above the embeddings.
    assert sum(isinstance(layer, NoNorm) for layer in student) == 17
    assert not any(isinstance(layer, norms) for layer in student)
    # The teacher has one feed-forward network, and no bottleneck of keys.
    assert sum(isinstance(layer, norms) for layer in teacher) == 9
    assert not any(isinstance(layer, NoNorm) for layer in teacher)


def test_trigrams_are_a_convolution(make_backbone, token_batch, run):
    """Its taps are the kernel's thirds, from the last to the first."""
    backbone = make_backbone(zero_pad_embedding=False)
    words = backbone.token_embedding(token_batch["token_ids"])
    expected = keras.ops.convert_to_numpy(
        backbone.embeddings_projection(backbone.trigram(words))
    )
    kernel, bias = backbone.embeddings_projection.get_weights()
    following, this, previous = np.split(kernel, 3)
    convolution = keras.layers.Conv1D(8, 3, padding="same")
    convolution.build((None, None, 4))
    convolution.set_weights([np.stack([previous, this, following]), bias])
    np.testing.assert_allclose(run(convolution, words), expected, atol=1e-6)
    convolution.set_weights([np.stack([following, this, previous]), bias])
    assert np.abs(run(convolution, words) - expected).max() > 0.1


@pytest.mark.parametrize("zero_pad_embedding", [True, False])
def test_padding_changes_nothing_unless_its_vector_is_seen(
    zero_pad_embedding, make_backbone, token_batch, run
):
    backbone = make_backbone(zero_pad_embedding=zero_pad_embedding)
    padded = {
        name: np.pad(value, [(0, 0), (0, 3)])
        for name, value in token_batch.items()
    }
    is_real = token_batch["padding_mask"] == 1
    short = run(backbone, token_batch)["sequence_output"]
    long = run(backbone, padded)["sequence_output"][:, :6]
    difference = np.abs(long - short)[is_real].max()
    assert (difference < 1e-5) == zero_pad_embedding
    # With [PAD]'s row at zero, nothing is to be seen.
    table = backbone.token_embedding.embeddings
    values = keras.ops.convert_to_numpy(table).copy()
    values[0] = 0
    table.assign(values)
    short = run(backbone, token_batch)["sequence_output"]
    long = run(backbone, padded)["sequence_output"][:, :6]
    assert np.abs(long - short)[is_real].max() < 1e-5


def test_dropout_is_where_the_arguments_say(make_backbone, token_batch, run):
    for words in ({"dropout": 0.5}, {"attention_dropout": 0.5}):
        words = {"dropout": 0.0, "attention_dropout": 0.0} | words
        backbone = make_backbone(num_layers=1, **words)
        first = run(backbone, token_batch, training=False)["pooled_output"]
        dropped = run(backbone, token_batch, training=True)["pooled_output"]
        assert np.abs(first - dropped).max() > 1e-3
    backbone = make_backbone(num_layers=1, attention_dropout=0.0)
    first = run(backbone, token_batch, training=False)["pooled_output"]
    same = run(backbone, token_batch, training=True)["pooled_output"]
    np.testing.assert_allclose(first, same, atol=1e-6)


@pytest.mark.parametrize(
    "family, name, words",
    [
        (MobileBertBackbone, "mobilebert_tiny", {"num_segments": 3}),
        (
            keras_hub.models.Backbone,
            "ib_bert_large",
            {"trigram_input": False, "zero_pad_embedding": False},
        ),
    ],
)
def test_preset_round_trip(
    family, name, words, make_backbone, token_batch, run, tmp_path
):
    backbone = make_backbone(name, num_layers=1, **words)
    backbone.save_to_preset(str(tmp_path / "preset"))
    loaded = family.from_preset(str(tmp_path / "preset"))
    assert type(loaded) is MobileBertBackbone
    assert loaded.get_config() == backbone.get_config()
    found, expected = run(loaded, token_batch), run(backbone, token_batch)
    for output, value in expected.items():
        np.testing.assert_array_equal(found[output], value)


def test_a_name_has_no_weights():
    message = "'mobilebert' names an architecture.*load_weights=False"
    with pytest.raises(ValueError, match=message):
        MobileBertBackbone.from_preset("mobilebert")


def test_bfloat16_is_near_and_float16_warns(make_backbone, token_batch, run):
    backbone = make_backbone(num_layers=1)
    expected = run(backbone, token_batch)["sequence_output"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        near = make_backbone(num_layers=1, dtype="mixed_bfloat16")
    near.set_weights(backbone.get_weights())
    found = run(near, token_batch)["sequence_output"].astype("float32")
    np.testing.assert_allclose(found, expected, atol=0.1 * expected.std())
    with pytest.warns(UserWarning, match="overflows in float16"):
        make_backbone(num_layers=1, dtype="mixed_float16")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_backbone("ib_bert_large", num_layers=1, dtype="mixed_float16")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_heads": 4}, "`num_heads` must divide `intra_dim`"),
        ({"attention_inputs": "blocks"}, "`attention_inputs`"),
        ({"normalization": "none"}, "`normalization`"),
        ({"embedding_dim": 0}, "`embedding_dim`"),
        ({"attention_dropout": 1.0}, "`attention_dropout`"),
    ],
)
def test_arguments_that_cannot_be(arguments, message, make_backbone):
    with pytest.raises(ValueError, match=message):
        make_backbone(**arguments)
