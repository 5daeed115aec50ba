"""Weights and temperatures that change while a student trains."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses

STEPS = 6


class Linear(keras.optimizers.schedules.LearningRateSchedule):
    """From one number to another in `STEPS` steps."""

    def __init__(self, first, last):
        self.first, self.last = first, last

    def __call__(self, step):
        share = keras.ops.cast(step, "float32") / STEPS
        return self.first + (self.last - self.first) * share

    def get_config(self):
        return {"first": self.first, "last": self.last}


keras.saving.register_keras_serializable("tests")(Linear)


class At(keras.callbacks.Callback):
    """Changes a distiller before some batches."""

    def __init__(self, changes):
        super().__init__()
        self.changes, self.batches = changes, 0

    def on_train_batch_begin(self, batch, logs=None):
        change = self.changes.get(self.batches)
        if change is not None:
            change(self.model)
        self.batches += 1


@pytest.fixture(scope="module")
def make(make_distiller, make_dense):
    """Builds equal distillers of one teacher, with frozen learning."""
    keras.utils.set_random_seed(7)
    teacher, start = make_dense(16), make_dense(8).get_weights()

    def build(rate=0.1, compiled=None, **words):
        student = make_dense(8)
        student.set_weights(start)
        return make_distiller(
            teacher,
            student,
            words.pop(
                "distillation_losses",
                [losses.LogitsDistillation(words.pop("temperature", 2.0))],
            ),
            compiled={
                "optimizer": keras.optimizers.SGD(rate),
                "run_eagerly": False,
                "jit_compile": False,
                **(compiled or {}),
            },
            **words,
        )

    return build


def weights(distiller):
    return distiller.student.get_weights()


def set_share(value):
    return lambda model: setattr(model, "student_loss_weight", value)


def set_weight(value):
    def change(model):
        model.distillation_loss_weights[0] = value

    return change


def set_weights(value):
    return lambda model: setattr(model, "distillation_loss_weights", [value])


def set_temperature(value):
    def change(model):
        model.distillation_losses[0].temperature = value

    return change


EAGER = {"run_eagerly": True}
FIT = {"batch_size": 6, "verbose": 0, "shuffle": False}


@pytest.fixture(scope="module")
def compiled(make):
    """A distiller whose step is compiled once, before the first change."""
    return make()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_share(0.9), {"student_loss_weight": 0.9}),
        (set_share(0.0), {"student_loss_weight": 0.0}),
        (set_share(1.0), {"student_loss_weight": 1.0}),
        (set_weight(3.0), {"distillation_loss_weights": [3.0]}),
        (set_weights(0.0), {"distillation_loss_weights": [0.0]}),
        (set_temperature(5.0), {"temperature": 5.0}),
    ],
)
def test_what_a_callback_changes_counts_in_a_compiled_step(
    make, compiled, batch, change, words
):
    expected = make(compiled=EAGER)
    for back in (set_share(0.5), set_weight(1.0), set_temperature(2.0)):
        back(compiled)
    compiled.student.set_weights(weights(expected))
    # Twice as it was built, then twice as changed.
    compiled.fit(*batch, epochs=4, callbacks=[At({2: change})], **FIT)
    expected.fit(*batch, epochs=2, **FIT)
    other = make(compiled=EAGER, **words)
    other.student.set_weights(weights(expected))
    other.fit(*batch, epochs=2, **FIT)
    for one, two in zip(weights(compiled), weights(other), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)
    expected.fit(*batch, epochs=2, **FIT)
    gap = np.abs(weights(expected)[0] - weights(compiled)[0]).max()
    assert gap > 1e-4
    found = compiled.evaluate(*batch, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(
        other.evaluate(*batch, verbose=0, return_dict=True)["loss"], rel=1e-5
    )


def test_from_nothing_a_part_begins_to_count_or_is_refused(make, batch):
    x, y = batch
    without_loss = make(student_loss_weight=0, compiled={"loss": None})
    with pytest.raises(ValueError, match="`loss` must be given"):
        without_loss.fit(
            x, epochs=2, callbacks=[At({1: set_share(0.5)})], **FIT
        )
    without_teacher = make(student_loss_weight=1.0)
    without_teacher.fit(
        x, y, epochs=2, callbacks=[At({1: set_share(0.0)})], **FIT
    )
    expected = make(student_loss_weight=1.0, compiled=EAGER)
    expected.fit(x, y, **FIT)
    other = make(student_loss_weight=0.0, compiled=EAGER)
    other.student.set_weights(weights(expected))
    other.fit(x, y, **FIT)
    for one, two in zip(weights(without_teacher), weights(other), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_share(1.5), "`student_loss_weight` must be a number from 0 to 1"),
        (set_weight("much"), "`distillation_loss_weights` must be a number"),
        (
            lambda model: setattr(model, "distillation_loss_weights", [1.0, 2]),
            "one weight for each",
        ),
        (set_temperature(0.0), "`temperature` must be a number above 0"),
    ],
)
def test_a_number_that_cannot_be_is_refused_when_it_changes(
    make, batch, change, message
):
    distiller = make(compiled=EAGER)
    with pytest.raises(ValueError, match=message):
        distiller.fit(*batch, callbacks=[At({0: change})], verbose=0)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (
            {
                "student_loss_weight": Linear(1.0, 0.0),
                "distillation_loss_weights": [Linear(0.0, 3.0)],
                "temperature": Linear(1.0, 4.0),
            },
            lambda t: {"a": 1 - t, "w": 3 * t, "T": 1 + 3 * t},
        ),
        ({"student_loss_weight": lambda step: 0.25}, lambda t: {"a": 0.25}),
    ],
)
@pytest.mark.parametrize(
    "steps_per_execution",
    [
        1,
        pytest.param(
            2,
            marks=pytest.mark.skipif(
                keras.backend.backend() == "torch",
                reason="PyTorch takes one step at a time",
            ),
        ),
    ],
)
def test_a_schedule_follows_the_steps(
    make, batch, words, value, steps_per_execution
):
    x, y = batch
    distiller = make(
        rate=0.0,
        compiled={"steps_per_execution": steps_per_execution},
        **words,
    )
    teacher, student = (
        keras.ops.convert_to_numpy(model(x)).astype("float64")
        for model in (distiller.teacher, distiller.student)
    )

    def loss_at(step):
        numbers = {"a": 0.5, "w": 1.0, "T": 2.0, **value(step / STEPS)}
        p, q = (
            _softmax(logits / numbers["T"]) for logits in (teacher, student)
        )
        kl = numbers["T"] ** 2 * np.mean(np.sum(p * np.log(p / q), -1))
        labels = -np.mean(np.log(_softmax(student)[np.arange(6), y]))
        return numbers["a"] * labels + (1 - numbers["a"]) * numbers["w"] * kl

    history = distiller.fit(
        x, y, batch_size=3, epochs=2, verbose=0, validation_data=(x, y)
    ).history
    np.testing.assert_allclose(
        history["val_loss"], [loss_at(2), loss_at(4)], rtol=1e-5
    )
    assert distiller.evaluate(x, y, verbose=0) == pytest.approx(
        _first(distiller, history), rel=1e-5
    )
    whole = make(rate=0.0, compiled=EAGER, **words)
    found = [
        whole.train_on_batch(x, y, return_dict=True)["loss"] for _ in range(3)
    ]
    expected = [loss_at(step) for step in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def _first(distiller, history):
    return [
        history[f"val_{name}"][-1]
        for name in ("loss", "student_loss", "logits_loss")
    ]


def _softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_a_schedule_is_in_the_logs_and_the_plan(make, batch):
    distiller = make(
        compiled=EAGER,
        student_loss_weight=Linear(1.0, 0.0),
        distillation_loss_weights=[Linear(0.0, 6.0)],
        temperature=Linear(1.0, 7.0),
    )
    history = distiller.fit(*batch, batch_size=2, epochs=2, verbose=0).history
    assert history["student_loss_weight"] == pytest.approx([0.5, 0.0])
    assert history["logits_loss_weight"] == pytest.approx([3.0, 6.0])
    assert history["logits_temperature"] == pytest.approx([4.0, 7.0])
    (line,) = distiller.plan()
    assert line.endswith("temperature Linear | weight Linear")


def test_accumulated_gradients_have_the_numbers_of_their_update(make, batch):
    x, y = batch
    words = {"student_loss_weight": Linear(1.0, 0.0)}
    whole = make(compiled=EAGER, **words)
    halves = make(
        compiled={
            "optimizer": keras.optimizers.SGD(
                0.1, gradient_accumulation_steps=2
            )
        },
        **words,
    )
    fit = {"epochs": 3, "verbose": 0, "shuffle": False}
    whole.fit(x, y, batch_size=6, **fit)
    halves.fit(x, y, batch_size=3, **fit)
    for one, two in zip(weights(halves), weights(whole), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_schedules_are_saved_and_go_on(make, batch, tmp_path):
    distiller = make(
        student_loss_weight=Linear(1.0, 0.0),
        distillation_loss_weights=[Linear(0.0, 3.0)],
        temperature=Linear(1.0, 4.0),
    )
    fit = {"batch_size": 3, "verbose": 0, "shuffle": False}
    distiller.fit(*batch, **fit)
    distiller.save(tmp_path / "half.keras")
    loaded = keras.saving.load_model(tmp_path / "half.keras")
    assert loaded.student_loss_weight.get_config() == {"first": 1, "last": 0}
    for model in (distiller, loaded):
        model.fit(*batch, **fit)
    assert loaded.scheduled_numbers() == pytest.approx(
        {
            "student_loss_weight": 1 / 3,
            "logits_loss_weight": 2.0,
            "logits_temperature": 3.0,
        }
    )
    for one, two in zip(weights(loaded), weights(distiller), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_the_numbers_are_no_weights_of_the_distiller(make, tmp_path):
    # Of a file written before there were any, too.
    plain = make()
    paths = [variable.path for variable in plain.variables]
    assert not [path for path in paths if "training_numbers" in path]
    assert len(plain.get_weights()) == len(plain.student.get_weights())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"student_loss_weight": Linear(2.0, 0.0)}, "begins with 2"),
        ({"student_loss_weight": lambda: 0.5}, "a function of the optimizer"),
        ({"distillation_loss_weights": ["0.5"]}, "must be a number"),
        ({"temperature": Linear(0.0, 1.0)}, "above 0 at every step"),
    ],
)
def test_schedules_that_cannot_be_are_refused(make, words, message):
    with pytest.raises(ValueError, match=message):
        make(**words)


def test_an_attribute_of_a_users_own_loss_counts_when_it_changes(make, batch):
    class Gap(losses.DistillationLoss):
        def __init__(self):
            super().__init__("gap")
            self.factor = 1.0

        def match(self, teacher, student):
            return (losses.Match("logits", "logits", "gap"),)

        def per_example(self, teacher, student, mask=None):
            gap = keras.ops.mean((teacher - student) ** 2, axis=-1)
            return self.factor * gap

    distiller = make(rate=0.0, distillation_losses=[Gap()])

    def change(model):
        model.distillation_losses[0].factor = 3.0

    history = distiller.fit(
        *batch, epochs=2, batch_size=6, verbose=0, callbacks=[At({1: change})]
    ).history
    assert history["gap_loss"][1] == pytest.approx(
        3 * history["gap_loss"][0], rel=1e-5
    )


def test_a_loss_that_would_match_otherwise_is_refused(make, batch):
    class Chosen(losses.LogitsDistillation):
        feature = "logits"

        def match(self, teacher, student):
            return (losses.Match(self.feature, "logits", "chosen"),)

    distiller = make(distillation_losses=[Chosen()])

    def change(model):
        model.distillation_losses[0].feature = "layer.hidden"

    with pytest.raises(ValueError, match="'logits' was changed so that it"):
        distiller.fit(*batch, callbacks=[At({0: change})], verbose=0)


def test_a_stage_knows_its_schedules():
    from keras_distill.stages.stage import _serialized

    one, other = (_serialized([0.5, Linear(0.0, last)]) for last in (1.0, 2.0))
    assert one[0] == 0.5
    assert one != other


def test_distillers_of_one_loss_do_not_interact(make, make_dense, batch):
    loss = losses.LogitsDistillation(Linear(1.0, 4.0))
    one = make(rate=0.0, distillation_losses=[loss])
    other = Distiller(make_dense(), make_dense(), loss)
    one.fit(*batch, verbose=0)
    assert other.distillation_losses[0].temperature is loss.temperature
