"""One layer learns at a time, and nothing above it is computed."""

import keras
import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill import losses
from keras_distill import optimizers
from keras_distill.callbacks import ProgressiveKnowledgeTransfer

PER_LAYER = losses.HiddenStatesDistillation(projection="per_layer")
INSIDE = [PER_LAYER, losses.AttentionDistillation()]
WITH_LOGITS = [*INSIDE, losses.LogitsDistillation()]


def layers_of(paths):
    """The parts that paths of weights of the student belong to."""
    found = set()
    for path in paths:
        if "transformer_layer_" in path:
            number = path.split("transformer_layer_")[1].split("/")[0]
            found.add(f"layer.{int(number) + 1}")
        elif "hidden_states" in path:
            number = path.split("hidden_states_hidden_states_")[1][0]
            found.add(f"projection.{number}")
        else:
            is_embedding = "embedding" in path
            found.add("embeddings" if is_embedding else "head")
    return found


@pytest.fixture(scope="module")
def four_layers(make_pair):
    """A pair of four layers each, which is not trained here."""
    return make_pair(4, 4)


def pairs(layer_pairs):
    return losses.HiddenStatesDistillation(layer_map.explicit(layer_pairs))


@pytest.mark.parametrize(
    ("distillation_losses", "words", "phases"),
    [
        (WITH_LOGITS, {}, ["layer.1", "layer.2", "layer.3", "layer.4"]),
        (
            INSIDE,
            {"order": "top_down"},
            ["layer.4", "layer.3", "layer.2", "layer.1"],
        ),
        (
            INSIDE,
            {"layers_at_once": 3},
            ["layer.1, layer.2, layer.3", "layer.4"],
        ),
        # Layers without a loss join the next one above that has one.
        ([pairs({2: 1, 3: 4})], {}, ["layer.1, layer.2", "layer.3"]),
        (
            [losses.RelationDistillation()],
            {},
            ["layer.1, layer.2, layer.3, layer.4"],
        ),
        (INSIDE, {"order": [[1, 2], 4]}, ["layer.1, layer.2", "layer.4"]),
        (
            [losses.EmbeddingsDistillation(), pairs({1: 2})],
            {"hold": "head"},
            ["layer.1"],
        ),
    ],
)
def test_the_layers_of_each_phase(
    make_bert_distiller, four_layers, distillation_losses, words, phases
):
    distiller = make_bert_distiller(distillation_losses, models=four_layers)
    callback = ProgressiveKnowledgeTransfer(steps=10, **words)
    assert callback.plan(distiller) == [
        f"from step {10 * i}: {what}"
        for i, what in enumerate([*phases, "everything"])
    ]


def test_only_the_active_layer_moves(
    make_bert_distiller, fit, values, token_batches
):
    distiller = make_bert_distiller(
        [PER_LAYER, losses.LogitsDistillation()],
        optimizer=optimizers.RateScaleOptimizer(keras.optimizers.SGD(0.5)),
        is_compiled=True,
    )
    history = fit(
        distiller,
        ProgressiveKnowledgeTransfer(epochs=1),
        values,
        epochs=3,
        validation_data=(token_batches[0],),
    ).history
    assert layers_of(values.changed(1)) == {"layer.1", "projection.1"}
    assert layers_of(values.changed(2)) == {"layer.2", "projection.2"}
    everything = {"layer.1", "layer.2", "projection.1", "projection.2"}
    assert layers_of(values.changed(3)) == everything | {"embeddings", "head"}
    # What does not count is not there to be logged.
    assert len(history["hidden_states_loss"]) == 3
    assert len(history["logits_loss"]) == 1
    # Validation goes on counting all losses.
    assert len(history["val_logits_loss"]) == 3


def test_it_is_training_with_the_losses_of_the_layer(make_bert_distiller, fit):
    name = "hidden_states_hidden_states_1"
    by_callback = make_bert_distiller(WITH_LOGITS, teacher_layers=4)
    projection = by_callback.projections[name].get_weights()
    fit(by_callback, ProgressiveKnowledgeTransfer(epochs=2), epochs=2)

    first = layer_map.explicit({1: 2})
    by_hand = make_bert_distiller(
        [
            losses.HiddenStatesDistillation(first, projection="per_layer"),
            losses.AttentionDistillation(first),
        ],
        teacher_layers=4,
    )
    backbone = by_hand.student.backbone
    for layer in backbone.layers:
        layer.trainable = layer is backbone.transformer_layers[0]
    by_hand.projections[name].set_weights(projection)
    fit(by_hand, epochs=2)
    for one, other in zip(
        by_callback.student.weights, by_hand.student.weights, strict=True
    ):
        np.testing.assert_allclose(
            one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7, err_msg=one.path
        )


def test_layers_that_are_done_go_on_at_a_fraction(
    make_bert_distiller, fit, values
):
    moves = {}
    for rate in (0.1, 1.0):
        distiller = make_bert_distiller(
            WITH_LOGITS,
            optimizer=optimizers.RateScaleOptimizer(keras.optimizers.SGD(0.5)),
        )
        callback = ProgressiveKnowledgeTransfer(epochs=1, done_rate=rate)
        # A step in each phase, so that both see the same gradient.
        fit(distiller, callback, values, epochs=2)
        before, after = values.copies[1:]
        moves[rate] = {p: after[p] - before[p] for p in values.changed(2)}
    assert layers_of(moves[0.1]) == {"layer.1", "layer.2", "projection.2"}
    for path, move in moves[0.1].items():
        scale = 0.1 if "transformer_layer_0" in path else 1.0
        np.testing.assert_allclose(
            move, scale * moves[1.0][path], rtol=1e-3, atol=3e-7, err_msg=path
        )


