"""What a run of stages trains, and that stopping it changes nothing."""

import errno
import json
import os
import signal

import keras
import numpy as np
import pytest

from keras_distill import callbacks
from keras_distill import stages
from keras_distill.stages import StageResult
from keras_distill.stages.checkpoints import Checkpoints
from tests.stages import tiny_run


class Stop(keras.callbacks.Callback):
    """Does something after some batches of a run, once."""

    def __init__(self, after, what):
        super().__init__()
        self.left = after
        self.what = what

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.what()


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def without_seconds(results):
    return {
        name: (result.history, result.best) for name, result in results.items()
    }


def lines(folder):
    text = (folder / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def label_stage(model, data, name="labels", **words):
    settings = dict(
        train=data,
        loss=tiny_run.cross_entropy(),
        optimizer=lambda steps: keras.optimizers.Adam(0.05),
        epochs=3,
        batch_size=8,
        # Quicker than tracing a function for so few batches.
        compile_options={"run_eagerly": True},
    )
    return stages.Stage(name, model, **{**settings, **words})


def run_labels(folder, model=None, data=None, dropout=0.3, **words):
    """Runs a single stage on labels; returns its result and the model."""
    keras.utils.set_random_seed(3)
    model = model or tiny_run.make_model(4, dropout)
    stage = label_stage(model, data or tiny_run.make_data(), **words)
    result = stages.run_stages([stage], folder, quiet=True)[stage.name]
    return result, model


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory):
    """The folder of a run that nothing stopped, its result and model."""
    folder = tmp_path_factory.mktemp("unharmed")
    return folder, *run_labels(folder, metrics=["accuracy"])


@pytest.fixture
def stop_and_go_on(tmp_path):
    """Runs the labels unharmed, and again with a Ctrl-C after some batches."""

    def run(after, **words):
        unharmed = run_labels(tmp_path / "unharmed", **words)
        with pytest.raises(stages.Interrupted) as stop:
            run_labels(
                tmp_path / "stopped",
                callbacks=[Stop(after, interrupt)],
                **words,
            )
        assert stop.value.exit_code == 130
        return unharmed, run_labels(tmp_path / "stopped", **words)

    return run


def test_a_stage_on_labels_is_what_fit_does(tmp_path):
    data = tiny_run.make_data()
    # On PyTorch dropout draws from where reading the data draws, too.
    result, model = run_labels(tmp_path, data=data, epochs=1, dropout=0.0)

    keras.utils.set_random_seed(3)
    plain = tiny_run.make_model(4, dropout=0.0)
    keras.utils.set_random_seed(0)
    plain.compile(
        keras.optimizers.Adam(0.05), tiny_run.cross_entropy(), run_eagerly=True
    )
    history = plain.fit(
        data.batches(8, shuffle=True), shuffle=False, verbose=0
    ).history
    assert_same(model.get_weights(), plain.get_weights())
    assert result.history == history
    assert result.best is None and result.seconds > 0


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, capsys):
    with pytest.raises(stages.Interrupted) as stop:
        run_labels(tmp_path, callbacks=[Stop(7, interrupt)])
    message = str(stop.value)
    assert message.startswith("Stopped in stage 'labels'. The stage is saved")
    assert "batch 2 of 5 in epoch 2 of 3" in message
    assert "The same command goes on from there" in message
    assert "pytest" in message
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["starts"][0]["status"] == "stopped"
    # The signals are as they were.
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_has_its_own_exit_code(tmp_path):
    def terminate():
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(stages.Interrupted) as stop:
        run_labels(tmp_path, callbacks=[Stop(2, terminate)])
    assert stop.value.exit_code == 143


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    def twice():
        interrupt()
        interrupt()

    with pytest.raises(KeyboardInterrupt) as stop:
        run_labels(tmp_path, callbacks=[Stop(2, twice)])
    assert not isinstance(stop.value, stages.Interrupted)


@pytest.mark.parametrize("after", [1, 5, 8, 15])
def test_a_run_that_goes_on_is_the_same_run(unharmed, tmp_path, after):
    folder, result, model = unharmed
    with pytest.raises(stages.Interrupted) as stop:
        run_labels(
            tmp_path,
            metrics=["accuracy"],
            callbacks=[Stop(after, interrupt)],
        )
    assert stop.value.exit_code == 130
    resumed_result, resumed = run_labels(tmp_path, metrics=["accuracy"])
    # Dropout, Adam and the order of the data among it.
    assert_same(
        [v.numpy() for v in resumed.variables],
        [v.numpy() for v in model.variables],
    )
    assert resumed_result.history == result.history
    assert lines(tmp_path) == lines(folder)


