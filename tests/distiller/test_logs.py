"""What `fit` and `evaluate` report."""

import keras
import numpy as np
import pytest


def test_an_epoch_is_a_mean_over_examples(make_distiller, batch):
    x, y = batch[0][:5], batch[1][:5]
    distiller = make_distiller(
        compiled={"optimizer": keras.optimizers.SGD(0.0)}
    )
    expected = distiller.evaluate(
        x, y, batch_size=5, verbose=0, return_dict=True
    )
    # The last batch is one example: a mean over batches would differ.
    by_batch = [
        distiller.evaluate(x[rows], y[rows], verbose=0, return_dict=True)[
            "loss"
        ]
        for rows in (slice(0, 2), slice(2, 4), slice(4, 5))
    ]
    assert abs(np.mean(by_batch) - expected["loss"]) > 1e-3

    history = distiller.fit(x, y, batch_size=2, verbose=0).history
    logs = {name: value for name, (value,) in history.items()}
    assert logs == pytest.approx(expected, rel=1e-5)
    evaluated = distiller.evaluate(
        x, y, batch_size=2, verbose=0, return_dict=True
    )
    assert evaluated == pytest.approx(expected, rel=1e-5)


def test_every_term_and_metric_has_its_own_name(make_distiller, batch):
    x, y = batch
    distiller = make_distiller(compiled={"metrics": ["accuracy"]})
    history = distiller.fit(
        x, y, verbose=0, validation_data=(x[:3], y[:3])
    ).history
    names = {"loss", "student_loss", "hidden_loss", "logits_loss", "accuracy"}
    assert set(history) == names | {f"val_{name}" for name in names}
    expected = distiller.evaluate(x[:3], y[:3], verbose=0, return_dict=True)
    assert {name: history[f"val_{name}"][0] for name in names} == pytest.approx(
        expected, rel=1e-5
    )
    predicted = np.argmax(distiller.predict(x[:3], verbose=0), axis=-1)
    assert expected["accuracy"] == pytest.approx(np.mean(predicted == y[:3]))


def test_weighted_metrics_see_the_sample_weights(make_distiller, batch):
    x, y = batch
    distiller = make_distiller(
        compiled={
            "metrics": ["accuracy"],
            "weighted_metrics": [
                keras.metrics.SparseCategoricalAccuracy("weighted")
            ],
        }
    )
    hits = np.argmax(distiller.predict(x, verbose=0), -1) == y
    assert 0 < np.mean(hits) < 1
    logs = distiller.evaluate(
        x, y, sample_weight=hits.astype("float32"), verbose=0, return_dict=True
    )
    assert logs["accuracy"] == pytest.approx(np.mean(hits))
    assert logs["weighted"] == 1.0


def test_plan_is_printed_before_training(make_distiller, batch, capsys):
    x, y = batch
    distiller = make_distiller(distillation_loss_weights=[1.0, 0.5])
    distiller.fit(x, y, verbose=2)
    expected = [
        "Match plan:",
        "student layer hidden <- teacher layer hidden | "
        "layer output, 8 -> 16 linear, mse",
        "student logits <- teacher logits | "
        "logits, 3 classes, kl of softmax, temperature 2 | weight 0.5",
    ]
    assert capsys.readouterr().out.splitlines()[:3] == expected
    assert distiller.plan() == expected[1:]


def test_quiet_fit_prints_nothing(make_distiller, batch, capsys):
    x, y = batch
    make_distiller().fit(x, y, verbose=0)
    assert capsys.readouterr().out == ""


def test_unlabelled_batches_are_distilled(make_distiller, batch):
    x, y = batch
    distiller = make_distiller(student_loss_weight=0, compiled={"loss": None})
    history = distiller.fit(x, verbose=0).history
    assert set(history) == {"loss", "hidden_loss", "logits_loss"}
    assert history["loss"][0] == pytest.approx(
        history["hidden_loss"][0] + history["logits_loss"][0], rel=1e-5
    )
    assert distiller.evaluate(x, verbose=0) == pytest.approx(
        distiller.evaluate(x, y, verbose=0), rel=1e-6
    )


def test_metrics_wait_for_labelled_batches(make_distiller, batch):
    x, y = batch
    distiller = make_distiller(
        student_loss_weight=0, compiled={"metrics": ["accuracy"]}
    )
    history = distiller.fit(
        x, epochs=2, verbose=0, validation_data=(x, y)
    ).history
    assert "accuracy" not in history
    assert "student_loss" not in history
    predicted = np.argmax(distiller.predict(x, verbose=0), axis=-1)
    assert history["val_accuracy"][-1] == pytest.approx(np.mean(predicted == y))
    assert len(history["val_student_loss"]) == 2


def test_labels_that_are_missing_are_named(make_distiller, batch):
    x, _ = batch
    with pytest.raises(ValueError, match="a batch without labels"):
        make_distiller(student_loss_weight=0.5).fit(x, verbose=0)


def test_labels_that_count_need_a_loss(make_distiller):
    with pytest.raises(ValueError, match="`loss` must be given"):
        make_distiller(student_loss_weight=0.5, compiled={"loss": None})
