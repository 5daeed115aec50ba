"""What `fit`, `evaluate` and `predict` are given, held against the models."""

import collections

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import corpora
from keras_distill import losses
from keras_distill import tasks

TEXTS = ["a good film", "the dull plot", "a sad movie", "a funny actor"]


def _classifier(hidden_dim):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=27,
        num_layers=1,
        num_heads=2,
        hidden_dim=hidden_dim,
        intermediate_dim=8,
        max_sequence_length=32,
    )
    return keras_hub.models.BertTextClassifier(backbone, num_classes=2)


def _cross_entropy():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.fixture(scope="module")
def built():
    """Built once: most of what is asked here never runs a model."""
    return Distiller(
        _classifier(8), _classifier(4), losses.LogitsDistillation()
    )


@pytest.fixture
def distiller(built):
    built.compile("sgd", _cross_entropy(), run_eagerly=True)
    return built


@pytest.fixture
def batch():
    ids = np.array([[2, 5, 6, 3], [2, 7, 3, 0], [2, 8, 9, 3], [2, 5, 3, 0]])
    x = {
        "token_ids": ids.astype("int32"),
        "segment_ids": np.zeros((4, 4), "int32"),
        "padding_mask": (ids > 0).astype("int32"),
    }
    return x, np.array([0, 1, 1, 0])


