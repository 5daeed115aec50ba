"""What is written to disk, and that training goes on from it."""

import errno

import h5py
import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses


def with_adam():
    return {"optimizer": keras.optimizers.Adam(0.01), "metrics": ["accuracy"]}


def shapes(path):
    """The shapes of all that a weights file holds."""
    found = []

    def look(_, item):
        if isinstance(item, h5py.Dataset):
            found.append(item.shape)

    with h5py.File(path) as file:
        file.visititems(look)
    return sorted(found)


@pytest.fixture
def hidden_only():
    """Losses that do not reach the student's head."""
    return losses.FeatureDistillation("hidden", "hidden")


@pytest.fixture
def state(values):
    """Weights and optimizer state."""

    def read(distiller):
        optimizer = [v.numpy() for v in distiller.optimizer.variables]
        return values(distiller) + optimizer

    return read


def test_the_distiller_counts_student_and_projections_only(make_distiller):
    distiller = make_distiller()
    projection = distiller.projections["hidden"]
    assert projection.count_params() == 8 * 16 + 16
    assert distiller.count_params() == (
        distiller.student.count_params() + projection.count_params()
    )
    teacher = {id(v) for v in distiller.teacher.variables}
    assert not teacher & {id(v) for v in distiller.variables}


def test_only_the_whole_file_holds_the_teacher(
    make_distiller, make_dense, batch, tmp_path
):
    teacher = make_dense(20_000)
    distiller = make_distiller(
        teacher,
        distillation_losses=losses.LogitsDistillation(),
        compiled=with_adam(),
    )
    distiller.fit(*batch, verbose=0)
    weights, whole = tmp_path / "d.weights.h5", tmp_path / "d.keras"
    distiller.save_weights(weights)
    distiller.save(whole)
    teacher_bytes = 4 * teacher.count_params()
    assert weights.stat().st_size < teacher_bytes / 5
    assert whole.stat().st_size > teacher_bytes


def test_weights_file_holds_student_projections_and_optimizer(
    make_distiller, batch, tmp_path
):
    distiller = make_distiller(compiled=with_adam())
    distiller.fit(*batch, verbose=0)
    distiller.save_weights(tmp_path / "distiller.weights.h5")
    saved = shapes(tmp_path / "distiller.weights.h5")
    expected = [*distiller.weights, *distiller.optimizer.variables]
    assert saved == sorted(tuple(variable.shape) for variable in expected)


def test_weights_come_back(make_distiller, batch, tmp_path, state, assert_same):
    one = make_distiller(compiled=with_adam())
    one.fit(*batch, epochs=2, verbose=0)
    one.save_weights(tmp_path / "distiller.weights.h5")
    other = make_distiller(one.teacher, compiled=with_adam())
    other.fit(*batch, verbose=0)
    other.load_weights(tmp_path / "distiller.weights.h5")
    assert_same(state(other), state(one))


def test_checkpoint_callback_saves_what_trains(
    make_distiller, batch, tmp_path, values, assert_same
):
    path = tmp_path / "epoch_{epoch}.weights.h5"
    distiller = make_distiller()
    distiller.fit(
        *batch,
        epochs=2,
        verbose=0,
        callbacks=keras.callbacks.ModelCheckpoint(path, save_weights_only=True),
    )
    expected = values(distiller)
    distiller.load_weights(tmp_path / "epoch_1.weights.h5")
    assert np.any(values(distiller)[0] != expected[0])
    distiller.load_weights(tmp_path / "epoch_2.weights.h5")
    assert_same(values(distiller), expected)


