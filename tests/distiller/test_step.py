"""What runs in a step, how often, and what it leaves alone."""

import keras
import numpy as np
import pytest

from keras_distill import losses


class Captured(losses.DistillationLoss):
    """Remembers what it is handed in eager mode."""

    def __init__(self, feature):
        super().__init__(feature.replace(".", "_"))
        self.feature = feature
        self.seen = []

    def match(self, teacher, student):
        return (losses.Match(self.feature, self.feature, "captured"),)

    def per_example(self, teacher, student, mask=None):
        self.seen.append(keras.ops.convert_to_numpy(student))
        return losses.functional.mean_squared_error(teacher, student)


def test_student_and_teacher_run_once_in_a_step(
    make_distiller, make_dense, counter, batch
):
    x, y = batch
    of_teacher, of_student = counter(), counter()
    distiller = make_distiller(
        make_dense(16, extra=[of_teacher]), make_dense(8, extra=[of_student])
    )
    for step in (distiller.train_on_batch, distiller.test_on_batch):
        # Keras may call the model once before its first step.
        step(x, y)
        of_teacher.calls = of_student.calls = 0
        step(x, y)
        assert (of_teacher.calls, of_student.calls) == (1, 1)


def test_teacher_is_cut_off_above_the_last_feature(
    make_distiller, make_dense, counter, batch
):
    x, y = batch
    above = counter()
    distiller = make_distiller(
        make_dense(16, extra=[above]),
        distillation_losses=losses.FeatureDistillation("hidden", "hidden"),
    )
    above.calls = 0
    distiller.train_on_batch(x, y)
    distiller.test_on_batch(x, y)
    assert above.calls == 0


def test_teacher_does_not_run_when_only_labels_count(
    make_distiller, make_dense, counter, batch
):
    x, y = batch
    inside = counter()
    distiller = make_distiller(
        make_dense(16, extra=[inside]), student_loss_weight=1
    )
    inside.calls = 0
    distiller.train_on_batch(x, y)
    assert inside.calls == 0


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX's gradient shows no values"
)
def test_features_and_predictions_come_from_one_dropout_mask(
    make_distiller, make_dense, batch
):
    x, y = batch
    student = make_dense(8, extra=[keras.layers.Dropout(0.5, name="drop")])
    teacher = make_dense(8, extra=[keras.layers.Dropout(0.5, name="drop")])
    dropped, logits = Captured("layer.drop"), Captured("logits")
    distiller = make_distiller(teacher, student, [dropped, logits])
    kernel, bias = student.get_layer("head").get_weights()
    distiller.train_on_batch(x, y)
    # Keras may call the losses once before its first step.
    features, predictions = dropped.seen[-1], logits.seen[-1]
    assert np.mean(features == 0) > 0.2
    np.testing.assert_allclose(features @ kernel + bias, predictions, rtol=1e-5)


def test_teacher_never_runs_in_training_mode(make_distiller, make_dense, batch):
    x, y = batch
    normalization = keras.layers.BatchNormalization()
    teacher = make_dense(16, extra=[normalization, keras.layers.Dropout(0.9)])
    distiller = make_distiller(
        teacher,
        distillation_losses=losses.LogitsDistillation(),
        compiled={"optimizer": keras.optimizers.SGD(0.0)},
    )
    moving = normalization.moving_mean.numpy()
    first, second = (
        distiller.train_on_batch(x, y, return_dict=True)["logits_loss"]
        for _ in range(2)
    )
    assert first == second
    np.testing.assert_array_equal(normalization.moving_mean.numpy(), moving)


@pytest.mark.tensorflow("It looks at TensorFlow's tape.")
def test_teacher_is_not_in_the_tape(make_distiller, batch, monkeypatch):
    import tensorflow as tf

    tapes = []

    class Tape(tf.GradientTape):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            tapes.append(self)

    x, y = batch
    distiller = make_distiller()
    distiller.teacher.trainable = True
    monkeypatch.setattr(tf, "GradientTape", Tape)
    distiller.train_on_batch(x, y)
    (tape,) = tapes
    watched = {id(variable) for variable in tape.watched_variables()}
    trained = {id(v.value) for v in distiller.trainable_variables}
    taught = {id(v.value) for v in distiller.teacher.variables}
    assert watched == trained
    assert not watched & taught


@pytest.mark.parametrize("trainable", [True, False])
def test_fit_leaves_the_teacher_as_it_was(
    make_distiller, make_dense, batch, values, assert_same, trainable
):
    x, y = batch
    teacher = make_dense(16, extra=[keras.layers.BatchNormalization()])
    teacher.trainable = trainable
    teacher.get_layer("head").trainable = False
    before = values(teacher)
    flags = [layer.trainable for layer in teacher._flatten_layers()]
    distiller = make_distiller(
        teacher, compiled={"optimizer": keras.optimizers.AdamW(0.1)}
    )
    distiller.fit(x, y, epochs=2, verbose=0)
    assert_same(values(teacher), before)
    assert [layer.trainable for layer in teacher._flatten_layers()] == flags
    assert teacher.trainable is trainable


def test_student_and_projections_train(make_distiller, batch, values):
    x, y = batch
    distiller = make_distiller()
    before = values(distiller)
    distiller.fit(x, y, verbose=0)
    for weight, old in zip(distiller.weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path


def test_evaluate_is_deterministic_and_changes_nothing(
    make_distiller, make_dense, batch, values, assert_same
):
    x, y = batch
    student = make_dense(
        8,
        extra=[keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)],
    )
    distiller = make_distiller(student=student)
    before = values(distiller)
    first, second = (
        distiller.evaluate(x, y, verbose=0, return_dict=True) for _ in range(2)
    )
    assert first == second
    assert_same(values(distiller), before)


