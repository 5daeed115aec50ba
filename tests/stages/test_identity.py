"""A stage is what it learns, from what, from where; all else may change."""

import json

import keras
import numpy as np
import pytest

from keras_distill import callbacks
from keras_distill import losses
from keras_distill import stages
from keras_distill import tasks
from keras_distill.stages.identity import check_same_stage
from keras_distill.stages.identity import data_identity
from keras_distill.stages.identity import weights_identity
from tests.stages import tiny_run


def make_model(width=4, seed=3, dropout=0.3):
    keras.utils.set_random_seed(seed)
    return tiny_run.make_model(width, dropout)


class Measure:
    """Callable with data of its own."""

    def __init__(self, y):
        self.y = y
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return {"f1": float(self.y.mean())}


def make_stage(**words):
    settings = dict(
        student=make_model(),
        train=tiny_run.make_data(16),
        teacher=make_model(8, seed=4),
        distillation_losses=losses.LogitsDistillation(),
        student_loss_weight=0.5,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=tiny_run.adam,
        epochs=1,
        batch_size=8,
    )
    return stages.Stage("one", **{**settings, **words})


def describe(stage, seed=0, is_seeded=True):
    return {
        **stage.describe(),
        "identity": stage.identity(
            seed,
            data_identity(stage.train),
            weights_identity(stage.student, is_seeded=is_seeded),
        ),
    }


def compare(there, now):
    """What the message says is another one, or `None`."""
    try:
        check_same_stage(there, now)
    except ValueError as error:
        assert "`--no-resume` on a command line" in str(error)
        return str(error)
    return None


def other_data(**arrays):
    data = tiny_run.make_data(16)
    for name, values in arrays.items():
        setattr(data, name, values)
    return data


def other_activation():
    model = make_model(8, seed=4)
    model.get_layer("hidden").activation = keras.activations.relu
    return model


def head(student):
    return [student.get_layer("head")]


def hidden(student):
    return [student.get_layer("hidden")]


def keep(y, **words):
    return callbacks.KeepBest(Measure(np.array(y)), "f1", **words)


class Rate(keras.optimizers.schedules.LearningRateSchedule):
    """One without `get_config`."""

    def __init__(self, peak):
        self.peak = peak

    def __call__(self, step):
        return self.peak / (1.0 + keras.ops.cast(step, "float32"))


class Weighted(losses.LogitsDistillation):
    """A loss of one's own, whose config does not tell all."""

    def __init__(self, beta):
        super().__init__()
        self.beta = beta

    def get_config(self):
        return {"name": self.name}


def adam_with(peak):
    return lambda steps: keras.optimizers.Adam(Rate(peak))


def adamw_without(*names):
    def make(steps):
        optimizer = keras.optimizers.AdamW(1e-3)
        optimizer.exclude_from_weight_decay(var_names=list(names))
        return optimizer

    return make


