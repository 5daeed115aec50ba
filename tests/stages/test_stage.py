"""What a stage takes and refuses."""

import keras
import numpy as np
import pytest

from keras_distill import callbacks
from keras_distill import losses
from keras_distill import stages
from keras_distill import tasks
from tests.stages import tiny_run

TEACHER = {
    "teacher": "any",
    "distillation_losses": [losses.LogitsDistillation()],
}


LABELS = np.array([0, 1, 1, 0, 1, 1], "int32")


@pytest.fixture
def make_weighted(make_classifier):
    """A stage on six texts of two classes, which trains nothing."""

    def make(class_weight, **words):
        student = make_classifier(num_layers=1)
        # Words of one length, so that a batch is a batch.
        texts = (["good film", "dull plot", "the film"] * 2,)
        train = tasks.TokenizedExamples(
            tasks.Examples(texts, LABELS), student.preprocessor
        )
        settings = {
            "loss": keras.losses.SparseCategoricalCrossentropy(
                from_logits=True
            ),
            **words,
        }
        return stages.Stage(
            "one",
            student,
            train,
            optimizer=keras.optimizers.SGD(0.0),
            epochs=1,
            batch_size=6,
            class_weight=class_weight,
            compile_options={"run_eagerly": True},
            **settings,
        )

    return make


def make_stage(name="one", train=None, **words):
    settings = {"loss": "mse", "optimizer": "adam", "epochs": 1, **words}
    return stages.Stage(
        name,
        tiny_run.make_model(4),
        tiny_run.make_data(20) if train is None else train,
        **settings,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"name": "a/b"}, "`name` of a stage must be a name for a folder"),
        ({"name": ".."}, "`name` of a stage"),
        ({"name": ""}, "`name` of a stage"),
        ({"name": "a\n"}, "`name` of a stage"),
        ({"name": "labels."}, "no '.' last. Received: 'labels.'"),
        ({"name": "aux"}, "Choose another, such as 'aux_'. Received: 'aux'"),
        ({"name": "Con.fine-tuning"}, "Windows keeps this one for a device"),
        ({"name": "LPT1"}, "Windows keeps this one for a device"),
        ({"loss": None}, "has nothing to learn"),
        ({"teacher": "any"}, "go together"),
        ({"distillation_losses": []}, "go together"),
        ({"student_loss_weight": 0.5}, "is for a stage with a teacher"),
        ({"distillation_loss_weights": [1]}, "is for a stage with a teacher"),
        ({"epochs": None}, "either `epochs` or `steps`"),
        ({"steps": 3}, "either `epochs` or `steps`"),
        ({"epochs": 0}, "an int of 1 or more"),
        ({"epochs": None, "steps": 2.5}, "an int of 1 or more"),
        ({"keep": "best"}, "`keep` must be"),
        ({"train": tiny_run.make_data(0)}, "must have a batch"),
    ],
)
def test_arguments_are_checked(words, message):
    with pytest.raises(ValueError, match=message):
        make_stage(**words)


@pytest.mark.parametrize("name", ["auxiliary", "com", "aux_", "a.con", "com10"])
def test_names_that_are_like_devices(name):
    assert make_stage(name).name == name


def test_steps_and_epochs():
    stage = make_stage(epochs=3, batch_size=8)
    assert (stage.steps_per_epoch, stage.total_steps) == (3, 9)
    assert stage.total_epochs == 3
    stage = make_stage(epochs=None, steps=7, batch_size=8)
    assert (stage.total_steps, stage.total_epochs) == (7, 3)


def test_layers_to_train_must_be_there():
    stage = make_stage(trainable=[keras.layers.Dense(3, name="foreign")])
    with pytest.raises(ValueError, match="foreign"), stage.only_trainable():
        pass


def test_what_the_losses_reach_is_trained_by_a_distiller():
    stage = make_stage(
        teacher=tiny_run.make_model(8),
        distillation_losses=losses.FeatureDistillation("hidden", "hidden"),
        student_loss_weight=0,
        loss=None,
        optimizer=lambda steps: keras.optimizers.SGD(1.0 / steps),
        epochs=5,
        batch_size=4,
    )
    model = stage.build()
    assert model.student is stage.student
    assert float(model.optimizer.learning_rate) == pytest.approx(1 / 25)
    assert model.optimizer.built


def test_a_description_has_no_names():
    # Keras counts them up, differently in a run that goes on.
    first, second = (
        make_stage(
            loss=keras.losses.MeanSquaredError(),
            optimizer=lambda steps: keras.optimizers.Adam(),
        ).describe()
        for _ in range(2)
    )
    assert first == second