def test_a_held_head_and_embeddings_can_be_free(
    make_bert_distiller, fit, values
):
    distiller = make_bert_distiller(
        [*WITH_LOGITS, losses.EmbeddingsDistillation()],
        compiled={
            "loss": keras.losses.SparseCategoricalCrossentropy(
                from_logits=True
            ),
            "metrics": ["accuracy"],
        },
        student_loss_weight=0.5,
    )
    callback = ProgressiveKnowledgeTransfer(epochs=1, hold=())
    history = fit(distiller, callback, values, epochs=1).history
    assert {"layer.1", "embeddings", "head"} <= layers_of(values.changed(1))
    assert "layer.2" not in layers_of(values.changed(1))
    assert {"student_loss", "logits_loss", "accuracy"} <= set(history)


def test_nothing_above_the_active_layer_is_computed(
    make_bert_distiller, make_pair, step_cost
):
    distiller = make_bert_distiller(
        [PER_LAYER, losses.LogitsDistillation()], models=make_pair(3, 3)
    )
    callback = ProgressiveKnowledgeTransfer(epochs=1)
    callback.set_model(distiller)
    callback.on_train_begin()
    costs = []
    for epoch in range(4):
        callback.on_epoch_begin(epoch)
        costs.append(step_cost(distiller))
    # Each layer costs one more of each model to run, and no more backwards.
    first, second, last, everything = costs
    assert second - first == last - second > 0
    assert everything > last


def test_the_teacher_runs_no_deeper_than_the_active_layer(
    make_bert_distiller, fit
):
    distiller = make_bert_distiller(INSIDE, teacher_layers=4)
    for layer in distiller.teacher.backbone.transformer_layers[2:]:
        for weight in layer.weights:
            weight.assign(np.full(weight.shape, np.nan))
    callback = ProgressiveKnowledgeTransfer(epochs=1)
    # The first student layer looks at the second of the teacher.
    fit(distiller, callback, epochs=1)
    with pytest.raises(FloatingPointError):
        fit(distiller, callback, initial_epoch=1, epochs=2)


def test_training_counts_all_losses_afterwards(make_bert_distiller, fit):
    distiller = make_bert_distiller(WITH_LOGITS)
    fit(distiller, ProgressiveKnowledgeTransfer(epochs=1), epochs=1)
    assert "logits_loss" in fit(distiller, epochs=1).history


def test_each_phase_has_a_term_of_its_own_only_while_it_lasts(
    make_bert_distiller, fit
):
    separate = [
        losses.HiddenStatesDistillation(
            layer_map.explicit({layer: layer}), name=f"layer_{layer}"
        )
        for layer in (1, 2)
    ]
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append({n for n in logs if n.startswith("layer")})

    # In steps: two an epoch.
    callback = ProgressiveKnowledgeTransfer(steps=[1, 2])
    distiller = make_bert_distiller(separate)
    fit(distiller, callback, Watch(), epochs=2, steps=2)
    first, second = {"layer_1_loss"}, {"layer_2_loss"}
    assert seen == [first] + [second] * 2 + [first | second]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "either `epochs` or `steps`"),
        ({"steps": 1, "order": "random"}, "`order` must be"),
        ({"steps": 1, "order": []}, "`order` must be"),
        ({"steps": 1, "layers_at_once": 0}, "`layers_at_once` must be"),
        (
            {"steps": 1, "order": [1, 2], "layers_at_once": 2},
            "a list holds the layers of a phase",
        ),
        ({"steps": 1, "hold": ["pooler"]}, "`hold` must be"),
        ({"steps": 1, "done_rate": 1.5}, "`done_rate` must be"),
    ],
)
def test_arguments_are_checked(words, message):
    with pytest.raises(ValueError, match=message):
        ProgressiveKnowledgeTransfer(**words)


@pytest.mark.parametrize(
    ("distillation_losses", "words", "message"),
    [
        (INSIDE, {"steps": [1]}, "one for each of the 2 phases"),
        (INSIDE, {"steps": 1, "order": [3]}, "layers of the student"),
        (INSIDE, {"steps": 1, "order": [1, 1]}, "each once"),
        ([pairs({2: 2})], {"steps": 1, "order": [1, 2]}, "with a loss"),
        (INSIDE, {"steps": 1, "done_rate": 0.1}, "RateScaleOptimizer"),
        ([losses.LogitsDistillation()], {"steps": 1}, "needs losses on lay"),
        ([losses.EmbeddingsDistillation()], {"steps": 1}, "needs losses on"),
    ],
)
def test_what_does_not_fit_is_said_at_the_start(
    make_bert_distiller, untrained, fit, distillation_losses, words, message
):
    with pytest.raises(ValueError, match=message):
        fit(
            make_bert_distiller(distillation_losses, models=untrained),
            ProgressiveKnowledgeTransfer(**words),
        )


def test_it_is_for_distillers():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="of a `keras_distill.Distiller`"):
        ProgressiveKnowledgeTransfer(steps=1).plan(model)
