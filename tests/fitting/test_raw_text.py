"""Raw texts go into `fit`, `evaluate` and `predict` as ids by hand do."""

import functools

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses
from keras_distill import models
from keras_distill import tasks
from keras_distill import teachers
from tests.fitting.tiny_models import WORDS
from tests.fitting.tiny_models import compile_distiller
from tests.fitting.tiny_models import make_classifier

TEXTS = ["a good film", "dull", "the plot", "a fine plot the film", "bad film"]
SECOND = ["the film", "a bad plot", "dull", "fine", "good good good"]
LABELS = [1, 0, 1, 1, 0]
OTHER_WORDS = WORDS[::-1]


@functools.cache
def _preprocessor():
    return make_classifier(4).preprocessor


def by_hand(texts, labels=LABELS, sequence_length=12):
    return tasks.TokenizedExamples(
        tasks.Examples(texts, labels), _preprocessor(), sequence_length
    )


def make(teacher, student, loss=None, **words):
    keras.utils.set_random_seed(5)
    distiller = Distiller(
        teacher, student, loss or losses.LogitsDistillation(), **words
    )
    for weight in distiller.student.weights:
        # So large that all outputs differ.
        weight.assign(0.3 * np.random.normal(size=weight.shape))
    return compile_distiller(distiller)


@pytest.fixture(scope="module")
def built():
    return make(make_classifier(8), make_classifier(4))


@pytest.fixture
def distiller(built):
    return compile_distiller(built)


def test_texts_are_measured_as_their_ids(distiller):
    for texts in ((TEXTS,), (TEXTS, SECOND)):
        given = texts if len(texts) > 1 else texts[0]
        expected = distiller.evaluate(by_hand(texts).batches(5), verbose=0)
        found = distiller.evaluate(given, LABELS, batch_size=2, verbose=0)
        assert found == pytest.approx(expected, rel=1e-3)


