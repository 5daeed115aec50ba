"""TinyBERT's two steps: what lies inside first, predictions second."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses

INSIDE = [
    losses.HiddenStatesDistillation(include_embeddings=True),
    losses.AttentionDistillation(),
]


@pytest.fixture
def make(make_classifier):
    def make(distillation_losses, **words):
        distiller = Distiller(
            make_classifier(num_layers=2),
            make_classifier(num_layers=1, hidden_dim=8),
            distillation_losses,
            student_loss_weight=0,
        )
        optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1)
        distiller.compile(optimizer, run_eagerly=True, **words)
        return distiller

    return make


def test_first_step_leaves_pooler_and_head_alone(
    make, token_batch, values, assert_same
):
    distiller = make(INSIDE)
    student = distiller.student
    pooler, head = student.backbone.pooled_dense, student.output_dense
    before = values(pooler) + values(head)
    body = values(student.backbone.transformer_layers[-1])
    distiller.fit(token_batch[0], verbose=0)
    assert_same(values(pooler) + values(head), before)
    for weight, old in zip(
        values(student.backbone.transformer_layers[-1]), body, strict=True
    ):
        assert np.any(weight != old)


def test_second_step_has_predictions_only(make, token_batch, values):
    distiller = make(losses.LogitsDistillation())
    before = values(distiller.student)
    logs = distiller.train_on_batch(token_batch[0], return_dict=True)
    assert set(logs) == {"loss", "logits_loss"}
    assert distiller.projections == {}
    assert len(distiller.plan()) == 1
    changed = [
        np.any(new != old)
        for new, old in zip(values(distiller.student), before, strict=True)
    ]
    # The bias of the keys adds one number to all scores of a query, which a
    # softmax does not see.
    assert np.mean(changed) > 0.9


def test_student_fits_a_random_teacher_on_one_batch(
    make_classifier, token_batch
):
    x, y = token_batch
    distiller = Distiller(
        make_classifier(num_layers=2),
        make_classifier(num_layers=2, hidden_dim=8),
        INSIDE,
        student_loss_weight=0,
    )
    # JAX compiles with XLA or not at all; TensorFlow is faster here without.
    jit_compile = keras.backend.backend() == "jax"
    distiller.compile(keras.optimizers.Adam(0.02), jit_compile=jit_compile)

    def loss():
        return keras.ops.convert_to_numpy(
            distiller.compute_loss(x, training=False)
        )

    first = loss()
    again = {name: np.tile(value, (300, 1)) for name, value in x.items()}
    history = distiller.fit(
        again, batch_size=len(y), shuffle=False, verbose=0
    ).history
    assert history["loss"][0] < first
    assert loss() < 0.1 * first
