"""Tags for the words of raw text, from a SavedModel."""

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow("writes a SavedModel")

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    from keras_distill import export
    from keras_distill.export.interface import Interface

from keras_distill import tasks  # noqa: E402

TASK = tasks.tagging_task("ner", tasks.WIKIANN_TAGS)
WORDS = [
    ["Meyrick", "sings"],
    ["anna", "and", "Atelocentra", "\u200b", "oslo", "Meyrick"],
    [],
    ["oslo"],
]
TEXTS = [" ".join(words) for words in WORDS]


@pytest.fixture(scope="module")
def model(make_token_classifier):
    keras.utils.set_random_seed(7)
    model = make_token_classifier(num_layers=1)
    # A head that is sure of something.
    model.output_dense.kernel.assign(50 * model.output_dense.kernel)
    return model


@pytest.fixture(scope="module")
def signatures(model, tmp_path_factory):
    """The signatures of its SavedModel."""
    path = tmp_path_factory.mktemp("tags") / "1"
    loaded = tf.saved_model.load(export.to_saved_model(model, path, task=TASK))
    # The signatures do not keep what was loaded.
    yield loaded.signatures
    del loaded


def predicted(model, sequence_length):
    tokenized = tasks.TokenizedTags(
        tasks.TaggedExamples(WORDS),
        model.preprocessor.tokenizer,
        sequence_length,
    )
    return tasks.predict_tags(model, tokenized)


def padded(rows, filler):
    width = max(map(len, rows))
    return [[*row, *[filler] * (width - len(row))] for row in rows]


def test_tags_are_those_of_predict_tags(model, signatures):
    answer = signatures["serving_default"](text=tf.constant(TEXTS))
    expected = [row.tolist() for row in predicted(model, 16)]
    assert len({index for row in expected for index in row}) > 1
    assert answer["tag_ids"].numpy().tolist() == padded(expected, -1)
    words = [[word.decode() for word in row] for row in answer["words"].numpy()]
    assert words == padded(WORDS, "")
    tags = [[tag.decode() for tag in row] for row in answer["tags"].numpy()]
    assert tags == padded(
        [[TASK.label_names[index] for index in row] for row in expected], ""
    )
    shares = answer["probabilities"].numpy()
    assert shares.shape == (4, 6, 7)
    np.testing.assert_allclose(
        shares.sum(-1), answer["tag_ids"].numpy() >= 0, atol=1e-6
    )


def test_truncated_words_have_no_tag(model):
    interface = Interface.of(model, TASK, sequence_length=6)
    answer = interface.served_model(model)._answer_texts(tf.constant(TEXTS))
    with pytest.warns(UserWarning, match="cuts off"):
        expected = [row.tolist() for row in predicted(model, 6)]
    assert expected[1][3:] == [-1, -1, -1]
    assert answer["tag_ids"].numpy().tolist() == padded(expected, -1)
    assert answer["tags"].numpy()[1, 3:].tolist() == [b"", b"", b""]
    assert answer["words"].numpy()[1, 4] == b"oslo"


def test_token_ids_give_logits_of_every_token(model, signatures):
    batch = {
        "token_ids": np.array([[2, 10, 11, 3, 0]], "int32"),
        "segment_ids": np.zeros((1, 5), "int32"),
        "padding_mask": np.array([[1, 1, 1, 1, 0]], "int32"),
    }
    answer = signatures["token_ids"](
        **{name: tf.constant(value) for name, value in batch.items()}
    )
    expected = keras.ops.convert_to_numpy(model(batch))
    np.testing.assert_allclose(answer["logits"], expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(answer["tag_ids"], expected.argmax(-1))


@pytest.mark.parametrize("texts", [[], [""], ["", "  "]])
def test_nothing_to_tag(signatures, texts):
    answer = signatures["serving_default"](text=tf.constant(texts, tf.string))
    assert answer["tags"].shape == (len(texts), 0)
    assert answer["probabilities"].shape == (len(texts), 0, 7)


def test_one_text_column(model, tmp_path):
    with pytest.raises(ValueError, match="`text_columns` must be one name"):
        export.to_saved_model(
            model, tmp_path / "1", task=TASK, text_columns=("one", "two")
        )
    with pytest.raises(ValueError, match="`label_names` is missing"):
        export.to_saved_model(model, tmp_path / "1")
