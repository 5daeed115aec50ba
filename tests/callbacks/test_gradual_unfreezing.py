"""Parts join top down; what has not joined stays as it was, bit by bit."""

import keras
import numpy as np
import pytest

from keras_distill import losses
from keras_distill import optimizers
from keras_distill import students
from keras_distill.callbacks import GradualUnfreezing

HIDDEN = [losses.HiddenStatesDistillation()]


def changed_parts(values, epoch):
    """The parts of the student of two layers that an epoch changed."""
    marks = {
        "head": ("pooled_dense", "logits"),
        "projections": ("hidden_states/",),
        "layer.2": ("transformer_layer_1",),
        "layer.1": ("transformer_layer_0",),
        "embeddings": ("embedding",),
    }
    changed = values.changed(epoch)
    parts = {
        part
        for part, words in marks.items()
        if any(word in path for path in changed for word in words)
    }
    assert all(
        any(word in path for words in marks.values() for word in words)
        for path in changed
    )
    return parts


def test_by_default_one_part_joins_after_the_other_top_down(
    make_bert_distiller, untrained
):
    distiller = make_bert_distiller(models=untrained)
    assert GradualUnfreezing(epochs=2).plan(distiller) == [
        "from epoch 1: head",
        "from epoch 3: projections",
        "from epoch 5: layer.2",
        "from epoch 7: layer.1",
        "from epoch 9: embeddings",
    ]


def test_groups_are_as_given_and_empty_ones_are_left_out(
    make_bert_distiller, untrained
):
    distiller = make_bert_distiller(
        [losses.LogitsDistillation()], models=untrained
    )
    whole = GradualUnfreezing("encoder", steps=10)
    # Nothing is projected for logits.
    assert whole.plan(distiller) == [
        "from step 0: head",
        "from step 10: encoder",
    ]
    backbone = distiller.student.backbone
    own = GradualUnfreezing(
        [backbone.pooled_dense, ["layer.1", "embeddings"]], steps=[7]
    )
    assert own.plan(distiller) == [
        "from step 0: pooled_dense",
        "from step 7: layer.1, embeddings",
    ]
    # The losses do not reach the head.
    inside = make_bert_distiller(HIDDEN, models=untrained)
    assert GradualUnfreezing("encoder", monitor="loss").plan(inside) == [
        "phase 1: projections",
        "phase 2: encoder",
    ]


def test_the_plan_is_printed_unless_it_is_quiet(
    make_bert_distiller, fit, capsys
):
    distiller = make_bert_distiller([losses.LogitsDistillation()])
    callback = GradualUnfreezing("encoder", epochs=1)
    fit(distiller, callback, epochs=1)
    assert "Phases" not in capsys.readouterr().out
    fit(distiller, callback, epochs=1, verbose=2)
    printed = capsys.readouterr().out
    assert "Phases:\nfrom epoch 1: head\nfrom epoch 2: encoder\n" in printed


@pytest.mark.parametrize(
    "make_optimizer, is_advised",
    [
        (keras.optimizers.AdamW, True),
        (lambda: optimizers.RateScaleOptimizer("adamw"), False),
        (keras.optimizers.SGD, False),
    ],
)
def test_adam_is_advised_to_count_the_steps_of_what_joins(
    make_dense_distiller, fit, capsys, make_optimizer, is_advised
):
    distiller = make_dense_distiller(make_optimizer())
    groups = [distiller.student.get_layer(name) for name in ("head", "upper")]
    fit(distiller, GradualUnfreezing(groups, epochs=1), epochs=1, verbose=2)
    printed = capsys.readouterr().out
    advice = "RateScaleOptimizer(optimizer)\n"
    assert (advice in printed) == is_advised


def test_a_part_that_waits_stays_as_it_was(make_bert_distiller, fit, values):
    distiller = make_bert_distiller()
    fit(distiller, GradualUnfreezing(epochs=1), values, epochs=5)
    order = ["head", "projections", "layer.2", "layer.1", "embeddings"]
    for epoch in range(1, 6):
        assert changed_parts(values, epoch) == set(order[:epoch])
    # And nothing is left frozen.
    assert distiller.non_trainable_weights == []


def test_a_compiled_step_is_made_anew_for_each_part(
    make_dense_distiller, fit, values
):
    # It counts the steps of late layers.
    optimizer = optimizers.RateScaleOptimizer(keras.optimizers.Adam(0.01))
    distiller = make_dense_distiller(optimizer, is_compiled=True)
    student = distiller.student
    names = ["head", "upper", "lower"]
    groups = [student.get_layer(name) for name in names]
    fit(distiller, GradualUnfreezing(groups, epochs=1), values, epochs=3)
    for epoch in range(1, 4):
        assert values.changed_layers(epoch) == set(names[:epoch])


