"""Token ids, packed as KerasHub packs them, in batches of any length."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill.tasks import Examples
from keras_distill.tasks import TokenizedExamples

FIRST = [
    "a good film",
    "the plot was very dull but sad",
    "zzz",
    "",
    "A FUNNY film",
]
SECOND = ["great actor", "", "the ending of it was not funny", "bad", "it was"]
NAMES = ("token_ids", "segment_ids", "padding_mask")


@pytest.fixture(scope="module")
def tokenized():
    """20 rows of 3 to 12 tokens; the label is the number of the row."""
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"]
    )
    lengths = np.random.RandomState(0).randint(1, 11, size=20)
    texts = [" ".join(["film"] * length) for length in lengths]
    examples = Examples((texts,), labels=np.arange(20))
    return TokenizedExamples(examples, tokenizer, sequence_length=16)


def labels_of(batches):
    return [np.asarray(y).tolist() for _, y in batches]


def expected_batch(tokenizer, texts, sequence_length):
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        tokenizer, sequence_length=sequence_length
    )
    # Without `y`, a pair of texts would be taken for texts and labels.
    x = preprocessor(texts, y=None)
    return {name: keras.ops.convert_to_numpy(x[name]) for name in NAMES}


@pytest.mark.parametrize("texts", [(FIRST,), (FIRST, SECOND)])
@pytest.mark.parametrize("sequence_length", [4, 5, 6, 7, 8, 16])
def test_equals_keras_hub(tokenizer, texts, sequence_length):
    tokenized = TokenizedExamples(Examples(texts), tokenizer, sequence_length)
    (x,) = next(tokenized.iterate(5, fixed_length=sequence_length))
    expected = expected_batch(tokenizer, texts, sequence_length)
    assert set(x) == set(NAMES)
    for name in NAMES:
        assert x[name].dtype == np.int32
        np.testing.assert_array_equal(x[name], expected[name].astype(int))


def test_equals_keras_hub_with_other_special_tokens():
    class OtherTokenizer(keras_hub.models.BertTokenizer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self._add_special_token("<go>", "start_token")
            self._add_special_token("<end>", "end_token")

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<go>", "<end>"]
    tokenizer = OtherTokenizer(vocabulary=[*special, "film", "good"])
    texts = (["film good", "good"], ["good", "film film film"])
    tokenized = TokenizedExamples(Examples(texts), tokenizer, 8)
    (x,) = next(tokenized.iterate(2, fixed_length=8))
    assert x["token_ids"][0].tolist() == [5, 7, 8, 6, 8, 6, 0, 0]
    expected = expected_batch(tokenizer, texts, 8)
    for name in NAMES:
        np.testing.assert_array_equal(x[name], expected[name].astype(int))


def test_many_chunks_and_progress(tokenizer):
    texts = ["film " * (row % 7) for row in range(2500)]
    seen = []
    tokenized = TokenizedExamples(
        Examples((texts,)), tokenizer, 8, progress=lambda *now: seen.append(now)
    )
    assert seen == [(1024, 2500), (2048, 2500), (2500, 2500)]
    assert tokenized.lengths.tolist() == [row % 7 + 2 for row in range(2500)]


def test_batches_are_padded_to_their_longest_row(tokenized):
    for x, y in tokenized.iterate(4, length_multiple=1):
        longest = tokenized.lengths[y].max()
        for name in NAMES:
            assert x[name].shape == (4, longest)
        lengths = x["padding_mask"].sum(axis=1)
        np.testing.assert_array_equal(lengths, tokenized.lengths[y])


def test_fixed_length(tokenized):
    shapes = {
        x["token_ids"].shape for x, _ in tokenized.iterate(4, fixed_length=14)
    }
    assert shapes == {(4, 14)}


def test_length_multiple(tokenized):
    shapes = {
        x["token_ids"].shape[1]
        for x, _ in tokenized.iterate(1, length_multiple=5)
    }
    assert shapes == {5, 10, 15}


def test_lengths_are_few_where_each_is_compiled(tokenized):
    found = {x["token_ids"].shape[1] for x, _ in tokenized.iterate(1)}
    if keras.backend.backend() == "jax":
        assert found == {8, 16}
    else:
        assert found == set(tokenized.lengths)


def test_length_multiple_stays_within_the_sequence_length(tokenizer):
    tokenized = TokenizedExamples(Examples((["film " * 9],)), tokenizer, 6)
    (x,) = next(tokenized.iterate(1, length_multiple=4))
    assert x["token_ids"].shape == (1, 6)


def test_rows_keep_their_order_without_shuffle(tokenized):
    assert labels_of(tokenized.iterate(8)) == [
        list(range(8)),
        list(range(8, 16)),
        list(range(16, 20)),
    ]
    assert labels_of(tokenized.iterate(8, drop_remainder=True))[1:] == [
        list(range(8, 16))
    ]


def test_batches_are_what_iterate_yields(tokenized):
    arguments = {"batch_size": 8, "shuffle": True, "seed": 3}
    expected = tokenized.iterate(**arguments, epoch=5)
    batches = tokenized.batches(**arguments, initial_epoch=5)
    for (x, y), (x_found, y_found) in zip(expected, batches, strict=True):
        np.testing.assert_array_equal(y, y_found)
        for name in NAMES:
            np.testing.assert_array_equal(x[name], x_found[name])


@pytest.mark.parametrize("first_batch", [0, 1, 2])
def test_an_epoch_from_a_batch_on(tokenized, first_batch):
    arguments = {"batch_size": 8, "shuffle": True, "seed": 3}
    whole = labels_of(tokenized.iterate(**arguments, epoch=5))
    arguments["first_batch"] = first_batch
    rest = labels_of(tokenized.iterate(**arguments, epoch=5))
    assert rest == whole[first_batch:]
    batches = tokenized.batches(**arguments, initial_epoch=5)
    assert len(batches) == 3 - first_batch
    # The same epoch again.
    assert labels_of(batches) == labels_of(batches) == rest


def test_number_of_batches(tokenized):
    assert len(tokenized.batches(8)) == tokenized.num_batches(8) == 3
    assert len(tokenized.batches(8, drop_remainder=True)) == 2


@pytest.mark.tensorflow("Its data sets have a signature.")
def test_signature(tokenized, tokenizer):
    import tensorflow as tf

    x, y = tokenized.batches(8).element_spec
    assert set(x) == set(NAMES)
    for spec in x.values():
        assert spec == tf.TensorSpec((None, None), tf.int32)
    assert y == tf.TensorSpec((None,), tf.int32)
    fixed = tokenized.batches(8, fixed_length=16).element_spec[0]
    assert fixed["token_ids"].shape.as_list() == [None, 16]


def test_scores_and_unlabelled_rows(tokenizer):
    texts = (["film", "good film"],)
    scores = TokenizedExamples(Examples(texts, [0.5, 2.0]), tokenizer, 8)
    ((_, y),) = scores.batches(2)
    assert y.dtype == "float32"
    unlabelled = TokenizedExamples(Examples(texts), tokenizer, 8)
    (batch,) = unlabelled.batches(2)
    assert len(batch) == 1


def test_rows_of_several_labels(tokenizer, make_classifier):
    table = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], "float32")
    texts = (["film", "good film", "a bad film"],)
    rows = TokenizedExamples(Examples(texts, table), tokenizer, 8)
    ((_, y),) = rows.select([2, 0]).batches(2)
    assert y.dtype == "float32"
    np.testing.assert_array_equal(y, table[[2, 0]])
    rows.check_model(make_classifier(num_layers=1, num_classes=3))
    with pytest.raises(ValueError, match="of the 2 outputs .* Received: 3"):
        rows.check_model(make_classifier(num_layers=1, num_classes=2))
    other = TokenizedExamples(Examples(texts, 1 - table), tokenizer, 8)
    ours, theirs = rows.fingerprints(), other.fingerprints()
    assert {k for k in ours if ours[k] != theirs[k]} == {"labels"}


def test_a_class_weight_weighs_rows(tokenized):
    weighted = tokenized.with_class_weight({3: 0.0, 7: 5.0}, num_classes=20)
    for (_, y, weights), (_, in_fit, weights_in_fit) in zip(
        weighted.iterate(8), weighted.batches(8), strict=True
    ):
        expected = np.where(y == 7, 5.0, np.where(y == 3, 0.0, 1.0))
        np.testing.assert_array_equal(weights, expected)
        np.testing.assert_array_equal(weights_in_fit, expected)
        np.testing.assert_array_equal(in_fit, y)
        assert weights.dtype == np.float32
    ours, plain = weighted.fingerprints(), tokenized.fingerprints()
    assert ours.items() - plain.items() == {
        ("class_weight", ours["class_weight"])
    }
    assert len(next(tokenized.iterate(8))) == 2


@pytest.mark.parametrize("batch_size", [1, 8, 20])
def test_every_epoch_has_its_own_order(tokenized, batch_size):
    dataset = tokenized.batches(batch_size, shuffle=True, seed=1)
    epochs = [labels_of(dataset) for _ in range(3)]
    for epoch, labels in enumerate(epochs):
        assert labels == labels_of(
            tokenized.iterate(batch_size, shuffle=True, seed=1, epoch=epoch)
        )
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize("batch_size", [1, 4, 10])
def test_an_iteration_given_up_is_no_epoch(tokenized, batch_size):
    dataset = tokenized.batches(batch_size, shuffle=True)
    expected = labels_of(tokenized.iterate(batch_size, shuffle=True))
    for _ in range(2):
        next(iter(dataset))
    assert labels_of(dataset) == expected


class SeenBatches(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(float(logs["batch"]))


@pytest.fixture
def make_reader():
    """A model whose metric `batch` tells the labels of the last batch."""

    def make():
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name)
            for name in NAMES
        }
        tokens = keras.ops.cast(inputs["token_ids"], "float32")
        pooled = keras.ops.mean(tokens, axis=1, keepdims=True)
        model = keras.Model(inputs, keras.layers.Dense(1)(pooled))
        model.compile("sgd", "mse", metrics=[LastBatch()])
        return model

    return make


class LastBatch(keras.metrics.Metric):
    """The sum of 2 to the power of each label of the last batch."""

    def __init__(self, name="batch"):
        super().__init__(name=name)
        self.value = self.add_variable((), "zeros", name="value")

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels = keras.ops.cast(y_true, "float32")
        self.value.assign(keras.ops.sum(2.0**labels))

    def result(self):
        return keras.ops.convert_to_tensor(self.value)


@pytest.mark.parametrize(("batch_size", "shuffle"), [(1, True), (8, False)])
def test_keras_fit_reads_epoch_after_epoch(
    tokenized, make_reader, batch_size, shuffle
):
    model, seen = make_reader(), SeenBatches()
    batches = tokenized.batches(batch_size, shuffle=True, seed=2)
    fit = {"shuffle": shuffle, "verbose": 0, "callbacks": [seen]}
    model.fit(batches, epochs=2, **fit)
    model.fit(batches, epochs=1, **fit)
    expected = [
        sum(2.0**label for label in labels)
        for epoch in range(3)
        for labels in labels_of(
            tokenized.iterate(batch_size, shuffle=True, seed=2, epoch=epoch)
        )
    ]
    assert seen.seen == expected


def test_select(tokenized):
    rows = np.array([7, 3, 3])
    selected = tokenized.select(rows)
    assert len(selected) == 3
    assert selected.lengths.tolist() == tokenized.lengths[rows].tolist()
    assert selected.ids.tolist() == [7, 3, 3]
    assert labels_of(selected.iterate(2)) == [[7, 3], [3]]
    assert len(tokenized) == 20


class IdAtEachToken:
    """Targets that are the row's id, at each of its tokens and once."""

    def read(self, ids, length):
        return {
            "id": ids.astype("float32"),
            "ids": np.repeat(ids[:, np.newaxis], length, axis=1),
        }

    def signature(self, length):
        return {"id": ((None,), "float32"), "ids": ((None, length), "int64")}