class Batches(keras.utils.PyDataset):
    """Two batches of two rows."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 2

    def __getitem__(self, index):
        rows = slice(2 * index, 2 * index + 2)
        x = {key: value[rows] for key, value in self.x.items()}
        return x, self.y[rows]


def as_generator(x, y):
    yield from (Batches(x, y)[index] for index in range(2))


def as_data_set(x, y):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).batch(2)


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        (TEXTS, TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        np.array(TEXTS, dtype="S"),
        {"text": TEXTS},
        {"text": np.array(TEXTS)},
        "a good film",
    ],
    ids=lambda texts: type(texts).__name__,
)
def test_texts_are_told_what_to_do(distiller, texts):
    """Neither model has a preprocessor here; see `test_raw_text.py`."""
    for call in (distiller.fit, distiller.evaluate, distiller.predict):
        with pytest.raises(ValueError, match="token ids.*TokenizedExamples"):
            call(texts)


def test_texts_in_validation_data_and_data_sets_are_told(distiller, batch):
    labels = np.zeros(4)
    with pytest.raises(ValueError, match="token ids.*TokenizedExamples"):
        distiller.fit(*batch, validation_data=(TEXTS, labels), verbose=0)

    class TextBatches(Batches):
        def __getitem__(self, index):
            return TEXTS[:2], self.y[:2]

    with pytest.raises(ValueError, match="token ids.*TokenizedExamples"):
        distiller.fit(TextBatches(*batch), verbose=0)
    if keras.backend.backend() == "tensorflow":
        with pytest.raises(ValueError, match="token ids.*TokenizedExamples"):
            distiller.fit(as_data_set(TEXTS, labels), verbose=0)


def test_a_model_that_reads_texts_gets_them():
    from keras_distill.fitting.fit_data import FitData
    from keras_distill.fitting.raw_text import TextReader

    text = keras.Input((), dtype="string")
    length = keras.layers.Lambda(
        lambda x: keras.ops.zeros((keras.ops.shape(x)[0], 1)),
        output_shape=(1,),
        dtype="float32",
    )(text)
    model = keras.Model(text, length)
    from keras_distill.features import describe

    data = FitData(describe(model), TextReader(model, None, None, False))
    given = {"x": np.array(TEXTS)}
    assert data.for_predict(given) is None
    assert given["x"].shape == (4,)


def test_objects_of_tasks_are_read_or_told(distiller, tokenizer):
    examples = tasks.Examples((TEXTS,), [0, 1, 1, 0])
    tokens = tasks.TokenizedExamples(examples, tokenizer, 8)
    logs = distiller.evaluate(tokens, batch_size=3, verbose=0)
    # Those of one length stand together, so sums have another order.
    expected = distiller.evaluate(tokens.batches(3), verbose=0)
    assert logs == pytest.approx(expected, rel=1e-5)
    assert distiller.predict(tokens, verbose=0).shape == (4, 2)
    history = distiller.fit(tokens, validation_data=tokens, verbose=0).history
    assert {"loss", "val_loss"} <= set(history)
    with pytest.raises(ValueError, match="Examples.*TokenizedExamples"):
        distiller.fit(examples)
    corpus = object.__new__(corpora.SentencePairs)
    with pytest.raises(ValueError, match=r"a SentencePairs. Pass `x.batches\("):
        distiller.fit(corpus)
    splits = tasks.Splits({"train": lambda: examples}, "a list")
    with pytest.raises(ValueError, match="all splits.*'train'"):
        distiller.fit(splits)


def test_names_of_hugging_face_are_told(distiller, batch):
    x, y = batch
    x = {
        "input_ids": x["token_ids"],
        "attention_mask": x["padding_mask"],
        "token_type_ids": x["segment_ids"],
    }
    message = (
        "student .*missing: token_ids.*Rename 'input_ids' to 'token_ids'.*"
        "'attention_mask' to 'padding_mask'.*'token_type_ids' to 'segment_ids'"
    )
    for given in (x, collections.UserDict(x)):
        with pytest.raises(ValueError, match=message):
            distiller.fit(given, y)


def test_a_missing_input_says_whose_it_is(distiller, make_dense_pair, batch):
    x, y = batch
    del x["segment_ids"]
    with pytest.raises(
        ValueError, match="student.*missing: segment_ids.*0 for"
    ):
        distiller.fit(x, y)
    with pytest.raises(ValueError, match="student.*a dict of token_ids"):
        distiller.predict(x["token_ids"])
    teacher_reads_more = make_dense_pair()
    with pytest.raises(ValueError, match="teacher 'large' .*missing: b"):
        teacher_reads_more.fit({"a": np.zeros((2, 3))}, np.zeros(2, int))
    # The student alone is asked.
    assert teacher_reads_more.predict(
        {"a": np.zeros((2, 3))}, verbose=0
    ).shape == (2, 2)


@pytest.fixture
def make_dense_pair():
    def make():
        a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
        both = keras.layers.Add()([a, b])
        teacher = keras.Model(
            {"a": a, "b": b}, keras.layers.Dense(2)(both), name="large"
        )
        student = keras.Model({"a": a}, keras.layers.Dense(2)(a), name="small")
        distiller = Distiller(teacher, student, losses.LogitsDistillation())
        distiller.compile("sgd", _cross_entropy(), run_eagerly=True)
        return distiller

    return make


def wrong_id(x, y):
    x["token_ids"][2, 1] = 99
    return "token_ids.*from 0 to 26, the vocabulary of the student"


def negative_id(x, y):
    x["token_ids"][2, 1] = -1
    return "token_ids.*Received: -1"


def wrong_segment(x, y):
    x["segment_ids"][2, 1] = 2
    return "segment_ids.*from 0 to 1"


def wrong_label(x, y):
    y[2] = 2
    return "`y` must hold whole numbers from 0 to 1.*Received: 2"


def negative_label(x, y):
    y[2] = -1
    return "Received: -1"


@pytest.mark.parametrize(
    "spoil", [wrong_id, negative_id, wrong_segment, wrong_label, negative_label]
)
def test_values_outside_of_the_model_are_found_by_row(distiller, batch, spoil):
    x, y = batch
    message = spoil(x, y)
    with pytest.raises(ValueError, match=f"{message}.* in row 2\\b"):
        distiller.fit(x, y, verbose=0)
    of_batch = f"{message}.* in row 0 of batch 1\\b"
    with pytest.raises(ValueError, match=of_batch):
        distiller.fit(Batches(x, y), verbose=0, shuffle=False)
    with pytest.raises(ValueError, match=of_batch):
        distiller.fit(as_generator(x, y), verbose=0, shuffle=False)
    if keras.backend.backend() == "tensorflow":
        with pytest.raises(ValueError, match=of_batch):
            distiller.evaluate(as_data_set(x, y), verbose=0)


@pytest.mark.tensorflow("tf.data")
def test_a_compiled_run_names_the_row_too(distiller, batch):
    x, y = batch
    message = wrong_label(x, y)
    distiller.run_eagerly = False
    with pytest.raises(ValueError, match=f"{message} in row 0 of batch 1"):
        distiller.fit(as_data_set(x, y), verbose=0)


@pytest.mark.tensorflow("tf.data")
def test_a_data_set_stays_what_it_was(distiller, batch):
    data_set = as_data_set(*batch)
    given = {"x": data_set}
    distiller._fit_data().for_fit(given)
    taken = given["x"]
    assert taken.element_spec == data_set.element_spec
    assert taken.cardinality() == data_set.cardinality()
    for one, other in zip(taken, data_set, strict=True):
        keras.tree.map_structure(np.testing.assert_array_equal, one, other)


def test_rows_that_are_too_long_are_told(distiller):
    ones = np.ones((2, 40), "int32")
    x = {"token_ids": ones, "segment_ids": 0 * ones, "padding_mask": ones}
    with pytest.raises(ValueError, match="at most 32 tokens.*Received: 40"):
        distiller.predict(x)


def test_inputs_of_other_shapes_are_told(distiller, batch):
    x, y = batch
    x["padding_mask"] = x["padding_mask"][:, :3]
    with pytest.raises(ValueError, match=r"\(4, 3\) beside \(4, 4\)"):
        distiller.fit(x, y)


def test_numbers_of_rows_that_differ_are_told(distiller, batch):
    x, y = batch
    with pytest.raises(ValueError, match="token_ids.* with 4, y with 3"):
        distiller.fit(x, y[:3])
    with pytest.raises(ValueError, match="sample_weight with 2"):
        distiller.evaluate(x, y, sample_weight=np.ones(2))


def test_lists_of_numbers_are_arrays(distiller, batch):
    x, y = batch
    lists = {key: value.tolist() for key, value in x.items()}
    expected = distiller.evaluate(x, y, verbose=0)
    assert distiller.evaluate(lists, y.tolist(), verbose=0) == expected
    column = distiller.evaluate(x, y[:, np.newaxis], verbose=0)
    assert column == pytest.approx(expected)
    lists["token_ids"][0] = lists["token_ids"][0][:2]
    with pytest.raises(ValueError, match="of one length.*Pad them"):
        distiller.fit(lists, y)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.eye(2)[[0, 1, 1, 0]], "takes one class number.*np.argmax"),
        (np.array([0.0, 0.5, 1.0, 1.0]), "whole numbers.*0.5 in row 1"),
        (np.array([0, 1, np.nan, 1]), "nan in row 2"),
        (np.array(["no", "yes", "no", "no"]), "must hold numbers.*its number"),
        (["no", "yes", "no", "no"], "must hold numbers"),
        (None, "without labels"),
    ],
)
def test_labels_that_a_sparse_loss_cannot_take(
    distiller, batch, labels, message
):
    with pytest.raises(ValueError, match=message):
        distiller.fit(batch[0], labels)


def test_labels_among_the_inputs_are_seen(distiller, batch):
    x, y = batch
    with pytest.raises(ValueError, match="'labels' in `x`. Pass labels as `y`"):
        distiller.fit({**x, "labels": y})


@pytest.mark.parametrize(
    ("loss", "labels", "message"),
    [
        (
            keras.losses.CategoricalCrossentropy(from_logits=True),
            np.array([0, 1, 1, 0]),
            "takes 2 numbers for each prediction.*SparseCategorical",
        ),
        ("mse", np.array([0, 1, 1, 0]), "takes 2 numbers"),
        ("mse", np.array([[0], [1], [1], [0]]), "takes 2 numbers"),
        (
            keras.losses.BinaryCrossentropy(from_logits=True),
            np.array([[0, 1], [1, 1], [2, 0], [0, 0]]),
            "from 0 to 1.*Received: 2 in row 2",
        ),
        ("mse", np.array([[0, 1], [1, np.nan], [2, 0], [0, 0]]), "row 1"),
    ],
)
def test_labels_that_other_losses_cannot_take(
    distiller, batch, loss, labels, message
):
    distiller.compile("sgd", loss, run_eagerly=True)
    with pytest.raises(ValueError, match=message):
        distiller.fit(batch[0], labels)


def test_a_label_that_the_loss_ignores_is_taken(distiller, batch):
    x, y = batch
    y[1] = -100
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=-100
    )
    distiller.compile("sgd", loss, run_eagerly=True)
    assert np.all(np.isfinite(distiller.evaluate(x, y, verbose=0)))


def test_a_table_of_a_users_own_model_is_known():
    def make(size):
        ids = keras.Input((None,), dtype="int32", name="ids")
        x = keras.layers.Embedding(size, 4, name="words")(ids)
        x = keras.layers.GlobalAveragePooling1D()(x)
        return keras.Model(ids, keras.layers.Dense(2)(x))

    distiller = Distiller(make(9), make(7), losses.LogitsDistillation())
    distiller.compile("sgd", _cross_entropy())
    ids = np.array([[1, 6, 2], [1, 7, 2]])
    with pytest.raises(ValueError, match="from 0 to 6, what 'words' of the st"):
        distiller.fit(ids, np.array([0, 1]))
