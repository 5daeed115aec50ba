"""The ids are those of `tokenizers`, in Python and in a graph."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import packing
from tests.packing.conftest import HARD_LINES
from tests.packing.conftest import MAKERS
from tests.packing.conftest import TEXTS


def expected(reference, texts):
    encoded = reference.encode_batch(texts, add_special_tokens=False)
    return [row.ids for row in encoded]


def differences(texts, found, wanted):
    return [
        (text, mine, theirs)
        for text, mine, theirs in zip(texts, found, wanted, strict=True)
        if list(mine) != theirs
    ]


@pytest.fixture(scope="module")
def served_by_name():
    """The modules that outlast a test."""
    return {}


@pytest.fixture
def served(folder_of, served_by_name):
    """Makes a module for a SavedModel, traced once for each name.

    But for each test one of SentencePiece, whose model goes with Keras's
    session.
    """
    import tensorflow as tf

    class Served(tf.Module):
        def __init__(self, tokenizer):
            self.tokenizer = tokenizer

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )
        def __call__(self, texts):
            rows = self.tokenizer(texts)
            return rows.values, rows.row_splits

    def make(name):
        made = {} if name.startswith("xlm-roberta") else served_by_name
        if name not in made:
            folder, _ = folder_of(name)
            made[name] = Served(packing.huggingface_tokenizer(folder, 1000))
        return made[name]

    return make


def as_lists(values, splits):
    import tensorflow as tf

    return tf.RaggedTensor.from_row_splits(values, splits).to_list()


@pytest.mark.parametrize("name", MAKERS)
def test_ids_in_python(folder_of, name):
    folder, reference = folder_of(name)
    texts = [*HARD_LINES, *TEXTS]
    found = packing.huggingface_tokenizer(folder, 1000)(texts)
    assert not differences(texts, found, expected(reference, texts))


@pytest.mark.tensorflow("a graph")
@pytest.mark.parametrize("name", MAKERS)
def test_ids_in_a_graph(folder_of, served, name):
    _, reference = folder_of(name)
    texts = [*HARD_LINES, *TEXTS]
    found = as_lists(*served(name)(texts))
    assert not differences(texts, found, expected(reference, texts))


def test_a_preset_and_a_keras_file_keep_the_tokenizer(folder_of, tmp_path):
    texts = ["Café crème", "covid19 [MASK] 中国"]
    for name in ("bert uncased", "distilbert", "roberta", "xlm-roberta"):
        folder, _ = folder_of(name)
        tokenizer = packing.huggingface_tokenizer(folder, 1000)
        preset = tmp_path / name
        tokenizer.save_to_preset(str(preset))
        again = keras.layers.deserialize(keras.layers.serialize(tokenizer))
        with pytest.raises(ValueError, match="has no vocabulary yet"):
            again(texts)
        again.load_assets(preset / "assets" / "tokenizer")
        assert type(again) is type(tokenizer)
        assert again(texts) == tokenizer(texts)
        assert again.special_token_ids == tokenizer.special_token_ids
        assert again.pad_token_id == tokenizer.pad_token_id


def test_a_classifier_keeps_its_tokenizer(folder_of, tmp_path):
    texts = ["Café crème", "covid19 [MASK] 中国"]
    folder, _ = folder_of("bert uncased")
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    classifier = keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=1,
            num_heads=1,
            hidden_dim=4,
            intermediate_dim=4,
            max_sequence_length=8,
        ),
        num_classes=2,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=8
        ),
    )
    wanted = keras.ops.convert_to_numpy(
        classifier.preprocessor(texts)["token_ids"]
    )
    assert wanted[0, 0] == tokenizer.token_to_id("[CLS]")
    classifier.save_to_preset(str(tmp_path / "preset"))
    classifier.save(tmp_path / "model.keras")
    for again in (
        keras_hub.models.TextClassifier.from_preset(str(tmp_path / "preset")),
        keras.saving.load_model(tmp_path / "model.keras", compile=False),
    ):
        assert type(again.preprocessor.tokenizer) is type(tokenizer)
        found = again.preprocessor(texts)["token_ids"]
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), wanted)


@pytest.mark.tensorflow("a SavedModel")
@pytest.mark.parametrize("name", ["bert uncased", "roberta", "xlm-roberta"])
def test_a_saved_model_gives_the_same_ids(folder_of, served, tmp_path, name):
    import tensorflow as tf

    _, reference = folder_of(name)
    tf.saved_model.save(served(name), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    found = as_lists(*loaded(tf.constant(HARD_LINES)))
    wanted = expected(reference, HARD_LINES)
    assert not differences(HARD_LINES, found, wanted)
    assert loaded(tf.constant([], tf.string))[0].shape == (0,)


@pytest.mark.tensorflow("a graph")
def test_every_code_point_is_read_as_the_reference_reads_it(folder_of, served):
    for name in ("bert uncased", "roberta"):
        _, reference = folder_of(name)
        texts = [
            "".join(f"a{chr(x)}a" for x in range(start, start + 16))
            for start in range(0, 0x30000, 16)
            if not 0xD800 <= start < 0xE000
        ]
        found = as_lists(*served(name)(texts))
        assert not differences(texts, found, expected(reference, texts))


def test_half_a_surrogate_pair_is_the_replacement_character(folder_of):
    folder, reference = folder_of("roberta")
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    found = tokenizer(["a\ud800b", "\ud83d\ude42"])
    assert found == expected(reference, ["a\ufffdb", "🙂"])


def test_shapes_and_types_are_those_of_keras_hub(folder_of):
    folder, reference = folder_of("bert uncased")
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    texts = ["café film", "the film"]
    one, two = expected(reference, texts)
    assert tokenizer(texts[0]).tolist() == one
    assert tokenizer(np.array(texts)) == [one, two]
    assert tokenizer([texts, texts[:1]]) == [[one, two], [one]]
    assert tokenizer.detokenize(two) == "the film"
    config = {**tokenizer.get_config(), "sequence_length": 12}
    padded = type(tokenizer)(tokenizer.description, **config)
    pad = tokenizer.pad_token_id
    assert padded(texts).tolist() == [
        row + [pad] * (12 - len(row)) for row in (one, two)
    ]
    strings = type(tokenizer)(
        tokenizer.description, **{**tokenizer.get_config(), "dtype": "string"}
    )
    assert strings("the film") == ["the", "film"]


@pytest.mark.tensorflow("TensorFlow's ops")
@pytest.mark.parametrize("name", ["bert uncased", "roberta", "xlm-roberta"])
def test_the_ops_run_outside_of_graphs_too(folder_of, name):
    folder, reference = folder_of(name)
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    in_ops = type(tokenizer)(
        tokenizer.description,
        _allow_python_workflow=False,
        **tokenizer.get_config(),
    )
    wanted = expected(reference, HARD_LINES)
    assert not differences(HARD_LINES, in_ops(HARD_LINES), wanted)


@pytest.mark.tensorflow("a graph")
def test_shapes_in_a_graph(folder_of):
    import tensorflow as tf

    folder, reference = folder_of("bert uncased")
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    texts = ["café film", "the film"]
    one, two = expected(reference, texts)
    run = tf.function(lambda x: tokenizer(x), autograph=False)
    assert run(tf.constant(texts[0])).numpy().tolist() == one
    assert run(tf.constant([texts])).to_list() == [[one, two]]
    assert run(tf.ragged.constant([texts, texts[:1]])).to_list() == [
        [one, two],
        [one],
    ]
