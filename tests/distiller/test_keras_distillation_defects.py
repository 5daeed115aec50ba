"""What goes wrong in `keras.distillation` 3.15.1, and the test that it does
not here.

Numbers without a file are tests of this module.

 1 test_01_default_is_a_divergence_of_soft_targets
 2 test_02_cross_entropy_is_least_at_the_teacher
 3 test_03_one_number_needs_a_squared_error
 4 test_total_loss.py test_regularization_and_added_losses_count_once
 5 test_weights_and_masks.py test_rows_of_weight_zero_do_not_count
 6 test_weights_and_masks.py test_keras_masks_leave_padding_out
 7 test_step.py test_evaluate_is_deterministic_and_changes_nothing
 8 test_step.py test_student_and_teacher_run_once_in_a_step
 9 test_total_loss.py test_a_single_loss_takes_its_weight
10 test_10_one_layer_name_is_not_enough
11 test_11_widths_never_broadcast
12 test_multi_output.py test_losses_weights_and_metrics_go_by_output
13 test_logs.py test_an_epoch_is_a_mean_over_examples
14 test_execution.py test_mixed_precision_gives_the_losses_of_float32
15 test_multi_output.py test_every_common_output_is_distilled_and_summed
16 test_logs.py test_unlabelled_batches_are_distilled
17 test_17_inputs_and_precision_may_differ
18 test_total_loss.py test_total_of_bert_equals_the_sum_by_hand
19 test_step.py test_student_and_projections_train
20 does not apply: a and (1 - a) are the formula that the drop-in keeps
21 test_step.py test_teacher_is_not_in_the_tape
22 test_step.py test_fit_leaves_the_teacher_as_it_was
23 does not apply: a live teacher has to run; a cache is a teacher of its own
24 test_saving.py test_a_loaded_distiller_goes_on_as_if_never_saved
25 test_saving.py test_a_killed_run_ends_as_one_never_killed
26 test_saving.py test_only_the_whole_file_holds_the_teacher
27 test_logs.py test_every_term_and_metric_has_its_own_name
28 test_28_the_student_still_reads_text
29 test_29_unknown_arguments_of_a_call_are_refused
30 test_construction.py test_losses_that_do_not_fit_are_refused_at_construction
"""

import pathlib

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses


def test_every_number_has_its_test_or_a_reason():
    rows = [line.split() for line in __doc__.splitlines()]
    rows = {int(row[0]): row[1:] for row in rows if row and row[0].isdigit()}
    assert sorted(rows) == list(range(1, 31))
    folder = pathlib.Path(__file__).parent
    for row in rows.values():
        if row[0] == "does":
            continue
        file = row[0] if row[0].endswith(".py") else pathlib.Path(__file__).name
        assert f"def {row[-1]}(" in (folder / file).read_text("utf-8"), row


def test_01_default_is_a_divergence_of_soft_targets(make_distiller, batch):
    x, _ = batch
    distiller = make_distiller(
        distillation_losses=keras.distillation.LogitsDistillation(),
        student_loss_weight=0,
    )
    for model in (distiller.teacher, distiller.student):
        # All logits far below zero, where Keras's loss and gradient vanish.
        model.get_layer("head").bias.assign(np.full(3, -50.0))
    teacher, student = (
        keras.ops.convert_to_numpy(keras.ops.softmax(model(x) / 3.0))
        for model in (distiller.teacher, distiller.student)
    )
    by_row = 9.0 * np.sum(teacher * np.log(teacher / student), -1)
    logs = distiller.train_on_batch(x, return_dict=True)
    assert logs["logits_loss"] == pytest.approx(np.mean(by_row), rel=1e-3)
    after = distiller.evaluate(x, verbose=0, return_dict=True)
    assert after["logits_loss"] < logs["logits_loss"]