def test_it_is_freezing_by_hand(make_bert_distiller, fit):
    by_callback = make_bert_distiller(optimizer=keras.optimizers.Adam(0.01))
    groups = [["head", "projections"], "layer.2"]
    fit(by_callback, GradualUnfreezing(groups, epochs=1), epochs=2)

    by_hand = make_bert_distiller(optimizer=keras.optimizers.Adam(0.01))
    by_hand.optimizer.build(by_hand.trainable_variables)
    backbone = by_hand.student.backbone
    for layer in backbone.layers:
        layer.trainable = layer is backbone.pooled_dense
    fit(by_hand, epochs=1)
    backbone.transformer_layers[1].trainable = True
    by_hand.make_train_function(force=True)
    fit(by_hand, epochs=1)
    for one, other in zip(
        (*by_callback.weights, *by_callback.optimizer.variables),
        (*by_hand.weights, *by_hand.optimizer.variables),
        strict=True,
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), one.path)


def test_a_scaled_loss_trains_parts_as_well(make_dense_distiller, fit, values):
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))
    distiller = make_dense_distiller(optimizer)
    groups = [distiller.student.get_layer(name) for name in ("head", "upper")]
    fit(distiller, GradualUnfreezing(groups, epochs=1), values, epochs=2)
    assert values.changed_layers(1) == {"head"}
    assert values.changed_layers(2) == {"head", "upper"}


def test_steps_count_across_epochs(make_dense_distiller, fit):
    # Three steps an epoch: the second group joins in the middle of the second.
    distiller = make_dense_distiller()
    student = distiller.student
    groups = [student.get_layer("head"), list(student.layers)]
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(len(distiller.trainable_variables))

    callback = GradualUnfreezing(groups, steps=4)
    fit(distiller, callback, Watch(), epochs=2, steps=3)
    head, everything = 2, len(distiller.trainable_variables)
    assert seen == [head] * 4 + [everything] * 2


def test_what_is_frozen_costs_no_backward_pass(make_dense_distiller, step_cost):
    distiller = make_dense_distiller()
    groups = [
        distiller.student.get_layer(name) for name in ("head", "upper", "lower")
    ]
    callback = GradualUnfreezing(groups, epochs=1)
    callback.set_model(distiller)
    callback.on_train_begin()
    costs = []
    for epoch in range(3):
        callback.on_epoch_begin(epoch)
        costs.append(step_cost(distiller))
    assert costs[0] < costs[1] < costs[2]


def test_training_goes_on_whole_afterwards(make_bert_distiller, fit, values):
    distiller = make_bert_distiller()
    fit(distiller, GradualUnfreezing([["head"]], epochs=1), epochs=1)
    fit(distiller, values, epochs=1)
    assert changed_parts(values, 1) == {
        "head",
        "projections",
        "layer.2",
        "layer.1",
        "embeddings",
    }


def test_what_the_user_froze_stays_frozen(make_bert_distiller, fit, values):
    distiller = make_bert_distiller([losses.LogitsDistillation()])
    distiller.student.backbone.transformer_layers[1].trainable = False
    callback = GradualUnfreezing(["head", "layer.2", "layer.1"], epochs=1)
    assert callback.plan(distiller) == [
        "from epoch 1: head",
        "from epoch 2: layer.1",
    ]
    fit(distiller, callback, values, epochs=2)
    assert changed_parts(values, 2) == {"head", "layer.1"}
    assert not distiller.student.backbone.transformer_layers[1].trainable


class Scores(keras.callbacks.Callback):
    """Puts given values into the logs of the epochs."""

    def __init__(self, scores):
        super().__init__()
        self.scores = iter(scores)
        self.trained, self.begins = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.begins.append([np.array(w) for w in self.model.get_weights()])

    def on_epoch_end(self, epoch, logs=None):
        self.trained.append(len(self.model.trainable_variables))
        logs["val_accuracy"] = next(self.scores)


def test_the_next_group_joins_when_nothing_improves(
    make_dense_distiller, fit, values
):
    distiller = make_dense_distiller()
    # Best in epoch 2, then in epoch 5; ends after patience with all groups.
    scores = Scores([0.5, 0.6, 0.6, 0.1, 0.7, 0.7, float("nan"), 0.0, 0.0])
    groups = [distiller.student.get_layer(name) for name in ("head", "upper")]
    callback = GradualUnfreezing(groups, monitor="val_accuracy", patience=2)
    history = fit(distiller, scores, values, callback, epochs=9)
    head, with_layer = 2, 4
    assert scores.trained == [head] * 4 + [with_layer] * 3
    assert len(history.epoch) == 7
    # The second group began from the best epoch of the first, and the best
    # of all is what is left.
    for weight, begin in zip(distiller.weights, scores.begins[4], strict=True):
        best_of_first, best = (values.copies[i][weight.path] for i in (2, 5))
        np.testing.assert_array_equal(begin, best_of_first, weight.path)
        np.testing.assert_array_equal(weight.numpy(), best, weight.path)