@pytest.mark.parametrize("fixed_length", [None, 14])
def test_targets_are_found_by_id(tokenized, fixed_length):
    rows = np.arange(20)[::-1]
    more = tokenized.with_targets(IdAtEachToken()).select(rows)
    arguments = {"shuffle": True, "fixed_length": fixed_length}
    batches = more.batches(6, **arguments)
    for (x, y), (x_fit, _) in zip(
        more.iterate(6, **arguments), batches, strict=True
    ):
        assert set(x) == {*NAMES, "id", "ids"}
        np.testing.assert_array_equal(x["id"], y)
        assert x["ids"].shape == x["token_ids"].shape
        for name in x:
            np.testing.assert_array_equal(x[name], x_fit[name])
    assert set(next(tokenized.iterate(6))[0]) == set(NAMES)


def test_labels_of_any_shape_go_with_their_rows(tokenized):
    labels = {"kinds": np.eye(20, dtype="int32"), "score": np.arange(20.0)}
    weight = np.arange(20, dtype="float32") / 20
    more = tokenized.with_labels(labels, weight).select(np.arange(15)[::-1])
    for batches in (more.iterate(4, shuffle=True), more.batches(4, True)):
        seen = []
        for _, y, sample_weight in batches:
            rows = np.array(y["score"]).astype("int64")
            np.testing.assert_array_equal(y["kinds"], labels["kinds"][rows])
            np.testing.assert_array_equal(sample_weight, weight[rows])
            seen.extend(rows)
        assert sorted(seen) == list(range(15))
    assert len(next(more.with_labels(None).iterate(4))) == 1


