"""Tasks take turns: whose batch it is, what changes, what is measured."""

import keras
import numpy as np
import pytest

from keras_distill.data import MultiTaskExamples

ROWS = {"nli": 8, "score": 4, "tags": 4}
BATCHES = {"nli": 2, "score": 1, "tags": 1}


class Watch(keras.callbacks.Callback):
    """Notes what each batch changed, and its logs."""

    def __init__(self, arrays):
        super().__init__()
        self.arrays = arrays
        self.steps = []
        self.epochs = []

    def state(self):
        model = self.model
        return self.arrays([*model.variables, *model.optimizer.variables])

    def on_train_batch_begin(self, batch, logs=None):
        self.before = self.state()

    def on_train_batch_end(self, batch, logs=None):
        after = self.state()
        changed = [
            not np.array_equal(one, other)
            for one, other in zip(self.before, after, strict=True)
        ]
        self.steps.append((changed, dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))


@pytest.fixture(scope="module")
def trained(make_distiller, rows, arrays):
    """A training of two epochs, and what was seen of it."""
    keras.utils.set_random_seed(7)
    distiller = make_distiller(metrics={"nli": ["accuracy"], "score": ["mae"]})
    traced = []
    for task, each in distiller.distillers.items():
        each.train_step = _noted(each.train_step, task, traced)
    watch = Watch(arrays)
    examples = MultiTaskExamples(rows)
    order = [
        task
        for epoch in range(2)
        for task, _ in examples.batches(4, True, 3, epoch).turns()
    ]
    history = distiller.fit(
        examples.batches(4, shuffle=True, seed=3),
        epochs=2,
        verbose=0,
        callbacks=[watch],
        validation_data={"score": rows["score"]},
    ).history
    return distiller, watch, order, history, traced


def _noted(step, task, traced):
    def run(*arguments):
        shapes = [tuple(x.shape) for x in keras.tree.flatten(arguments[-1])]
        traced.append((task, *shapes))
        return step(*arguments)

    return run


def test_a_step_changes_the_encoder_and_one_head_alone(trained):
    distiller, watch, order, *_ = trained
    assert len(watch.steps) == len(order) == 8
    optimizer = distiller.optimizer
    slots = (optimizer._momentums, optimizer._velocities)
    places = {id(v): i for i, v in enumerate(distiller.trainable_variables)}
    owner = {}
    for task, model in distiller.student.task_models.items():
        for variable in model.output_dense.trainable_variables:
            place = places[id(variable)]
            for held in (variable, *(slot[place] for slot in slots)):
                owner[id(held)] = task
    for layer in distiller.projections["nli"].values():
        owner |= {id(v): "nli" for v in layer.trainable_variables}
    owners = [
        owner.get(id(v)) for v in (*distiller.variables, *optimizer.variables)
    ]
    # The weights, and two slots of the optimizer for each.
    assert {t: owners.count(t) for t in BATCHES} == {
        "nli": 8,
        "score": 6,
        "tags": 6,
    }
    for task, (changed, _) in zip(order, watch.steps, strict=True):
        moved = {o for o, is_new in zip(owners, changed, strict=True) if is_new}
        assert moved == {None, task}
        of_task = [
            is_new
            for o, is_new in zip(owners, changed, strict=True)
            if o == task
        ]
        assert all(of_task)


def test_each_task_is_logged_by_its_name(trained):
    _, watch, order, history, _ = trained
    seen = set()
    for task, (_, logs) in zip(order[:4], watch.steps[:4], strict=True):
        seen.add(task)
        assert {name.split("/")[0] for name in logs} == seen
    wanted = {
        "loss",
        *(f"nli/{n}" for n in ("loss", "student_loss", "accuracy")),
        *(f"nli/{n}" for n in ("logits_loss", "hidden_states_loss")),
        *(f"score/{n}" for n in ("loss", "student_loss", "mae")),
        *(f"tags/{n}" for n in ("loss", "student_loss")),
    }
    measured = {"loss", *(name for name in wanted if "score" in name)}
    assert set(history) == wanted | {f"val_{name}" for name in measured}
    for name, values in history.items():
        assert np.all(np.isfinite(values)), name
        assert len(values) == 2


def test_the_loss_is_the_mean_over_all_examples(trained):
    history = trained[3]
    parts = [
        count * np.array(history[f"{task}/loss"])
        for task, count in ROWS.items()
    ]
    np.testing.assert_allclose(history["loss"], sum(parts) / 16, rtol=1e-5)
    assert history["val_loss"] == pytest.approx(history["val_score/loss"])


def test_evaluate_is_what_fit_measured(trained, rows):
    distiller, *_, history, _ = trained
    measured = distiller.evaluate({"score": rows["score"]}, verbose=0)
    assert {f"val_{k}": pytest.approx(v) for k, v in measured.items()} == {
        k: values[-1] for k, values in history.items() if "val_" in k
    }


def test_the_optimizer_counts_the_steps_of_all(trained):
    distiller, _, order, *_ = trained
    assert int(distiller.optimizer.iterations) == len(order)
    for each in distiller.distillers.values():
        assert each.optimizer is distiller.optimizer


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="which traces nothing"
)
def test_switching_tasks_traces_nothing_anew(trained):
    traced = trained[-1]
    assert {task for task, *_ in traced} == set(BATCHES)
    assert len(traced) == len(set(traced))
    if keras.backend.backend() == "tensorflow":
        # For any length.
        assert len(traced) == 3