def test_dropout_is_on_while_the_student_trains(
    make_distiller, make_dense, batch
):
    x, y = batch
    student = make_dense(8, extra=[keras.layers.Dropout(0.5)])
    distiller = make_distiller(
        student=student, compiled={"optimizer": keras.optimizers.SGD(0.0)}
    )
    first, second = (
        distiller.train_on_batch(x, y, return_dict=True)["logits_loss"]
        for _ in range(2)
    )
    assert first != second


def test_call_and_predict_are_the_students(make_distiller, batch):
    x, _ = batch
    distiller = make_distiller()
    expected = distiller.student.predict(x, verbose=0)
    called, student = (
        keras.ops.convert_to_numpy(model(x))
        for model in (distiller, distiller.student)
    )
    np.testing.assert_array_equal(called, student)
    np.testing.assert_allclose(
        distiller.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6
    )


def test_subclassed_models_are_distilled_by_their_logits(
    make_distiller, make_dense, batch
):
    class Opaque(keras.Model):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, inputs, training=None):
            return self.inner(inputs, training=training)

    x, y = batch
    teacher, student = make_dense(16), make_dense(8)
    opaque_teacher, opaque_student = Opaque(teacher), Opaque(student)
    opaque_teacher(x)
    opaque_student(x)
    loss = losses.LogitsDistillation()
    seen = make_distiller(teacher, student, loss)
    expected = seen.test_on_batch(x, y, return_dict=True)
    opaque = make_distiller(opaque_teacher, opaque_student, loss)
    assert opaque.test_on_batch(x, y, return_dict=True) == pytest.approx(
        expected, rel=1e-6
    )


def test_a_student_without_anything_to_train_is_told(
    make_distiller, make_dense, batch
):
    x, y = batch
    student = make_dense()
    student.trainable = False
    distiller = make_distiller(
        student=student, distillation_losses=losses.LogitsDistillation()
    )
    with pytest.raises(ValueError, match="reach no trainable weight"):
        distiller.train_on_batch(x, y)


def test_two_distillers_do_not_interact(make_distiller, make_dense, batch):
    x, y = batch
    teacher = make_dense(16)
    one, other = (make_distiller(teacher, make_dense(8)) for _ in range(2))
    before = other.evaluate(x, y, verbose=0, return_dict=True)
    one.fit(x, y, verbose=0)
    assert other.evaluate(x, y, verbose=0, return_dict=True) == before


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_a_bad_batch_costs_no_weights(make_distiller, batch, method):
    x, y = batch
    distiller = make_distiller(compiled={"run_eagerly": False})
    before = [
        keras.ops.convert_to_numpy(v) for v in distiller.student.variables
    ]
    of_teacher = [
        keras.ops.convert_to_numpy(v) for v in distiller.teacher.variables
    ]
    bad = [x[:, :3]] if method == "predict" else [x[:, :3], y]
    with pytest.raises(Exception, match="shape|axis|size|dimension"):
        getattr(distiller, method)(*bad, verbose=0)
    for variable, value in zip(
        [*distiller.student.variables, *distiller.teacher.variables],
        [*before, *of_teacher],
        strict=True,
    ):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(variable), value
        )
    distiller.fit(x, y, verbose=0)


def test_some_matches_alone_are_trained(make_distiller, batch):
    x, y = batch
    distiller = make_distiller(student_loss_weight=0)
    distiller.choose_matches(
        lambda match: match.student == "layer.hidden", with_outputs=False
    )
    head = distiller.student.get_layer("head").get_weights()
    logs = distiller.train_on_batch(x, y, return_dict=True)
    assert set(logs) == {"loss", "hidden_loss"}
    for before, after in zip(
        head, distiller.student.get_layer("head").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(before, after)
    # What is evaluated is all.
    assert "logits_loss" in distiller.test_on_batch(x, y, return_dict=True)
    distiller.choose_matches()
    assert "logits_loss" in distiller.train_on_batch(x, y, return_dict=True)


def test_something_must_be_left_to_learn(make_distiller):
    distiller = make_distiller(student_loss_weight=0)
    with pytest.raises(ValueError, match="Nothing is left to learn"):
        distiller.choose_matches(lambda match: False)
    labelled = make_distiller(student_loss_weight=0.5)
    labelled.choose_matches(lambda match: False)
    with pytest.raises(ValueError, match="Nothing is left to learn"):
        labelled.choose_matches(lambda match: False, with_outputs=False)


def test_a_student_that_only_projections_train_for_is_refused(
    make_distiller, batch
):
    distiller = make_distiller(
        distillation_losses=losses.FeatureDistillation("hidden", "hidden"),
        student_loss_weight=0,
    )
    assert distiller.projections
    before = distiller.get_weights()
    # After construction and compilation, as one does by mistake.
    distiller.student.get_layer("hidden").trainable = False
    with pytest.raises(ValueError, match="2 trainable weights, none of them"):
        distiller.fit(*batch, verbose=0)
    distiller.student.trainable = False
    with pytest.raises(ValueError, match="a student with no trainable weight"):
        distiller.fit(*batch, verbose=0)
    for one, other in zip(distiller.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    # It is evaluated all the same.
    assert np.isfinite(distiller.evaluate(*batch, verbose=0)[0])
