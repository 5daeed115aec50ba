"""A stage that is stopped within a phase ends as one that never was."""

import keras
import numpy as np
import pytest

from keras_distill import losses
from keras_distill import models
from keras_distill import optimizers
from keras_distill import stages
from keras_distill.callbacks import GradualUnfreezing
from keras_distill.callbacks import KeepBest
from keras_distill.callbacks import ProgressiveKnowledgeTransfer
from keras_distill.optimizers.schedules import KnowledgeTransferRate
from tests.stages import tiny_run

# Quicker than to trace functions for so few batches.
EAGER = {"run_eagerly": True}


class Tokens:
    """Arrays of tokens with the interface of `TokenizedExamples`."""

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def num_batches(self, batch_size):
        return len(self.y) // batch_size

    def batches(
        self, batch_size, shuffle=False, seed=0, initial_epoch=0, first_batch=0
    ):
        del shuffle
        generator = np.random.default_rng((seed, initial_epoch))
        rows = generator.permutation(len(self.y))[first_batch * batch_size :]
        return tiny_run._Batches(
            _Rows(self.x), self.y, rows, batch_size, first_batch=0
        )


class _Rows:
    def __init__(self, x):
        self._x = x

    def __getitem__(self, rows):
        return {name: value[rows] for name, value in self._x.items()}


class Stop(keras.callbacks.Callback):
    """Ends the program after some batches, as a power cut would."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("power cut")


def run_whole(folder, make_stage):
    """The student of a run that is not stopped."""
    stage = make_stage(())
    stages.run_stages([stage], folder, seed=2, quiet=True)
    return stage.student


def run_stopped(folder, make_stage, stop_after):
    """The student of a run that was stopped, and went on."""
    options = {"seed": 2, "quiet": True, "checkpoint_every": 0}
    with pytest.raises(RuntimeError, match="power cut"):
        stages.run_stages([make_stage([Stop(stop_after)])], folder, **options)
    resumed = make_stage([Stop(1000)])
    stages.run_stages([resumed], folder, **options)
    return resumed.student


def assert_same(one, other):
    assert all(w.trainable == v.trainable for w, v in _pairs(one, other))
    for weight, same in _pairs(one, other):
        np.testing.assert_array_equal(weight.numpy(), same.numpy(), weight.path)


def _pairs(one, other):
    return list(zip(one.weights, other.weights, strict=True))


@pytest.mark.parametrize(
    "stop_after", [pytest.param(1, marks=pytest.mark.slow), 3]
)
def test_progressive_transfer_goes_on_within_a_layer(
    tmp_path, make_classifier, token_batches, stop_after
):
    def make_stage(callbacks):
        keras.utils.set_random_seed(5)
        transfer = ProgressiveKnowledgeTransfer(steps=[2, 2], done_rate=0.1)
        return stages.Stage(
            "layers",
            make_classifier(num_layers=2, hidden_dim=4, dropout=0.2),
            Tokens(*token_batches),
            teacher=make_classifier(num_layers=2, hidden_dim=8),
            distillation_losses=[
                losses.HiddenStatesDistillation(),
                losses.LogitsDistillation(),
            ],
            student_loss_weight=0,
            optimizer=lambda steps: optimizers.RateScaleOptimizer(
                keras.optimizers.AdamW(0.01)
            ),
            steps=5,
            batch_size=6,
            compile_options=EAGER,
            callbacks=[transfer, *callbacks],
        )

    whole = run_whole(tmp_path / "whole", make_stage)
    stopped = run_stopped(tmp_path / "stopped", make_stage, stop_after)
    assert_same(whole, stopped)


@pytest.mark.parametrize(
    "done_rate", [0.1, pytest.param(0.0, marks=pytest.mark.slow)]
)
def test_a_mobilebert_goes_on_within_a_block(
    tmp_path, token_batches, done_rate
):
    sizes = {
        "vocabulary_size": 24,
        "num_layers": 2,
        "num_heads": 2,
        "embedding_dim": 3,
        "hidden_dim": 4,
        "intermediate_dim": 4,
        "max_sequence_length": 8,
    }

    def make_stage(callbacks):
        keras.utils.set_random_seed(5)
        # Attention dropout is on.
        student, teacher = (
            models.MobileBertBackbone.from_preset(
                name, load_weights=False, intra_dim=width, **sizes
            )
            for name, width in (("mobilebert", 2), ("ib_bert_large", 8))
        )
        transfer = ProgressiveKnowledgeTransfer(
            steps=[1, 2], done_rate=done_rate
        )
        return stages.Stage(
            "blocks",
            student,
            Tokens(*token_batches),
            teacher=teacher,
            distillation_losses=[
                losses.FeatureMapTransfer(),
                losses.AttentionDistillation(loss="kl"),
            ],
            student_loss_weight=0,
            optimizer=lambda steps: optimizers.RateScaleOptimizer(
                optimizers.BertLamb(KnowledgeTransferRate(0.1, 4))
            ),
            steps=3,
            batch_size=6,
            compile_options=EAGER,
            callbacks=[transfer, *callbacks],
        )

    whole = run_whole(tmp_path / "whole", make_stage)
    # The second block has begun.
    stopped = run_stopped(tmp_path / "stopped", make_stage, stop_after=2)
    assert_same(whole, stopped)


class Scores(keras.callbacks.Callback):
    """Puts a given value into the logs of each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_accuracy"] = [0.5, 0.4, 0.9][epoch]


