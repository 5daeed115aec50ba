"""Training, the model's own preprocessor and serving read the same ids."""

import functools
import itertools

import keras
import keras_hub
import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow("packs in the graph of a SavedModel")

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    from keras_distill.export.interface import Interface
    from keras_distill.packing.graph_tokenizer import graph_tokenizer

from keras_distill import models  # noqa: E402
from keras_distill import tasks  # noqa: E402
from keras_distill.packing import layout_of  # noqa: E402

# Those of tests/export/conftest.py.
FAMILIES = ["bert", "distil_bert", "roberta", "xlm_roberta", "bert_of_pieces"]
FIRST = [
    "The good film",
    "",
    "[SEP] </s> <mask> [PAD] [MASK] <s>[CLS]",
    "don't watch " + "the very good film and the plot " * 9,
    "x",
    "DON'T 12345 \t two  spaces\nand a line \u00e9\u4e2d\u6587 \U0001f3ac",
]
SECOND = [
    "a dull plot",
    "good",
    "",
    "and " * 40,
    "a funny ending, but not a great story with a bad actor " * 2,
    "</s> good",
]
TEXTS = {"single": (FIRST,), "pair": (FIRST, SECOND)}


@functools.cache
def traced(tokenizer):
    return tf.function(
        tokenizer,
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )


def own_ids(preprocessor, tokens):
    """What the model's own preprocessor packs, and where there are tokens."""
    layout_of(preprocessor)  # builds the packer
    token_ids, segment_ids = preprocessor.packer(tuple(tokens))
    token_ids = np.asarray(token_ids)
    pad = preprocessor.tokenizer.pad_token_id
    # A padding token that a text holds is a token like others.
    trailing = (token_ids[:, ::-1] != pad).argmax(axis=1)
    places = np.arange(token_ids.shape[1])
    return {
        "token_ids": token_ids,
        "segment_ids": np.asarray(segment_ids),
        "padding_mask": places < (len(places) - trailing)[:, None],
    }


def tokenized(source, texts, length=None):
    examples = tasks.TokenizedExamples(tasks.Examples(texts), source, length)
    (x,) = next(examples.iterate(len(examples)))
    return x


def assert_equal(found, expected, pad):
    """Equal but for padding that the longest row does not need."""
    width = found["token_ids"].shape[1]
    for name, wanted in expected.items():
        values = np.pad(
            np.asarray(found[name]),
            [(0, 0), (0, wanted.shape[1] - width)],
            constant_values=pad if name == "token_ids" else 0,
        )
        np.testing.assert_array_equal(values, wanted, err_msg=name)


@pytest.mark.parametrize("family", FAMILIES)
def test_classifiers_read_the_same_ids(
    make_family, tokenizer_of_family, family
):
    in_graph = traced(tokenizer_of_family(family))
    tokens = [in_graph(tf.constant(column)) for column in TEXTS["pair"]]
    classifier = make_family(family)
    pad = classifier.preprocessor.tokenizer.pad_token_id
    for texts, length, truncate in itertools.product(
        TEXTS.values(), (64, 13), ("round_robin", "waterfall")
    ):
        preprocessor = type(classifier.preprocessor)(
            classifier.preprocessor.tokenizer, length, truncate
        )
        classifier.preprocessor = preprocessor
        expected = own_ids(preprocessor, tokens[: len(texts)])
        assert_equal(tokenized(preprocessor, texts), expected, pad)
        served = Interface.of(
            classifier,
            label_names=["no", "yes"],
            text_columns=["first", "second"][: len(texts)],
        ).served_model(classifier)
        found = served._encode_texts(*[tf.constant(x) for x in texts])
        assert_equal(found, {k: expected[k] for k in classifier.input}, pad)


@pytest.mark.parametrize("family", FAMILIES[:-1])
def test_a_tokenizer_is_packed_as_its_family(make_preprocessor, family):
    preprocessor = make_preprocessor(family, sequence_length=13)
    for texts in TEXTS.values():
        expected = tokenized(preprocessor, texts)
        found = tokenized(preprocessor.tokenizer, texts, 13)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)


def test_a_pair_of_roberta_has_two_separators(tokenizer_of_family):
    tokenizer = tokenizer_of_family("roberta")
    x = tokenized(tokenizer, (["good"], ["film"]), 16)
    tokens = [tokenizer.id_to_token(i) for i in x["token_ids"][0]]
    assert tokens == ["<s>", "good", "</s>", "</s>", "film", "</s>"]
    assert x["segment_ids"].tolist() == [[0, 0, 0, 0, 1, 1]]


def test_a_padding_token_in_a_text_is_no_padding(tokenizer_of_family):
    tokenizer = tokenizer_of_family("roberta")
    x = tokenized(tokenizer, (["good<pad>film", "x"],), 16)
    assert x["token_ids"][0].tolist().count(tokenizer.pad_token_id) == 1
    assert x["padding_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]


SENTENCES = [
    "The good film <mask> and DON'T</s> 12345 \u00e9\u4e2d \U0001f3ac",
    "",
    "good",
    "and " * 40,
]


@pytest.mark.parametrize("family", FAMILIES)
def test_taggers_read_the_same_ids(make_preprocessor, make_backbone, family):
    preprocessor = make_preprocessor(family, sequence_length=16)
    tagger = models.TokenClassifier(
        make_backbone(family), 3, preprocessor=preprocessor
    )
    interface = Interface.of(tagger, label_names=["a", "b", "c"])
    served = interface.served_model(tagger)
    words = [sentence.split() for sentence in SENTENCES]
    with pytest.warns(UserWarning, match="cuts off"):
        data = tasks.TokenizedTags(tasks.TaggedExamples(words), preprocessor)
    (trained,) = next(data.iterate(len(data)))
    served_ids = served.encode(tf.constant(SENTENCES))
    for name, values in served_ids.items():
        np.testing.assert_array_equal(values, trained[name], err_msg=name)
    answer = served.signatures()["serving_default"](text=tf.constant(SENTENCES))
    predicted = tasks.predict_tags(tagger, data)
    for row, tags in zip(answer["tag_ids"].numpy(), predicted, strict=True):
        assert row[: len(tags)].tolist() == tags.tolist()


def test_models_without_segments_are_given_none(make_family):
    classifier = make_family("distil_bert", sequence_length=16)
    data = tasks.TokenizedExamples(
        tasks.Examples(TEXTS["pair"]), classifier.preprocessor
    )
    # Keras would warn of inputs that the model does not read.
    assert tasks.predict_logits(classifier, data).shape == (len(FIRST), 2)


def test_byte_pairs_of_the_graph_are_those_of_keras_hub(tokenizer_of_family):
    random = np.random.default_rng(0)
    letters = list("tthheegoodfilm  <>/mask'1234\n.\u00e9\u4e2d\u00a0\t")
    texts = ["".join(random.choice(letters, n)) for n in range(0, 80, 2)]
    texts += [*FIRST, *SECOND, "good" * 9, " ", "", "<unk> <mask>x </s>"]
    known = tokenizer_of_family("roberta")
    for add_prefix_space in (False, True):
        tokenizer = keras_hub.models.RobertaTokenizer(
            known.vocabulary, known.merges, add_prefix_space=add_prefix_space
        )
        found = graph_tokenizer(tokenizer)(tf.constant(texts))
        # All that KerasHub's tokenizer with that option does before.
        before = " " if add_prefix_space else ""
        expected = traced(known)(tf.constant([before + x for x in texts]))
        assert found.to_list() == expected.to_list()