def test_three_stages_are_the_same_run(tmp_path):
    options = {"compile_options": {"run_eagerly": True}}
    results, values = tiny_run.run(tmp_path / "a", **options)
    with pytest.raises(stages.Interrupted):
        tiny_run.run(tmp_path / "b", callbacks=[Stop(18, interrupt)], **options)
    again, same_values = tiny_run.run(tmp_path / "b", **options)
    assert_same(same_values, values)
    assert without_seconds(again) == without_seconds(results)
    assert again["logits"].best["accuracy"] > 0.5


def test_what_is_done_is_taken(tmp_path, capsys):
    options = {"epochs": 1, "compile_options": {"run_eagerly": True}}
    results, values = tiny_run.run(tmp_path, **options)
    again, same_values = tiny_run.run(tmp_path, **options)
    assert_same(same_values, values)
    assert again == results
    log = (tmp_path / "log.txt").read_text()
    assert "Stage 'hidden' is done, its weights are reused" in log
    assert not capsys.readouterr().out


def test_averaged_weights_are_put_in_once(stop_and_go_on):
    def optimizer(steps):
        return keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)

    (_, model), (_, resumed) = stop_and_go_on(
        6, optimizer=optimizer, dropout=0.0
    )
    assert_same(resumed.get_weights(), model.get_weights())

    keras.utils.set_random_seed(3)
    plain = tiny_run.make_model(4, dropout=0.0)
    plain.compile(optimizer(0), tiny_run.cross_entropy(), run_eagerly=True)
    data = tiny_run.make_data()
    batches = (
        batches[index]
        for epoch in range(3)
        for batches in [data.batches(8, shuffle=True, initial_epoch=epoch)]
        for index in range(5)
    )
    plain.fit(batches, steps_per_epoch=15, verbose=0)
    assert_same(model.get_weights(), plain.get_weights())


def test_steps_in_place_of_epochs(stop_and_go_on, tmp_path):
    (result, model), (_, resumed) = stop_and_go_on(6, epochs=None, steps=8)
    assert_same(resumed.get_weights(), model.get_weights())
    assert len(result.history["loss"]) == 2
    assert int(resumed.optimizer.iterations) == 8


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has it elsewhere only"
)
def test_several_batches_in_a_step(stop_and_go_on):
    (_, model), (_, resumed) = stop_and_go_on(
        2, compile_options={"steps_per_execution": 2}
    )
    assert_same(resumed.get_weights(), model.get_weights())


