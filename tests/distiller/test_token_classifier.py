"""Token classifiers: losses over words and over real tokens at one time."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses
from keras_distill import tasks
from keras_distill import teachers

WORDS = [
    ["Atelocentra", "Meyrick"],
    ["anna", "sings", "in", "oslo", "."],
    ["oslo"],
    ["oslo", ",", "oslo", "and", "Meyrick"],
]
LABELS = [[1, 2], [1, 0, 0, 5, 0], [5], [5, 0, 5, 0, 1]]


@pytest.fixture
def tokenized(piece_tokenizer):
    return tasks.TokenizedTags(
        tasks.TaggedExamples(WORDS, LABELS), piece_tokenizer, 16
    )


@pytest.fixture
def make(make_token_classifier, cross_entropy, randomize):
    """Builds a compiled distiller with every kind of loss, run eagerly."""

    def build(
        distillation_losses=None,
        teacher=None,
        student_loss_weight=0.5,
        **compiled,
    ):
        distiller = Distiller(
            teacher or randomize(make_token_classifier(), seed=1),
            randomize(make_token_classifier(1, 8), seed=2),
            distillation_losses
            or [
                losses.EmbeddingsDistillation(),
                losses.HiddenStatesDistillation(),
                losses.AttentionDistillation(),
                losses.LogitsDistillation(),
            ],
            student_loss_weight=student_loss_weight,
        )
        settings = {"run_eagerly": True, "loss": cross_entropy, **compiled}
        distiller.compile(keras.optimizers.Adam(0.01), **settings)
        return distiller

    return build


def log_softmax(z):
    return z - np.log(np.sum(np.exp(z), -1, keepdims=True))


def predictions(distiller, x):
    """Log probabilities of teacher and student."""
    return [
        log_softmax(keras.ops.convert_to_numpy(model(x)))
        for model in (distiller.teacher, distiller.student)
    ]


def mean_by_row(values, mask):
    return np.mean(np.sum(values * mask, 1) / np.sum(mask, 1))


def longer(array):
    return np.pad(array, ((0, 0), (0, 4)))


def test_logits_count_at_first_pieces_and_states_at_real_tokens(
    make, tokenized
):
    distiller = make()
    x, y, weights = next(tokenized.iterate(4))
    logs = distiller.test_on_batch(x, y, weights, return_dict=True)
    teacher, student = predictions(distiller, x)
    divergence = np.sum(np.exp(teacher) * (teacher - student), -1)
    first = weights > 0
    assert logs["logits_loss"] == pytest.approx(
        mean_by_row(divergence, first), rel=1e-4
    )
    of_labels = np.take_along_axis(student, y[:, :, None], -1)[:, :, 0]
    assert logs["student_loss"] == pytest.approx(
        -np.mean(of_labels[first]), rel=1e-5
    )
    unweighted = distiller.test_on_batch(x, y, return_dict=True)
    for name in ("embeddings_loss", "hidden_states_loss", "attention_loss"):
        assert logs[name] == pytest.approx(unweighted[name], rel=1e-6)


def test_unlabelled_logits_count_at_all_real_tokens(make, tokenized):
    distiller = make(
        losses.LogitsDistillation(loss="mse"), student_loss_weight=0, loss=None
    )
    x, *_ = next(tokenized.iterate(4))
    logs = distiller.test_on_batch(x, return_dict=True)
    teacher, student = (
        keras.ops.convert_to_numpy(model(x))
        for model in (distiller.teacher, distiller.student)
    )
    values = np.mean((teacher - student) ** 2, -1)
    assert logs["logits_loss"] == pytest.approx(
        mean_by_row(values, x["padding_mask"]), rel=1e-4
    )


@pytest.mark.parametrize("labelled", [True, False])
def test_padding_changes_no_loss(make, tokenized, labelled):
    distiller = make()
    x, y, weights = next(tokenized.iterate(4))
    wide_x, wide_y, wide_weights = next(tokenized.iterate(4, fixed_length=12))
    # What stands at padded places does not matter.
    wide_x["token_ids"][wide_x["padding_mask"] == 0] = 7
    wide_y[wide_weights == 0] = 6
    logs = distiller.test_on_batch(
        x, y, weights if labelled else None, return_dict=True
    )
    wide = distiller.test_on_batch(
        wide_x, wide_y, wide_weights if labelled else None, return_dict=True
    )
    if not labelled:
        # Keras's own mean over all places, which nobody told otherwise.
        for result in (logs, wide):
            del result["student_loss"], result["loss"]
    assert wide == pytest.approx(logs, rel=1e-4)


def test_fit_reads_the_batches(
    make, make_token_classifier, randomize, tokenized
):
    distiller = make(
        [losses.HiddenStatesDistillation(), losses.LogitsDistillation()],
        teacher=randomize(make_token_classifier(1), seed=1),
        run_eagerly=False,
        weighted_metrics=["sparse_categorical_accuracy"],
    )
    batches = tokenized.batches(2, shuffle=True)
    history = distiller.fit(batches, epochs=8, verbose=0).history
    for name in ("loss", "student_loss", "hidden_states_loss"):
        assert history[name][-1] < history[name][0]
    assert 0 < history["sparse_categorical_accuracy"][-1] <= 1
    found = tasks.predict_tags(distiller.student, tokenized)
    assert [len(row) for row in found] == [len(row) for row in WORDS]


def test_a_cached_teacher_gives_the_same_loss(make, tokenized, tmp_path):
    distillation_losses = losses.LogitsDistillation()
    live = make(distillation_losses)
    cache = teachers.TeacherCache.write(
        tmp_path / "cache", live.teacher, tokenized, quiet=True
    )
    cached = make(distillation_losses, teacher=cache)
    logs = [
        distiller.test_on_batch(*next(examples.iterate(4)), return_dict=True)
        for distiller, examples in (
            (live, tokenized),
            (cached, cache.attach(tokenized)),
        )
    ]
    assert logs[0]["logits_loss"] > 0.01
    assert logs[1] == pytest.approx(logs[0], rel=1e-4)