def unfreezing_stage(words):
    """Makes a stage of three epochs, of three batches each."""

    def make_stage(callbacks):
        keras.utils.set_random_seed(5)
        student = tiny_run.make_model(4)
        groups = [student.get_layer("head"), student.get_layer("hidden")]
        unfreezing = GradualUnfreezing(groups, **words)
        return stages.Stage(
            "labels",
            student,
            tiny_run.make_data(rows=24),
            loss=tiny_run.cross_entropy(),
            optimizer=lambda steps: keras.optimizers.Adam(0.05),
            epochs=3,
            batch_size=8,
            compile_options=EAGER,
            callbacks=[Scores(), unfreezing, *callbacks],
        )

    return make_stage


@pytest.fixture(scope="module")
def unfrozen(tmp_path_factory):
    """The student of a whole run, for the words of a `GradualUnfreezing`."""
    known = {}

    def run(words):
        (key,) = words
        if key not in known:
            folder = tmp_path_factory.mktemp("whole")
            known[key] = run_whole(folder, unfreezing_stage(words))
        return known[key]

    return run


@pytest.mark.parametrize(
    "words, stop_after",
    [
        ({"steps": 4}, 2),
        ({"steps": 4}, 5),
        pytest.param({"steps": 4}, 7, marks=pytest.mark.slow),
        pytest.param({"epochs": 1}, 2, marks=pytest.mark.slow),
        pytest.param({"epochs": 1}, 5, marks=pytest.mark.slow),
        ({"epochs": 1}, 7),
        ({"monitor": "val_accuracy"}, 2),
        ({"monitor": "val_accuracy"}, 5),
        pytest.param({"monitor": "val_accuracy"}, 7, marks=pytest.mark.slow),
    ],
)
def test_gradual_unfreezing_goes_on_within_a_phase(
    tmp_path, unfrozen, words, stop_after
):
    stopped = run_stopped(tmp_path, unfreezing_stage(words), stop_after)
    assert_same(unfrozen(words), stopped)


def test_what_a_stage_keeps_by_can_be_monitored(tmp_path):
    keras.utils.set_random_seed(5)
    student = tiny_run.make_model(4)
    # The start is measured as well.
    scores = iter([0.1, 0.5, 0.9, 0.2])
    values = []

    def measure():
        values.append(student.get_weights())
        return {"accuracy": next(scores)}

    groups = [student.get_layer("head"), student.get_layer("hidden")]
    stage = stages.Stage(
        "labels",
        student,
        tiny_run.make_data(rows=8),
        loss=tiny_run.cross_entropy(),
        optimizer="adam",
        epochs=3,
        compile_options=EAGER,
        keep=KeepBest(measure, "accuracy"),
        callbacks=[
            # By what it asks of an improvement, the first epoch is the best.
            GradualUnfreezing(groups, monitor="val_accuracy", min_delta=0.5)
        ],
    )
    results = stages.run_stages([stage], tmp_path, quiet=True)
    assert results["labels"].best == {"accuracy": 0.9, "epoch": 2}
    for weight, kept in zip(student.get_weights(), values[2], strict=True):
        np.testing.assert_array_equal(weight, kept)
