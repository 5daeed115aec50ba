"""What was written is what the teacher computes."""

import pickle

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import losses
from keras_distill.features import FeatureExtractor
from keras_distill.features import describe
from keras_distill.losses.objective import Objective
from keras_distill.teachers import TARGET_PREFIX
from keras_distill.teachers import TeacherCache

KINDS = (
    "embeddings",
    "hidden_states",
    "attention_scores",
    "attention_probabilities",
    "queries",
    "keys",
    "values",
    "pooled",
    "logits",
    "layer.bert_backbone/pooled_dense",
)


def live_features(model, x, features):
    inputs = {name: x[name] for name in model.input}
    found = FeatureExtractor(model, features)(inputs)
    return {
        name: np.asarray(keras.ops.convert_to_numpy(value), "float32")
        for name, value in found.items()
    }


def at_real_tokens(name, value, mask):
    """A feature with 0 at padding, as the cache gives it."""
    mask = np.asarray(mask, "float32")
    if name.startswith("attention"):
        return value * mask[:, None, :, None] * mask[:, None, None, :]
    if value.ndim > 2:
        return value * mask.reshape(*mask.shape, *[1] * (value.ndim - 2))
    return value


def batch_of(examples, rows):
    return next(examples.select(np.asarray(rows)).iterate(len(rows)))[0]


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [("float32", 1e-6), ("float16", 2e-3), ("bfloat16", 2e-2)],
)
def test_equals_what_the_teacher_computes(
    write, bert, examples, dtype, tolerance
):
    cache = write(teacher=bert, features=KINDS, dtype=dtype)
    rows = [5, 0, 22, 11, 11]
    x = batch_of(examples, rows)
    expected = live_features(bert, x, KINDS)
    length = x["token_ids"].shape[1]
    found = cache.read(examples.ids[rows], length)
    assert set(found) == set(expected)
    for name, value in expected.items():
        value = at_real_tokens(name, value, x["padding_mask"])
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(
            found[name], value, rtol=tolerance, atol=tolerance, err_msg=name
        )


def test_every_shuffle_gets_its_own_targets(write, teacher, examples):
    cache = write(features=["logits", "layer.hidden"])
    attached = cache.attach(examples.select(np.arange(3, 20)))
    for epoch in range(2):
        seen = 0
        for x, y in attached.iterate(4, shuffle=True, seed=5, epoch=epoch):
            expected = live_features(teacher, x, ["layer.hidden"])
            for name, value in expected.items():
                np.testing.assert_allclose(
                    x[TARGET_PREFIX + name],
                    at_real_tokens(name, value, x["padding_mask"]),
                    atol=1e-6,
                )
            seen += len(y)
        assert seen == 17


def test_batches_of_fit_hold_what_iterate_gives(write, bert, examples):
    features = ["logits", "attention_scores.1", "queries.1"]
    cache = write(teacher=bert, features=features)
    attached = cache.attach(examples)
    arguments = {"batch_size": 5, "shuffle": True, "seed": 1}
    for fixed_length in (None, 12):
        expected = attached.iterate(**arguments, fixed_length=fixed_length)
        batches = attached.batches(**arguments, fixed_length=fixed_length)
        for (x, y), (x_fit, y_fit) in zip(expected, batches, strict=True):
            np.testing.assert_array_equal(y, y_fit)
            assert set(x) == set(x_fit)
            for name in x:
                np.testing.assert_array_equal(x[name], x_fit[name])


def test_only_the_features_asked_for_are_attached(write, examples):
    cache = write(features=["logits", "layer.hidden"])
    x, _ = next(cache.attach(examples, "logits").iterate(2))
    assert set(cache.features_of(x)) == {"logits", "padding_mask"}
    with pytest.raises(ValueError, match=r"no feature 'pooled'.*It has: "):
        cache.attach(examples, ["pooled"])


def test_losses_are_those_of_the_living_teacher(
    write, examples, make_classifier
):
    teacher = make_classifier(num_layers=2, hidden_dim=8)
    student = make_classifier(num_layers=1, hidden_dim=8)
    distillation_losses = [
        losses.EmbeddingsDistillation(),
        losses.HiddenStatesDistillation(),
        losses.AttentionDistillation(),
        losses.RelationDistillation(),
        losses.LogitsDistillation(temperature=2.0),
    ]
    live = Objective(
        distillation_losses, None, describe(teacher), describe(student)
    )
    cache = write(teacher=teacher, features=live.teacher_features())
    cached = Objective(
        distillation_losses, None, cache.description, describe(student)
    )
    assert cached.plan() == live.plan()
    x, _ = next(cache.attach(examples).iterate(6))
    inputs = {name: x[name] for name in student.input}
    of_student = FeatureExtractor(
        student, [*live.student_features(), "padding_mask"]
    )(inputs)
    of_teacher = FeatureExtractor(teacher, live.teacher_features())(inputs)
    expected = live.terms(of_teacher, of_student, {})
    terms = cached.terms(cache.features_of(x), of_student, {})
    assert len(terms) == 5
    for name, value in expected.items():
        value = keras.ops.convert_to_numpy(value)
        assert value > 0
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(terms[name]), value, rtol=1e-4
        )