CHANGES = {
    "labels": (
        {},
        {"train": other_data(y=1 - tiny_run.make_data(16).y)},
        "data.y is another one now",
    ),
    "inputs": (
        {},
        {"train": other_data(x=tiny_run.make_data(16).x + 1)},
        "data.x is another one now",
    ),
    "teacher": (
        {},
        {"teacher": make_model(8, seed=5)},
        "teacher.weights is another one now",
    ),
    "activation of the teacher": (
        {},
        {"teacher": other_activation()},
        "teacher.architecture.activations: ['linear', 'tanh'] there, "
        "['linear', 'relu'] now",
    ),
    "start": (
        {},
        {"student": make_model(seed=9)},
        "start.random_numbers is another one now",
    ),
    "dropout of the student": (
        {},
        {"student": make_model(dropout=0.1)},
        "student.dropout: ['0.3'] there, ['0.1'] now",
    ),
    "layers": (
        {"trainable": head},
        {"trainable": hidden},
        "trains: ['2 head/kernel', '3 head/bias'] there, "
        "['0 hidden/kernel', '1 hidden/bias'] now",
    ),
    "what selects": (
        {"keep": keep([0, 1])},
        {"keep": keep([1, 1])},
        "code.selection is another one now",
    ),
    "rule": (
        {"keep": keep([0, 1])},
        {"keep": keep([0, 1], mode="min")},
        "keep: 'f1' there, 'f1, min' now",
    ),
    "schedule": (
        {"optimizer": adam_with(0.1)},
        {"optimizer": adam_with(0.2)},
        "learning_rates: ['0.1', '0.05'] there, ['0.2', '0.1'] now",
    ),
    "weight decay": (
        {"optimizer": adamw_without("bias")},
        {"optimizer": adamw_without("bias", "gamma")},
        "without_weight_decay: ['bias'] there, ['bias', 'gamma'] now",
    ),
    "loss": (
        {},
        {"distillation_losses": losses.LogitsDistillation(temperature=2.0)},
        "distillation_losses.config.temperature: 1.0 there, 2.0 now",
    ),
    "loss of one's own": (
        {"distillation_losses": Weighted(1.0)},
        {"distillation_losses": Weighted(2.0)},
        "code.distillation_losses is another one now",
    ),
    "function as a loss": (
        {"loss": lambda y, p: keras.ops.mean(p)},
        {"loss": lambda y, p: keras.ops.sum(p)},
        "code.loss is another one now",
    ),
    "compile options": (
        {},
        {"compile_options": {"steps_per_execution": 2}},
        "compile_options.steps_per_execution: None there, 2 now",
    ),
    "metrics": ({}, {"metrics": ["accuracy"]}, "metrics: None there"),
    "callback of Keras": (
        {"callbacks": [keras.callbacks.EarlyStopping("loss", patience=1)]},
        {"callbacks": [keras.callbacks.EarlyStopping("loss", patience=2)]},
        "code.callbacks is another one now",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_named(change):
    before, after, message = CHANGES[change]
    there = describe(make_stage(**before))
    found = compare(there, describe(make_stage(**{**before, **after})))
    assert message in found
    # Nothing else is.
    assert found.count("there,") + found.count("another one now") <= 3
    assert compare(there, describe(make_stage(**before))) is None


def test_another_seed_is_another_stage():
    stage = make_stage()
    found = compare(describe(stage), describe(stage, seed=1))
    assert "(seed: 0 there, 1 now)" in found


def test_random_numbers_without_a_seed_are_no_change():
    first, second = (make_stage(student=make_model(seed=s)) for s in (1, 2))
    # As a script without a seed makes them, each time others.
    for seeded in ((False, False), (True, False), (False, True)):
        pair = [
            describe(stage, is_seeded=is_seeded)
            for stage, is_seeded in zip((first, second), seeded, strict=True)
        ]
        assert compare(*pair) is None
    # Weights that were given are never random.
    second.student.set_weights([w + 0.5 for w in first.student.get_weights()])
    found = compare(
        describe(first, is_seeded=False), describe(second, is_seeded=False)
    )
    assert "start.weights is another one now" in found
    assert "set_random_seed" in found


def test_a_head_that_no_loss_looks_at_is_no_change(make_classifier):
    def make(seed, of):
        keras.utils.set_random_seed(1)
        teacher, student = (make_classifier(num_layers=n) for n in (2, 1))
        keras.utils.set_random_seed(seed)
        layer = {"head": teacher.output_dense, "layer": None}[of]
        layer = layer or teacher.backbone.transformer_layers[1]
        for weight in layer.trainable_variables:
            weight.assign(keras.random.normal(weight.shape))
        return make_stage(
            student=student,
            teacher=teacher,
            distillation_losses=losses.HiddenStatesDistillation(),
        )

    for of, is_same in (("head", True), ("layer", False)):
        found = compare(describe(make(1, of)), describe(make(2, of)))
        assert (found is None) == is_same


def test_another_python_compiles_otherwise():
    there = describe(make_stage())
    there["identity"]["code"] = {"python": [3, 10], "loss": "0" * 64}
    assert compare(there, describe(make_stage())) is None


def test_rows_are_told_by_their_parts(tokenizer):
    def of(**changes):
        words = {
            "texts": (["a good film", "bad", "very dull"],),
            "labels": [1, 0, 0],
            "ids": [5, 6, 7],
            **changes,
        }
        return tasks.TokenizedExamples(
            tasks.Examples(words["texts"], words["labels"], words["ids"]),
            tokenizer,
            8,
        )

    known = of().fingerprints()
    for change, part in (
        ({"texts": (["a good film", "bad", "very good"],)}, "tokens"),
        ({"labels": [1, 0, 1]}, "labels"),
        ({"ids": [5, 6, 8]}, "ids"),
    ):
        found = of(**change).fingerprints()
        assert {k for k in known if known[k] != found[k]} == {part}
    # The same rows, whatever they were chosen from.
    picked = of(
        texts=(["bad", "a good film", "bad", "very dull"],),
        labels=[1, 1, 0, 0],
        ids=[1, 5, 6, 7],
    ).select(np.array([1, 2, 3]))
    assert picked.fingerprints() == known
    assert of().select(np.array([1, 0, 2])).fingerprints() != known


def run(folder, **words):
    stage = make_stage(compile_options={"run_eagerly": True}, **words)
    return stages.run_stages([stage], folder, quiet=True)["one"]


def log_of(folder):
    return (folder / "log.txt").read_text()


def test_a_finished_stage_of_other_labels_is_refused(tmp_path):
    result = run(tmp_path)
    assert run(tmp_path) == result
    with pytest.raises(ValueError, match="data.y is another one now"):
        run(tmp_path, train=other_data(y=1 - tiny_run.make_data(16).y))
    with pytest.raises(ValueError, match="teacher.weights is another one now"):
        run(tmp_path, teacher=make_model(8, seed=5))
    # Nothing is lost by a refusal.
    assert run(tmp_path) == result


def test_models_that_are_used_again_in_a_process_are_no_change(tmp_path):
    """As when a cell of a notebook is run a second time."""
    stage = make_stage(compile_options={"run_eagerly": True})
    first = stages.run_stages([stage], tmp_path, quiet=True)
    trained = stage.student.get_weights()
    assert stages.run_stages([stage], tmp_path, quiet=True) == first
    stage.student.set_weights([w + 1 for w in trained])
    with pytest.raises(ValueError, match="start.weights is another one now"):
        stages.run_stages([stage], tmp_path, quiet=True)


def test_what_an_earlier_version_left_is_taken_with_what_it_noted(tmp_path):
    result = run(tmp_path)
    path = tmp_path / "stages" / "one" / "result.json"
    content = json.loads(path.read_text())
    del content["stage"]["identity"]
    path.write_text(json.dumps(content))
    assert run(tmp_path, teacher=make_model(8, seed=5)) == result
    assert "did not note its data, teacher and start" in log_of(tmp_path)
    with pytest.raises(ValueError, match="batch_size: 8 there, 4 now"):
        run(tmp_path, batch_size=4)


def test_a_changed_file_behind_the_same_path_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "train.npy"

    class Lazy(tiny_run.Arrays):
        def __init__(self):
            self.path = path

        x = property(lambda self: np.load(self.path))
        y = property(lambda self: (self.x.sum(axis=1) > 0).astype("int32"))

    np.save(path, tiny_run.make_data(16).x)
    result = run(tmp_path / "run", train=Lazy())
    with monkeypatch.context() as patch:
        # The hash is kept.
        patch.setattr("hashlib.file_digest", None)
        assert run(tmp_path / "run", train=Lazy()) == result
    np.save(path, tiny_run.make_data(16).x + 1)
    with pytest.raises(ValueError, match="data.path is another one now"):
        run(tmp_path / "run", train=Lazy())


class Fails(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        raise RuntimeError("no room")


def test_a_start_that_failed_leaves_room_for_the_right_one(tmp_path):
    def start(config, **words):
        stage = make_stage(compile_options={"run_eagerly": True}, **words)
        return stages.run_stages([stage], tmp_path, config, quiet=True)

    with pytest.raises(ValueError, match="`monitor` must name one"):
        start(
            {"batch_size": 16},
            batch_size=16,
            keep=callbacks.KeepBest(lambda: {"f1": 1.0}, "recall"),
        )
    with pytest.raises(RuntimeError, match="no room"):
        start({"batch_size": 16}, batch_size=16, callbacks=[Fails()])
    start({"batch_size": 8})
    assert "settings that were there: they are replaced" in log_of(tmp_path)
    with pytest.raises(ValueError, match="batch_size: 8 there, 16 now") as no:
        start({"batch_size": 16}, batch_size=16)
    assert "`--no-resume` on a command line" in str(no.value)
    assert json.loads((tmp_path / "config.json").read_text()) == {
        "batch_size": 8
    }


def test_a_model_that_does_not_fit_leaves_room(tmp_path):
    wrong = losses.FeatureDistillation("nothing", "hidden")
    with pytest.raises(ValueError, match="nothing"):
        run(tmp_path, distillation_losses=wrong)
    run(tmp_path)