def test_outputs_are_in_the_order_of_the_texts(distiller):
    student = distiller.student
    expected = keras.ops.convert_to_numpy(student(student.preprocessor(TEXTS)))
    found = distiller.predict(TEXTS, batch_size=2, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.ptp(found[:, 0]) > 1e-3
    first = distiller.predict(TEXTS, batch_size=2, steps=1, verbose=0)
    np.testing.assert_allclose(first, expected[:2], atol=1e-6)
    alone = distiller.predict(TEXTS[3], verbose=0)
    np.testing.assert_allclose(alone, expected[3:4], atol=1e-6)


def test_training_is_that_on_ids_by_hand(built):
    start = built.student.get_weights()

    def train(*data, epochs=1, **words):
        built.student.set_weights(start)
        compile_distiller(built, optimizer=keras.optimizers.SGD(0.1))
        keras.utils.set_random_seed(2)
        built.fit(*data, epochs=epochs, verbose=0, **words)
        return built.student.get_weights()

    expected = train(by_hand((TEXTS,)).batches(3))
    found = train(TEXTS, LABELS, batch_size=3, shuffle=False)
    shuffled = train(TEXTS, LABELS, batch_size=3, epochs=2)
    again = train(TEXTS, LABELS, batch_size=3, epochs=2)
    built.student.set_weights(start)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(shuffled, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((a != b).any() for a, b in zip(shuffled, found, strict=True))


def test_the_last_texts_validate(distiller):
    # Nothing is trained, so what is measured is what is read.
    history = distiller.fit(
        TEXTS, LABELS, batch_size=3, validation_split=0.4, verbose=0
    ).history
    expected = distiller.evaluate(
        TEXTS[3:], LABELS[3:], verbose=0, return_dict=True
    )
    given = distiller.fit(
        TEXTS[:3],
        LABELS[:3],
        validation_data=(TEXTS[3:], LABELS[3:]),
        validation_batch_size=1,
        verbose=0,
    ).history
    for name, value in expected.items():
        assert history[f"val_{name}"] == pytest.approx([value], rel=1e-3)
        assert given[f"val_{name}"] == pytest.approx([value], rel=1e-3)
    assert given["loss"] == pytest.approx(history["loss"], rel=1e-3)


def test_weights_of_rows_and_classes(distiller):
    weight = np.array([1.0, 2.0, 0.0, 1.0, 0.5])
    of_class = np.array([3.0, 1.0])[LABELS]
    found = [
        distiller.fit(TEXTS, LABELS, verbose=0, **words).history["loss"][0]
        for words in (
            {"sample_weight": weight * of_class},
            {"sample_weight": weight, "class_weight": {0: 3.0}},
        )
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-3)
    assert found[0] != pytest.approx(
        distiller.evaluate(TEXTS, LABELS, verbose=0)[0], rel=1e-3
    )


@pytest.mark.tensorflow("tf.data")
def test_a_data_set_of_texts(distiller):
    import tensorflow as tf

    slices = tf.data.Dataset.from_tensor_slices
    expected = distiller.evaluate((TEXTS, SECOND), LABELS, verbose=0)
    for texts in ((TEXTS, SECOND), {"first": TEXTS, "a": SECOND}):
        data_set = slices((texts, LABELS)).batch(3)
        found = distiller.evaluate(data_set, verbose=0)
        assert found == pytest.approx(expected, rel=1e-3)
    data_set = slices((TEXTS, LABELS)).batch(3)
    logs = distiller.fit(data_set, validation_data=data_set, verbose=0).history
    assert logs["val_loss"] == pytest.approx(logs["loss"], rel=1e-3)
    np.testing.assert_allclose(
        distiller.predict(slices(TEXTS).batch(3), verbose=0),
        distiller.predict(TEXTS, verbose=0),
        atol=1e-6,
    )
    with pytest.raises(ValueError, match="must be batched"):
        distiller.fit(slices((TEXTS, LABELS)))
    with pytest.raises(ValueError, match="nothing else.*Map it to"):
        distiller.fit(slices({"text": TEXTS, "label": LABELS}).batch(2))


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (TEXTS, None, "without labels"),
        (TEXTS, [0, 1, 2, 1, 0], "class indices of the.*Received: 2 in row 2"),
        (TEXTS, [0, -1, 1, 1, 0], "-1 in row 1; -1 marks rows without"),
        (TEXTS, LABELS[:3], "Received: x with 5, y with 3"),
        (TEXTS, [[0, 1]] * 5, "takes one class number"),
        ([["a", "film"]] * 5, LABELS, "each text as a whole.*rows of words"),
        (np.array([], dtype=str), [], "no row"),
    ],
)
def test_what_cannot_be_read_is_told_before_training(
    distiller, texts, labels, message
):
    with pytest.raises(ValueError, match=message):
        distiller.fit(texts, labels, verbose=0)


def test_weights_without_labels_have_no_effect_and_are_told(distiller):
    with pytest.raises(ValueError, match="`sample_weight` weighs labelled"):
        distiller.fit(TEXTS, sample_weight=np.ones(5))
    rows = by_hand((TEXTS,))
    with pytest.raises(ValueError, match="belong to the rows that are tok"):
        distiller.fit(rows, LABELS)


def test_splits_and_examples(distiller):
    examples = tasks.Examples((TEXTS,), LABELS)
    expected = distiller.evaluate(TEXTS, LABELS, verbose=0)
    assert distiller.evaluate(examples, verbose=0) == expected
    splits = tasks.Splits({"train": lambda: examples}, "a list")
    with pytest.raises(ValueError, match="all splits.*'train'"):
        distiller.fit(splits)


def test_names_of_classes_are_the_teachers():
    names = ("bad", "good")
    loaded = teachers.LoadedTeacher(make_classifier(8), True, names)
    distiller = make(loaded, make_classifier(4))
    expected = distiller.evaluate(TEXTS, LABELS, verbose=0)
    named = [names[label] for label in LABELS]
    assert distiller.evaluate(TEXTS, named, verbose=0) == expected
    again = Distiller.from_config(distiller.get_config())
    assert tuple(again.label_names) == names