def test_02_cross_entropy_is_least_at_the_teacher():
    loss = losses.from_keras(
        keras.distillation.LogitsDistillation(
            loss="categorical_crossentropy", temperature=1.0
        )
    )
    teacher = np.array([[2.0, -1.0, 0.5]])
    least = float(loss.per_example(teacher, teacher)[0])
    for student in ([[9.0, -9.0, 0.0]], [[-90.0, 90.0, 90.0]]):
        assert float(loss.per_example(teacher, np.array(student))[0]) > least
    p = np.exp(teacher) / np.sum(np.exp(teacher))
    assert least == pytest.approx(-np.sum(p * np.log(p)), rel=1e-6)


def test_03_one_number_needs_a_squared_error(make_distiller, make_dense, batch):
    x, _ = batch
    with pytest.raises(ValueError, match='Use loss="mse" for regression'):
        Distiller(
            make_dense(num_classes=1),
            make_dense(num_classes=1),
            losses.LogitsDistillation(),
        )
    distiller = make_distiller(
        make_dense(num_classes=1),
        make_dense(num_classes=1),
        losses.LogitsDistillation(loss="mse"),
        student_loss_weight=0,
        compiled={"loss": None},
    )
    teacher, student = distiller.teacher(x), distiller.student(x)
    gap = keras.ops.convert_to_numpy(teacher - student)
    logs = distiller.evaluate(x, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(np.mean(gap**2), rel=1e-5)


def test_10_one_layer_name_is_not_enough(make_dense):
    loss = keras.distillation.FeatureDistillation(
        loss="mse", student_layer_name="hidden"
    )
    with pytest.raises(ValueError, match="needs both layer names or none"):
        Distiller(make_dense(), make_dense(), loss)


def test_11_widths_never_broadcast(make_distiller, make_dense, batch):
    x, y = batch
    with pytest.raises(ValueError, match="is 1 wide and .* 8. .*projection="):
        Distiller(
            make_dense(8),
            make_dense(1),
            losses.FeatureDistillation("hidden", "hidden", projection=None),
        )
    cosine = keras.distillation.FeatureDistillation(
        loss="cosine_similarity",
        teacher_layer_name="hidden",
        student_layer_name="hidden",
    )
    distiller = make_distiller(make_dense(8), make_dense(4), cosine)
    logs = distiller.evaluate(x, y, verbose=0, return_dict=True)
    assert 0.0 < logs["hidden_loss"] < 2.0


def test_17_inputs_and_precision_may_differ(make_distiller, batch):
    def make(inputs, dtype):
        inputs = {name: keras.Input((4,), name=name) for name in inputs}
        x = keras.layers.Add()([*inputs.values(), *inputs.values()])
        head = keras.layers.Dense(3, name="head", dtype=dtype)
        return keras.Model(inputs, head(x))

    x, y = batch
    distiller = make_distiller(
        make(["a", "b"], "float32"),
        make(["a"], "bfloat16"),
        losses.LogitsDistillation(),
    )
    kernel = distiller.teacher.get_layer("head").kernel
    kernel.assign(2 * np.eye(4, 3))
    distiller.student.get_layer("head").kernel.assign(4 * np.eye(4, 3))
    # Twice one input is as much as once two equal ones.
    data = {"a": np.round(x), "b": np.round(x)}
    logs = distiller.evaluate(data, y, verbose=0, return_dict=True)
    assert logs["logits_loss"] == pytest.approx(0.0, abs=1e-6)


def test_28_the_student_still_reads_text(make_classifier):
    distiller = Distiller(
        make_classifier(num_layers=1),
        make_classifier(num_layers=1, hidden_dim=8),
        losses.LogitsDistillation(),
    )
    student = distiller.student
    texts = ["the film is great", "a dull plot"]
    distiller.compile("sgd", "mse", run_eagerly=True)
    student.compile(run_eagerly=True)
    np.testing.assert_allclose(
        student.predict(texts, verbose=0),
        distiller.predict(student.preprocessor(texts), verbose=0),
        rtol=1e-5,
    )


def test_29_unknown_arguments_of_a_call_are_refused(make_distiller, batch):
    with pytest.raises(TypeError, match="not_known"):
        make_distiller()(batch[0], not_known=1)