class Counts(keras.callbacks.Callback):
    """Counts batches, and notes which numbers they had."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.begun = 0
        self.batches = []

    def get_state(self):
        return {"count": self.count}

    def set_state(self, state):
        self.count = state["count"]

    def on_train_begin(self, logs=None):
        self.begun += 1

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        self.batches.append(batch)


def test_callbacks_see_one_training(tmp_path):
    first, second = Counts(), Counts()
    with pytest.raises(stages.Interrupted):
        run_labels(tmp_path, callbacks=[first, Stop(7, interrupt)])
    assert first.batches == [0, 1, 2, 3, 4, 0, 1]
    run_labels(tmp_path, callbacks=[second])
    assert second.begun == 1
    assert second.batches == [2, 3, 4, 0, 1, 2, 3, 4]
    assert second.count == 15


def test_other_callbacks_with_a_state_are_refused(tmp_path):
    with pytest.raises(stages.Interrupted):
        run_labels(tmp_path, callbacks=[Counts(), Stop(7, interrupt)])
    with pytest.raises(ValueError, match="were Counts, Recorder; now"):
        run_labels(tmp_path)


def test_the_best_epoch_is_kept_over_a_stop(tmp_path):
    def run(folder, scores, **words):
        scores = iter(scores)
        keep = callbacks.KeepBest(lambda: {"f1": next(scores)}, "f1")
        return run_labels(tmp_path / folder, keep=keep, **words)

    result, model = run("unharmed", [0.1, 0.9, 0.5, 0.7])
    with pytest.raises(stages.Interrupted):
        run("stopped", [0.1, 0.9], callbacks=[Stop(6, interrupt)])
    # What was measured before the stop is not measured again.
    resumed_result, resumed = run("stopped", [0.5, 0.7])
    assert result.best == resumed_result.best == {"f1": 0.9, "epoch": 1}
    assert result.start == resumed_result.start == {"f1": 0.1, "epoch": 0}
    assert_same(resumed.get_weights(), model.get_weights())
    # Nor is the start written down again.
    assert lines(tmp_path / "stopped") == lines(tmp_path / "unharmed")


@pytest.mark.parametrize("stop_after", [None, 2, 6])
def test_a_stage_that_makes_nothing_better_leaves_its_start(
    tmp_path, capsys, stop_after
):
    scores = [0.9, 0.5, 0.7, 0.6]
    model = tiny_run.make_model(4)
    before = model.get_weights()

    def run(*given, **words):
        left = iter(given)
        keep = callbacks.KeepBest(lambda: {"f1": next(left)}, "f1")
        model.set_weights(before)
        stage = label_stage(model, tiny_run.make_data(), keep=keep, **words)
        return stages.run_stages([stage], tmp_path)["labels"]

    if stop_after is None:
        result = run(*scores)
    else:
        done = 1 + stop_after // 5
        with pytest.raises(stages.Interrupted):
            run(*scores[:done], callbacks=[Stop(stop_after, interrupt)])
        result = run(*scores[done:])
    assert_same(model.get_weights(), before)
    assert result.best == result.start == {"f1": 0.9, "epoch": 0}
    assert result.keeps_start
    assert result.history["val_f1"] == scores[1:]
    first, *epochs = lines(tmp_path)
    assert first == {"stage": "labels", "epoch": 0, "step": 0, "val_f1": 0.9}
    assert [line["epoch"] for line in epochs] == [1, 2, 3]
    shown = capsys.readouterr().out
    assert "Stage 'labels' starts from f1 0.9" in shown
    assert "keeps what it started from, which no epoch was as good as" in shown
    assert stages.shipped_weights(
        {"one": StageResult({}, 1.0), "labels": result}
    ) == (
        "The student has the last weights of stage 'one'. Stage 'labels' made "
        "them no better."
    )
    # And so it is when it is taken from the folder.
    assert run() == result
    assert_same(model.get_weights(), before)


def test_what_an_earlier_version_left_has_no_start(tmp_path):
    result, _ = run_labels(tmp_path, epochs=1)
    path = tmp_path / "stages" / "labels" / "result.json"
    content = json.loads(path.read_text())
    del content["start"]
    path.write_text(json.dumps(content))
    assert run_labels(tmp_path, epochs=1)[0] == result


def test_a_callback_may_end_a_stage_early(tmp_path):
    class Enough(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    result, model = run_labels(tmp_path, callbacks=[Enough()])
    assert len(result.history["loss"]) == 1
    assert int(model.optimizer.iterations) == 5


def test_only_some_layers_are_trained(tmp_path):
    model = tiny_run.make_model(4)
    before = model.get_weights()
    run_labels(
        tmp_path,
        model,
        trainable=lambda student: [student.get_layer("head")],
    )
    kernel, bias, head_kernel, head_bias = model.get_weights()
    assert_same([kernel, bias], before[:2])
    assert not np.array_equal(head_kernel, before[2])
    # Only in that stage.
    assert len(model.trainable_variables) == 4


def test_metrics_are_lines_of_json(tmp_path):
    data = tiny_run.make_data(8 * 250)
    # So many that a graph is worth it.
    run_labels(tmp_path, data=data, epochs=1, compile_options={})
    first, second, last = lines(tmp_path)
    assert first["stage"] == "labels" and first["epoch"] == 1
    assert (first["batch"], first["step"]) == (100, 100)
    assert second["batch"] == 200
    assert "batch" not in last and last["step"] == 250
    assert last["learning_rate"] == pytest.approx(0.05)
    assert last["loss"] < first["loss"]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="needs TensorFlow"
)
def test_tensorboard_reads_the_same_numbers(tmp_path):
    import tensorflow as tf

    result, _ = run_labels(tmp_path, epochs=2)
    (path,) = (tmp_path / "tensorboard" / "labels").iterdir()
    read = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            read.setdefault(value.tag, []).append(
                (event.step, value.simple_value)
            )
    steps, losses = zip(*read["epoch/loss"], strict=True)
    assert steps == (5, 10)
    np.testing.assert_allclose(losses, result.history["loss"], rtol=1e-6)
    assert "epoch/learning_rate" in read


@pytest.mark.parametrize("after", [2, 6])
def test_a_full_disk_leaves_the_last_checkpoint(
    unharmed, tmp_path, monkeypatch, after
):
    def fill():
        def full(descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left on device") as error:
        run_labels(
            tmp_path, metrics=["accuracy"], callbacks=[Stop(after, fill)]
        )
    monkeypatch.undo()
    place = f"saved up to epoch {after // 5} of 3"
    assert place in str(error.value)
    assert "The same command goes on from there" in str(error.value)
    _, resumed = run_labels(tmp_path, metrics=["accuracy"])
    assert_same(resumed.get_weights(), unharmed[2].get_weights())


def test_checkpoints_are_written_when_it_is_time(tmp_path, monkeypatch):
    written = []

    def write(self, state):
        written.append((state["epoch"], state["batch"]))

    monkeypatch.setattr(Checkpoints, "write", write)
    for every, expected in (
        (60.0, [(0, 0), (1, 0), (2, 0)]),
        (0.0, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]),
    ):
        written.clear()
        stage = label_stage(
            tiny_run.make_model(4), tiny_run.make_data(24), epochs=2
        )
        stages.run_stages(
            [stage],
            tmp_path / str(every),
            checkpoint_every=every,
            quiet=True,
        )
        assert written == expected


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"epochs": 4}, "steps: 15 there, 20 now"),
        ({"batch_size": 4}, "batch_size: 8 there, 4 now"),
        (
            {"optimizer": lambda steps: keras.optimizers.Adam(0.1)},
            "optimizer.config.learning_rate",
        ),
        (
            {"loss": keras.losses.CategoricalHinge()},
            "loss.class_name: 'SparseCategoricalCrossentropy' there",
        ),
        (
            {"trainable": lambda student: [student.get_layer("head")]},
            "frozen_weights: 0 there, 2 now",
        ),
    ],
)
def test_a_stage_that_changed_is_refused(tmp_path, change, difference):
    with pytest.raises(stages.Interrupted):
        run_labels(tmp_path, callbacks=[Stop(1, interrupt)])
    with pytest.raises(ValueError, match="has changed since") as error:
        run_labels(tmp_path, **change)
    assert difference in str(error.value)


def test_a_finished_stage_that_changed_is_refused(tmp_path):
    run_labels(tmp_path, epochs=1)
    with pytest.raises(ValueError, match="steps: 5 there, 10 now"):
        run_labels(tmp_path, epochs=2)


def test_another_model_is_refused(tmp_path):
    with pytest.raises(stages.Interrupted):
        run_labels(tmp_path, callbacks=[Stop(2, interrupt)])
    with pytest.raises(ValueError, match="'hidden/kernel' is float32"):
        run_labels(tmp_path, model=tiny_run.make_model(5))


def test_a_damaged_result_is_refused(tmp_path):
    run_labels(tmp_path, epochs=1)
    weights = tmp_path / "stages" / "labels" / "student.safetensors"
    data = weights.read_bytes()
    for damaged in (data[:-1], b""):
        weights.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged.*Remove the folder"):
            run_labels(tmp_path, epochs=1)
    weights.unlink()
    with pytest.raises(ValueError, match="missing. Remove the folder"):
        run_labels(tmp_path, epochs=1)
    weights.write_bytes(data)
    run_labels(tmp_path, epochs=1)


def test_names_are_checked(tmp_path):
    model, data = tiny_run.make_model(4), tiny_run.make_data()
    with pytest.raises(ValueError, match="Received twice: labels"):
        stages.run_stages([label_stage(model, data)] * 2, tmp_path / "run")
    upper = label_stage(model, data)
    upper.name = "Labels"
    with pytest.raises(ValueError, match="Received twice: Labels, labels"):
        stages.run_stages([label_stage(model, data), upper], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_may_be_given(tmp_path):
    model, data = tiny_run.make_model(4), tiny_run.make_data()
    with stages.RunFolder(tmp_path, {"seed": 1}, quiet=True) as folder:
        for name in ("one", "two"):
            stage = label_stage(model, data, name, epochs=1)
            stages.run_stages([stage], folder)
        with pytest.raises(ValueError, match="has its own already"):
            stages.run_stages([], folder, config={})
    assert (tmp_path / "stages" / "two" / "result.json").is_file()