class Killed(keras.callbacks.Callback):
    """Ends the process, as it were, before an epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_a_killed_run_ends_as_one_never_killed(
    make_distiller,
    make_dense,
    hidden_only,
    batch,
    tmp_path,
    state,
    assert_same,
):
    # The head has no gradient. Its place in the optimizer is kept all the same.
    whole, killed, resumed = (
        make_distiller(
            teacher,
            distillation_losses=hidden_only,
            student_loss_weight=0,
            compiled=with_adam(),
        )
        for teacher in [make_dense(16)] * 3
    )
    for mine, theirs in zip(killed.weights, whole.weights, strict=True):
        mine.assign(theirs.numpy())
    words = dict(epochs=4, batch_size=2, shuffle=False, verbose=0)
    whole.fit(*batch, **words)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        killed.fit(*batch, callbacks=[backup, Killed()], **words)
    history = resumed.fit(*batch, callbacks=[backup], **words)
    assert history.epoch == [2, 3]
    assert_same(state(resumed), state(whole))


@pytest.mark.parametrize("reached", ["all", "hidden_only"])
def test_a_loaded_distiller_goes_on_as_if_never_saved(
    make_distiller,
    hidden_only,
    batch,
    tmp_path,
    state,
    values,
    assert_same,
    reached,
):
    x, y = batch
    chosen = {
        "all": {"distillation_loss_weights": [0.5, 2.0]},
        "hidden_only": {
            "distillation_losses": hidden_only,
            "student_loss_weight": 0,
        },
    }[reached]
    distiller = make_distiller(compiled=with_adam(), **chosen)
    distiller.fit(x, y, epochs=2, verbose=0)
    distiller.save(tmp_path / "distiller.keras")
    loaded = keras.saving.load_model(tmp_path / "distiller.keras")

    assert loaded.plan() == distiller.plan()
    assert loaded.student_loss_weight == distiller.student_loss_weight
    assert_same(values(loaded.teacher), values(distiller.teacher))
    assert_same(state(loaded), state(distiller))
    assert loaded.evaluate(x, y, verbose=0, return_dict=True) == (
        distiller.evaluate(x, y, verbose=0, return_dict=True)
    )
    for each in (loaded, distiller):
        each.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
    assert_same(state(loaded), state(distiller))


def test_a_distiller_of_classifiers_keeps_their_tokenizer(
    make_classifier, token_batch, cross_entropy, tmp_path, values, assert_same
):
    x, y = token_batch
    distiller = Distiller(
        make_classifier(num_layers=2),
        make_classifier(num_layers=1, hidden_dim=8),
        [losses.HiddenStatesDistillation(), losses.LogitsDistillation()],
    )
    assert (
        distiller.teacher.preprocessor.tokenizer
        is distiller.student.preprocessor.tokenizer
    )
    distiller.compile("adam", cross_entropy, run_eagerly=True)
    distiller.fit(x, y, verbose=0)
    distiller.save(tmp_path / "distiller.keras")
    loaded = keras.saving.load_model(tmp_path / "distiller.keras")
    texts = ["the film is great", "a dull plot"]
    for role in ("teacher", "student"):
        ours, theirs = getattr(distiller, role), getattr(loaded, role)
        np.testing.assert_array_equal(
            ours.preprocessor(texts)["token_ids"],
            theirs.preprocessor(texts)["token_ids"],
        )
        assert_same(values(theirs), values(ours))
    for each in (loaded, distiller):
        each.fit(x, y, verbose=0)
    # PyTorch's sums depend on where in memory the weights lie.
    for ours, theirs in zip(values(loaded), values(distiller), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8)


def test_the_student_is_saved_without_teacher_and_projections(
    make_distiller, batch, tmp_path, values, assert_same
):
    distiller = make_distiller(compiled=with_adam())
    distiller.fit(*batch, verbose=0)
    distiller.student.save(tmp_path / "student.keras")
    student = keras.saving.load_model(tmp_path / "student.keras")
    assert type(student) is type(distiller.student)
    assert_same(values(student), values(distiller.student))
    assert [w.path for w in student.weights] == [
        "hidden/kernel",
        "hidden/bias",
        "head/kernel",
        "head/bias",
    ]


def test_losses_of_keras_survive_saving(make_distiller, batch, tmp_path):
    x, y = batch
    distiller = make_distiller(
        distillation_losses=[
            keras.distillation.LogitsDistillation(temperature=3.0),
            losses.LogitsDistillation(
                temperature=1.5, loss="cross_entropy", name="soft"
            ),
        ]
    )
    distiller.save(tmp_path / "distiller.keras")
    loaded = keras.saving.load_model(tmp_path / "distiller.keras")
    assert [loss.get_config() for loss in loaded.distillation_losses] == [
        loss.get_config() for loss in distiller.distillation_losses
    ]
    assert loaded.evaluate(x, y, verbose=0) == distiller.evaluate(
        x, y, verbose=0
    )


def test_shared_frozen_weights_are_refused_when_saved_as_one(
    make_distiller, make_dense, batch, tmp_path, values, assert_same
):
    teacher = make_dense(8)
    shared = teacher.get_layer("hidden")
    shared.trainable = False
    student = keras.Model(
        teacher.input, keras.layers.Dense(3)(shared.output), name="student"
    )
    distiller = make_distiller(teacher, student, losses.LogitsDistillation())
    distiller.fit(*batch, verbose=0)
    with pytest.raises(ValueError, match="share weights in one file"):
        distiller.save(tmp_path / "distiller.keras")
    before = values(distiller)
    distiller.save_weights(tmp_path / "distiller.weights.h5")
    distiller.fit(*batch, verbose=0)
    distiller.load_weights(tmp_path / "distiller.weights.h5")
    assert_same(values(distiller), before)


@pytest.mark.parametrize("save", ["save", "save_weights"])
def test_a_file_that_cannot_be_written_leaves_the_last_one(
    make_distiller, tmp_path, monkeypatch, save
):
    ending = ".keras" if save == "save" else ".weights.h5"
    path = tmp_path / f"distiller{ending}"
    distiller = make_distiller()
    getattr(distiller, save)(path)
    before = path.read_bytes()

    def disk_is_full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", disk_is_full)
    with pytest.raises(OSError, match="No space left"):
        getattr(distiller, save)(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