def test_description_holds_what_the_cache_holds(write, bert):
    cache = write(teacher=bert, features=["logits", "queries.1"])
    description = cache.description
    assert description.name == f"{bert.name} (cached)"
    assert description.num_layers == 1
    assert description.shapes == {
        "logits": (None, 2),
        "queries.1": (None, None, 2, 4),
    }
    assert description.output_activations == {"logits": None}


def test_opened_again(write, teacher, examples):
    cache = write(features="logits")
    opened = TeacherCache(str(cache.path), teacher=teacher)
    assert len(opened) == 23
    assert opened.features == ("logits",)
    pickled = pickle.loads(pickle.dumps(opened))
    for other in (opened, pickled):
        np.testing.assert_array_equal(
            other.read(examples.ids)["logits"],
            cache.read(examples.ids)["logits"],
        )
    opened.verify()


def test_several_outputs_and_texts_in_pairs(write, examples):
    tokens = keras.Input((None,), name="token_ids", dtype="int32")
    hidden = keras.layers.Embedding(40, 4)(tokens)
    model = keras.Model(
        {"token_ids": tokens},
        {
            "tag": keras.layers.Dense(3)(hidden),
            "class": keras.layers.Dense(2)(
                keras.layers.GlobalMaxPooling1D()(hidden)
            ),
        },
    )
    cache = write(teacher=model, features=["output.tag", "output.class"])
    assert cache.description.shapes["output.tag"] == (None, None, 3)
    x = batch_of(examples, [3, 4])
    expected = live_features(model, x, ["output.tag", "output.class"])
    found = cache.read(examples.ids[[3, 4]], x["token_ids"].shape[1])
    mask = x["padding_mask"][:, :, None]
    np.testing.assert_allclose(
        found["output.tag"], expected["output.tag"] * mask, atol=1e-6
    )
    # Without a mask of its own, the model sees the padding of its batch.
    assert found["output.class"].shape == (2, 2)
    with pytest.raises(ValueError, match="one tensor each"):
        write(teacher=model, features="outputs")


def test_a_teacher_of_one_length_only(write, tokenizer, examples):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
    )
    inputs = {
        name: keras.Input((16,), name=name, dtype="int32")
        for name in ("token_ids", "segment_ids", "padding_mask")
    }
    fixed = keras.Model(inputs, backbone(inputs)["pooled_output"])
    features = ["hidden_states.1", "attention_scores.1", "logits"]
    cache = write(teacher=fixed, features=features)
    assert cache.description.shapes == {
        "hidden_states.1": (None, None, 8),
        "attention_scores.1": (None, 2, None, None),
        "logits": (None, 8),
    }
    x = batch_of(examples, [7, 8])
    found = cache.read(examples.ids[[7, 8]], x["token_ids"].shape[1])
    expected = live_features(backbone, x, features[:2])
    for name, value in expected.items():
        np.testing.assert_allclose(
            found[name],
            at_real_tokens(name, value, x["padding_mask"]),
            atol=1e-6,
        )


def test_a_teacher_in_mixed_precision(write, tokenizer, examples):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        dtype="mixed_bfloat16",
    )
    cache = write(teacher=backbone, features="hidden_states.1")
    x = batch_of(examples, [2])
    found = cache.read(examples.ids[[2]])["hidden_states.1"]
    expected = live_features(backbone, x, ["hidden_states.1"])
    np.testing.assert_allclose(
        found, expected["hidden_states.1"][:, : found.shape[1]], atol=0.05
    )


def test_the_teacher_is_left_as_it_was(write, make_classifier):
    teacher = make_classifier(num_layers=1, dropout=0.5)
    before = [
        np.array(v) for v in map(keras.ops.convert_to_numpy, teacher.variables)
    ]
    write(teacher=teacher, features=["logits", "attention_scores"])
    for old, variable in zip(before, teacher.variables, strict=True):
        np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(variable))


def test_read_pads_to_the_longest_or_as_told(write, examples):
    cache = write(features="layer.hidden")
    row = int(np.argmax(examples.lengths))
    longest = examples.lengths[row]
    ids = examples.ids[[row]]
    assert cache.read(ids)["layer.hidden"].shape == (1, longest, 8)
    wider = cache.read(ids, longest + 3)["layer.hidden"]
    assert not wider[:, longest:].any()
    with pytest.raises(ValueError, match=f"must be at least {longest}"):
        cache.read(ids, longest - 1)