def test_parts_to_train_go_by_name(make_classifier):
    student = make_classifier(num_layers=2)
    stage = stages.Stage(
        "one",
        student,
        tiny_run.make_data(20),
        loss="mse",
        optimizer="adam",
        epochs=1,
        trainable=["head", "layer.2"],
    )
    with stage.only_trainable():
        paths = {v.path for v in student.trainable_variables}
    upper = student.backbone.transformer_layers[1]
    head = [student.backbone.pooled_dense, student.output_dense]
    assert paths == {v.path for part in (upper, *head) for v in part.weights}
    assert student.non_trainable_weights == []


def test_a_description_tells_of_phases():
    head = make_stage().student.get_layer("head")
    unfreezing = callbacks.GradualUnfreezing([head], epochs=[1, 2])
    described = make_stage(callbacks=[unfreezing]).describe()
    [[name, config]] = described["callbacks"]
    assert name == "GradualUnfreezing"
    assert config["groups"] == ["Dense"] and config["epochs"] == [1, 2]
    assert "callbacks" not in make_stage().describe()


def test_what_callbacks_froze_is_free_after_the_stage():
    stage = make_stage()
    with stage.only_trainable():
        stage.student.layers[1].kernel.trainable = False
    assert stage.student.non_trainable_weights == []


def test_a_task_is_measured_by_what_the_stage_says_alone(make_classifier):
    # KerasHub makes a classifier with the accuracy of classes, which means
    # nothing to a regression.
    stage = stages.Stage(
        "one",
        make_classifier(num_layers=1, num_classes=1),
        tiny_run.make_data(20),
        loss="mse",
        optimizer="adam",
        epochs=1,
        compile_options={"run_eagerly": True},
    )
    ids = np.ones((4, 5), "int32")
    x = {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids}
    logs = keras.Model.fit(stage.build(), x, np.ones(4), verbose=0).history
    assert list(logs) == ["loss"]


def logits_of(model, stage):
    (x, _, _) = next(iter(stage.batches(seed=1, epoch=0)))
    return keras.ops.convert_to_numpy(model(x))


def of_labels(logits, labels):
    """Each row's cross-entropy with its label."""
    log_q = logits - np.log(np.sum(np.exp(logits), -1, keepdims=True))
    return -log_q[np.arange(len(labels)), labels]


@pytest.mark.parametrize("has_teacher", [False, True])
def test_a_class_weight_weighs_the_losses(
    make_weighted, make_classifier, has_teacher
):
    words = {}
    if has_teacher:
        words = {
            "teacher": make_classifier(num_layers=1),
            "distillation_losses": losses.LogitsDistillation(
                loss="mse", name="logits"
            ),
            "student_loss_weight": 0.5,
        }
    stage = make_weighted({0: 3.0, 1: 0.25}, **words)
    (_, y, _) = next(iter(stage.batches(seed=1, epoch=0)))
    y = keras.ops.convert_to_numpy(y)
    weights = np.where(y == 0, 3.0, 0.25)
    student = logits_of(stage.student, stage)
    expected = np.mean(weights * of_labels(student, y))
    model = stage.build()
    fit = model.fit if has_teacher else keras.Model.fit.__get__(model)
    logs = fit(stage.batches(seed=1, epoch=0), verbose=0, shuffle=False).history
    found = logs["student_loss" if has_teacher else "loss"]
    assert found[0] == pytest.approx(expected, rel=1e-4)
    if has_teacher:
        gap = np.mean((logits_of(stage.teacher, stage) - student) ** 2, -1)
        assert logs["logits_loss"][0] == pytest.approx(
            np.mean(weights * gap), rel=1e-4
        )


def test_a_class_weight_is_part_of_what_a_stage_is(make_weighted):
    described = make_weighted("balanced").describe()
    assert described["class_weight"] == ["1.5", "0.75"]
    assert "class_weight" not in make_weighted(None).describe()


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({2: 1.0}, "Stage 'one': .*from 0 to 1. Received: 2"),
        ({"ham": 1.0}, "Stage 'one': .*`task.tokenize`"),
        ({0: -1.0}, "Stage 'one': .*of 0 or more"),
    ],
)
def test_a_class_weight_is_checked(make_weighted, class_weight, message):
    with pytest.raises(ValueError, match=message):
        make_weighted(class_weight)
    with pytest.raises(ValueError, match="`class_weight` is for `TokenizedEx"):
        make_stage(class_weight={0: 1.0})