def test_no_rows(tokenizer):
    tokenized = TokenizedExamples(Examples(([],)), tokenizer, 8)
    assert len(tokenized) == 0
    assert list(tokenized.iterate(4)) == []
    assert list(tokenized.batches(4)) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be an int of 1 or more"),
        ({"batch_size": 2.0}, "`batch_size` must be an int of 1 or more"),
        ({"seed": -1}, "`seed` must be an int of 0 or more"),
        (
            {"length_multiple": 0},
            "`length_multiple` must be an int of 1 or more",
        ),
        ({"fixed_length": 5}, "`fixed_length` must be at least 12"),
        ({"first_batch": 6}, "`first_batch` must be from 0 to 5"),
    ],
)
@pytest.mark.parametrize("method", ["iterate", "batches"])
def test_bad_batching(tokenized, method, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(tokenized, method)(**{"batch_size": 4, **arguments})


@pytest.mark.parametrize(
    ("texts", "shortest"), [((["film"],), 3), ((["film"], ["film"]), 4)]
)
def test_sequence_length_leaves_room(tokenizer, texts, shortest):
    TokenizedExamples(Examples(texts), tokenizer, shortest)
    with pytest.raises(ValueError, match="`sequence_length` must leave room"):
        TokenizedExamples(Examples(texts), tokenizer, shortest - 1)