def test_each_reads_the_ids_of_its_own_tokenizer():
    """The soft targets are those of the teacher's own ids."""
    teacher = make_classifier(8, OTHER_WORDS, sequence_length=4)
    for weight in teacher.weights:
        weight.assign(0.3 * np.random.normal(size=weight.shape))
    distiller = make(teacher, make_classifier(4), losses.LogitsDistillation())
    teacher_says, student_says = (
        keras.ops.softmax(model(model.preprocessor(TEXTS)))
        for model in (teacher, distiller.student)
    )
    expected = keras.ops.convert_to_numpy(
        keras.losses.kl_divergence(teacher_says, student_says)
    )
    logs = distiller.evaluate(TEXTS, LABELS, verbose=0, return_dict=True)
    assert logs["logits_loss"] == pytest.approx(expected.mean(), rel=1e-4)
    assert logs["logits_loss"] > 1e-3
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        batches = tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)).batch(3)
        found = distiller.evaluate(batches, verbose=0, return_dict=True)
        assert found == pytest.approx(logs, rel=1e-4)
    with pytest.raises(ValueError, match="tokenizers that differ.*one batch"):
        distiller.fit(by_hand((TEXTS,)))


def test_tokens_of_other_tokenizers_are_not_compared():
    pair = make_classifier(8, OTHER_WORDS), make_classifier(8)
    with pytest.raises(ValueError, match="token 5 is 'the'.*: hidden_states"):
        Distiller(*pair, losses.HiddenStatesDistillation())
    # One vocabulary, packed in two ways.
    pair = make_classifier(8, truncate="waterfall"), make_classifier(8)
    distiller = make(*pair, losses.HiddenStatesDistillation())
    with pytest.raises(ValueError, match="pack texts differently.*: hidden_st"):
        distiller.evaluate(TEXTS, LABELS, verbose=0)


def test_both_read_the_shorter_length_and_one_preprocessor_is_enough():
    short = make(make_classifier(8, sequence_length=4), make_classifier(4))
    tokens = by_hand((TEXTS,), sequence_length=4)
    expected = short.evaluate(tokens, verbose=0)
    assert short.evaluate(TEXTS, LABELS, verbose=0) == pytest.approx(expected)
    bare = make(make_classifier(8), make_classifier(4, preprocessor=False))
    assert bare.predict(TEXTS, verbose=0).shape == (5, 2)


def test_a_cache_finds_texts_by_their_place(tmp_path):
    teacher, student = make_classifier(8), make_classifier(4)
    live = make(teacher, student, student_loss_weight=0.2)
    expected = live.evaluate(TEXTS, LABELS, verbose=0)
    cache = teachers.TeacherCache.write(
        tmp_path / "cache", teacher, by_hand((TEXTS,)), quiet=True
    )
    cached = make(cache, student, student_loss_weight=0.2)
    found = cached.evaluate(TEXTS, LABELS, batch_size=2, verbose=0)
    assert found == pytest.approx(expected, rel=1e-4)
    assert (
        "val_logits_loss"
        in cached.fit(TEXTS, LABELS, validation_split=0.4, verbose=0).history
    )
    with pytest.raises(ValueError, match="5 of 5 examples have other texts"):
        cached.fit(SECOND, LABELS)


def test_rows_of_words_are_tagged():
    def tagger(width):
        encoder = make_classifier(width)
        return models.TokenClassifier(
            encoder.backbone, 3, preprocessor=encoder.preprocessor, dropout=0.0
        )

    distiller = make(tagger(8), tagger(4))
    words = [text.split() for text in TEXTS]
    labels = [[place % 3 for place in range(len(row))] for row in words]
    rows = tasks.TokenizedTags(
        tasks.TaggedExamples(words, labels), distiller.student.preprocessor
    )
    expected = distiller.evaluate(rows, batch_size=2, verbose=0)
    assert (
        distiller.evaluate(words, labels, batch_size=2, verbose=0) == expected
    )
    assert distiller.predict(TEXTS, batch_size=2, verbose=0).shape == (5, 7, 3)
    with pytest.raises(ValueError, match="outputs of tokens.*predict_tags"):
        distiller.predict(words)
    with pytest.raises(ValueError, match="Pass a list of words for each"):
        distiller.fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="Received: 3 in row 1"):
        distiller.fit(words, [labels[0], [3], *labels[2:]])