@pytest.mark.parametrize(
    ("monitor", "mode", "improves"),
    [
        ("val_loss", "auto", True),
        ("error_rate", "auto", True),
        ("val_accuracy", "auto", False),
        ("val_accuracy", "min", True),
        ("val_loss", "max", False),
    ],
)
def test_less_is_better_for_losses(monitor, mode, improves):
    callback = GradualUnfreezing(monitor=monitor, mode=mode)
    callback._best = 1.0
    assert callback._is_better(0.5) is improves


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "either `epochs` or `steps` or `monitor`"),
        ({"epochs": 1, "steps": 1}, "either `epochs`"),
        ({"epochs": 0}, "`epochs` must be an int of 1 or more"),
        ({"steps": [1, 0.5]}, "`steps` must be an int of 1 or more"),
        ({"groups": "top", "steps": 1}, "`groups` must be"),
        ({"groups": [], "steps": 1}, "`groups` must be"),
        ({"monitor": "loss", "mode": "less"}, "`mode` must be"),
        ({"monitor": "loss", "patience": 0}, "`patience` must be"),
    ],
)
def test_arguments_are_checked(words, message):
    with pytest.raises(ValueError, match=message):
        GradualUnfreezing(**words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"epochs": [1, 1]}, "one for each of the 4 phases that end"),
        ({"groups": ["layer.3"], "epochs": 1}, "head, projections, layer.2"),
        ({"groups": [["pooler"]], "epochs": 1}, "Received: 'pooler'"),
    ],
)
def test_what_does_not_fit_the_student_is_said_at_the_start(
    make_bert_distiller, untrained, fit, words, message
):
    with pytest.raises(ValueError, match=message):
        fit(make_bert_distiller(models=untrained), GradualUnfreezing(**words))


def test_layers_must_be_the_students(make_dense_distiller):
    foreign = keras.layers.Dense(2, name="foreign")
    foreign.build((None, 2))
    with pytest.raises(ValueError, match="weights of its own: foreign"):
        GradualUnfreezing([foreign], epochs=1).plan(make_dense_distiller())


def test_without_transformer_layers_groups_are_layers():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="must be a list of layers"):
        GradualUnfreezing(epochs=1).plan(model)


def test_a_bilstm_has_parts_and_its_projection_is_one_by_hand(
    make_classifier,
):
    student = students.create_bilstm_student(
        make_classifier(num_layers=2), embedding_dim=4, lstm_dim=3
    )
    assert GradualUnfreezing(epochs=1).plan(student) == [
        "from epoch 1: head",
        "from epoch 2: layer.1",
        "from epoch 3: embeddings",
    ]
    encoder = student.backbone.encoder
    both = {
        id(w) for w in (*encoder.projection.weights, *encoder.bilstm.weights)
    }
    assert {id(w) for w in students.parts_of(student)["layer.1"]} == both
    groups = ["head", encoder.projection, encoder.bilstm, "embeddings"]
    assert GradualUnfreezing(groups, epochs=1).plan(student) == [
        "from epoch 1: head",
        "from epoch 2: projection",
        "from epoch 3: bilstm",
        "from epoch 4: embeddings",
    ]


def test_averaged_weights_are_refused(make_dense_distiller, fit):
    distiller = make_dense_distiller(keras.optimizers.Adam(0.01, use_ema=True))
    groups = [distiller.student.get_layer("head")]
    with pytest.raises(ValueError, match="use_ema"):
        fit(distiller, GradualUnfreezing(groups, epochs=1))


def test_a_monitored_value_must_be_there(make_dense_distiller, fit):
    distiller = make_dense_distiller()
    groups = [distiller.student.get_layer("head")]
    with pytest.raises(ValueError, match="never logged.*val_f1.*val_loss"):
        fit(distiller, GradualUnfreezing(groups, monitor="val_f1"))


def test_a_plain_keras_model_unfreezes_as_well(values):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(3, name="lower"),
            keras.layers.Dense(3, name="upper"),
        ]
    )
    model.compile("adam", "mse")
    model.fit(
        np.ones((4, 3)),
        np.zeros((4, 3)),
        epochs=2,
        verbose=0,
        callbacks=[
            GradualUnfreezing([model.layers[1], model.layers[0]], epochs=1),
            values,
        ],
    )
    assert values.changed_layers(1) == {"upper"}
    assert values.changed_layers(2) == {"upper", "lower"}


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "random"])
def test_the_order_does_not_hang_on_hashes(run_python, hash_seed):
    program = """
import keras_hub
from keras_distill.callbacks import GradualUnfreezing
backbone = keras_hub.models.BertBackbone(
    vocabulary_size=9, num_layers=12, num_heads=1, hidden_dim=2,
    intermediate_dim=2, max_sequence_length=4,
)
print(*GradualUnfreezing(steps=1).plan(backbone), sep=";")
"""
    names = ["head", *(f"layer.{n}" for n in range(12, 0, -1)), "embeddings"]
    expected = [f"from step {i}: {name}" for i, name in enumerate(names)]
    assert run_python(program, hash_seed)[-1] == ";".join(expected)
