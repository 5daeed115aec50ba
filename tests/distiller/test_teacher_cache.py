"""A distiller that reads its teacher from a cache trains as one beside it."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_distill import Distiller
from keras_distill import losses
from keras_distill import tasks
from keras_distill import teachers

_WORDS = ["good", "bad", "dull", "fine", "film", "a", "plot"]


def _classifier(num_layers, hidden_dim):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=5 + len(_WORDS),
        num_layers=num_layers,
        num_heads=2,
        hidden_dim=hidden_dim,
        intermediate_dim=2 * hidden_dim,
        max_sequence_length=16,
        dropout=0.0,
    )
    return keras_hub.models.BertTextClassifier(
        backbone, num_classes=2, dropout=0.0
    )


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(1)
    teacher = _classifier(2, 16)
    # A teacher that is sure of something.
    head = teacher.layers[-1].kernel
    head.assign(30 * head)
    return teacher, _classifier(2, 8)


@pytest.fixture(scope="module")
def examples():
    generator = np.random.default_rng(2)
    texts = [
        " ".join(generator.choice(_WORDS, size)) for size in (1, 3, 5, 2, 6, 4)
    ]
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
    )
    return tasks.TokenizedExamples(
        tasks.Examples((texts,), [0, 1, 0, 1, 1, 0]), tokenizer, 16
    )


@pytest.fixture(scope="module")
def write_cache(models, examples, tmp_path_factory):
    def write(features):
        folder = tmp_path_factory.mktemp("cache")
        return teachers.TeacherCache.write(
            folder, models[0], examples, features, quiet=True
        )

    return write


@pytest.fixture(scope="module")
def cache(write_cache):
    """What the losses of `_train` look at."""
    return write_cache(
        [
            "logits",
            "hidden_states",
            "attention_scores",
            "queries",
            "keys",
            "values",
        ]
    )


@pytest.fixture(scope="module")
def predictions(write_cache):
    """A cache of predictions alone."""
    return write_cache(["logits", "pooled"])


class RightLayers(losses.DistillationLoss):
    """Two hidden states at once, where the teacher is right."""

    reads_labels = True

    def match(self, teacher, student):
        layers = [
            losses.match_tokens(teacher, student, pair, self.name, "mse")
            for pair in ((1, 2), (2, 1))
        ]
        match = losses.Match(
            [layer.student for layer in layers],
            [*(layer.teacher for layer in layers), "logits"],
            "both",
            [layer.projection for layer in layers],
        )
        return (match,)

    def per_example(self, teacher, student, mask=None, y=None, **_):
        *of_layers, logits = teacher.values()
        is_right = ops.cast(ops.equal(ops.argmax(logits, -1), y), "float32")
        token_mean = losses.functional.token_mean
        return is_right * sum(
            token_mean(losses.functional.mean_squared_error(t, s), mask)
            for t, s in zip(of_layers, student.values(), strict=True)
        )


def _train(teacher, student, batches):
    distiller = Distiller(
        teacher,
        student,
        [
            losses.LogitsDistillation(),
            losses.HiddenStatesDistillation(projection="per_layer"),
            losses.AttentionDistillation(),
            losses.RelationDistillation(num_relation_heads=4),
            RightLayers("right"),
        ],
        student_loss_weight=0,
    )
    for projection in distiller.projections.values():
        for variable in projection.variables:
            variable.assign(np.full(variable.shape, 0.1))
    distiller.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    history = distiller.fit(batches, epochs=2, verbose=0).history
    return history, distiller.student.get_weights()


def test_training_from_a_cache_equals_training_beside_the_teacher(
    models, examples, cache
):
    teacher, student = models
    start = student.get_weights()
    live, expected = _train(
        teacher, student, examples.batches(3, shuffle=True, seed=3)
    )
    student.set_weights(start)
    cached, weights = _train(
        cache,
        student,
        cache.attach(examples).batches(3, shuffle=True, seed=3),
    )
    assert set(cached) == set(live)
    assert live["right_loss"][0] > 0
    for name, values in live.items():
        assert cached[name] == pytest.approx(values, rel=1e-4, abs=1e-6), name
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_batch_without_what_the_losses_need_is_refused(
    models, examples, predictions
):
    distiller = Distiller(
        predictions,
        models[1],
        losses.LogitsDistillation(),
        student_loss_weight=0,
    )
    distiller.compile("sgd")
    pooled = predictions.attach(examples, "pooled")
    with pytest.raises(ValueError, match="no logits of the teacher"):
        distiller.fit(pooled.batches(2), verbose=0)
    with pytest.raises(ValueError, match=r"cache\.attach"):
        distiller.fit(examples.batches(2), verbose=0)


def test_a_loss_on_a_feature_that_is_not_in_the_cache_is_refused(
    models, predictions
):
    with pytest.raises(ValueError, match="hidden_states"):
        Distiller(predictions, models[1], losses.HiddenStatesDistillation())


@pytest.mark.parametrize(
    "loss",
    [
        losses.HiddenStatesDistillation(normalization="official"),
        losses.EmbeddingsDistillation(normalization="official"),
        losses.AttentionDistillation(normalization="official"),
        losses.AttentionDistillation(normalization="valid_keys"),
    ],
    ids=lambda loss: f"{loss.name} {loss.normalization}",
)
def test_a_loss_that_counts_padding_is_refused(models, cache, loss):
    with pytest.raises(ValueError, match="averages over padding"):
        Distiller(cache, models[1], loss)


def test_a_distiller_on_a_cache_is_not_saved_as_one_file(
    models, predictions, tmp_path
):
    distiller = Distiller(predictions, models[1], losses.LogitsDistillation())
    with pytest.raises(ValueError, match="save_weights"):
        distiller.save(tmp_path / "all.keras")
