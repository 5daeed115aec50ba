"""The plan of the stages, with the numbers of XtremeDistilTransformers."""

import dataclasses
import types

import keras
import keras_hub
import pytest

from keras_distill import losses
from keras_distill import optimizers
from keras_distill import schedules
from keras_distill import students
from keras_distill.features import describe
from recipes.common.experiment import Experiment
from recipes.common.student_size import parse_size
from recipes.common.task_data import TaskData
from recipes.xtremedistil import stage_list
from recipes.xtremedistil.config import Config

RATES = {
    "representation_rate": 4e-3,
    "head_rate": 2e-3,
    "encoder_rate": 1e-3,
}
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class Examples:
    """Twenty of them, of which no plan reads one."""

    sequence_length = 8

    def num_batches(self, batch_size):
        return -(-20 // batch_size)

    def batches(self, batch_size, **options):
        raise AssertionError


@pytest.fixture
def data():
    """A task that says how it is learnt and measured, and nothing else."""
    task = types.SimpleNamespace(
        label_loss=lambda: CROSS_ENTROPY,
        metrics=("accuracy",),
        selection_metric="accuracy",
    )
    return TaskData(task, Examples(), Examples())


@pytest.fixture
def texts():
    return Examples()


@pytest.fixture
def logits(monkeypatch):
    """What is kept of the teacher."""
    found = {"teacher": "a cache", "texts": Examples(), "dev": Examples()}
    monkeypatch.setattr(
        stage_list,
        "kept_lesson",
        lambda _, lesson, *__: dataclasses.replace(lesson, **found),
    )
    return types.SimpleNamespace(**found)


@pytest.fixture
def plan(data, texts, logits, tmp_path):
    """Lists the stages of a student."""

    def make(teacher, student, **settings):
        config = Config(
            representation_epochs=5,
            logits_epochs=3,
            labels_epochs=2,
            **settings,
        )
        folder = types.SimpleNamespace(path=tmp_path)
        lesson = stage_list.Lesson(
            None, data, texts, data.validation, teacher, student, tmp_path
        )
        return stage_list.distillation_stages(
            Experiment(config, folder), lesson
        )

    return make


def parts_of(student):
    """The trainable variables that each stage shall have, by its last word."""
    head = {weight.path for weight in student.output_dense.weights}
    everything = {weight.path for weight in student.trainable_variables}
    parts = {"representation": everything, "head": head, "encoder": everything}
    if hasattr(student.backbone, "pooled_dense"):
        pooler = student.backbone.pooled_dense.weights
        parts["projection"] = head | {weight.path for weight in pooler}
    return parts


def trained_in(stage):
    with stage.only_trainable():
        return {weight.path for weight in stage.student.trainable_variables}


def test_there_are_7_stages_with_a_projection(
    make_classifier, plan, data, texts, logits
):
    teacher = make_classifier(num_layers=2, hidden_dim=8)
    student = make_classifier(num_layers=1, hidden_dim=4)
    listed = plan(teacher, student)
    assert [stage.name for stage in listed] == [
        "representation",
        *("logits-head", "logits-projection", "logits-encoder"),
        *("labels-head", "labels-projection", "labels-encoder"),
    ]
    check(listed, teacher, student, data, texts, logits)


def test_there_are_5_stages_without_a_projection(
    make_token_classifier, plan, data, texts, logits
):
    teacher = make_token_classifier(num_layers=2, hidden_dim=8)
    student = make_token_classifier(num_layers=1, hidden_dim=4)
    listed = plan(teacher, student)
    assert [stage.name for stage in listed] == [
        "representation",
        *("logits-head", "logits-encoder"),
        *("labels-head", "labels-encoder"),
    ]
    check(listed, teacher, student, data, texts, logits)


def check(listed, teacher, student, data, texts, logits):
    """What each stage trains, on what and for what."""
    parts = parts_of(student)
    for stage in listed:
        kind, _, part = stage.name.partition("-")
        assert trained_in(stage) == parts[part or kind], stage.name
        if kind == "labels":
            continue
        # Labels have no part in these.
        assert stage.student_loss_weight == 0
        assert stage.loss is None
        assert (stage.keep.monitor, stage.keep.mode) == ("loss", "min")
    first, *others = listed
    assert first.teacher is teacher
    assert first.train is texts
    assert first.epochs == 5
    assert [type(loss) for loss in first.distillation_losses] == [
        losses.HiddenStatesDistillation,
        losses.AttentionDistillation,
    ]
    half = len(others) // 2
    for stage in others[:half]:
        assert stage.teacher == logits.teacher
        assert stage.train is logits.texts
        assert stage.validation is logits.dev
        assert stage.epochs == 3
        assert isinstance(stage.distillation_losses, losses.LogitsDistillation)
        assert stage.distillation_losses.loss == "mse"
    for stage in others[half:]:
        assert stage.teacher is None
        assert stage.distillation_losses is None
        assert stage.loss is CROSS_ENTROPY
        assert stage.train is data.train
        assert stage.epochs == 2
        assert (stage.keep.monitor, stage.keep.mode) == ("accuracy", "max")


@pytest.mark.parametrize("how", ["encoder", "layer"])
def test_the_rate_is_the_encoders_as_soon_as_a_part_of_it_is_trained(
    how, make_classifier, plan
):
    teacher = make_classifier(num_layers=2, hidden_dim=8)
    student = make_classifier(num_layers=2, hidden_dim=4)
    for stage in plan(teacher, student, unfreezing=how, **RATES):
        part = stage.name.partition("-")[2]
        rate = RATES["encoder_rate"]
        if not part:
            rate = RATES["representation_rate"]
        elif part in ("head", "projection"):
            rate = RATES["head_rate"]
        optimizer = stage.optimizer(50)
        assert type(optimizer) is optimizers.AdamW
        # Up over a tenth of the steps, then down to 0.
        rates = keras.saving.deserialize_keras_object(
            optimizer.get_config()["learning_rate"]
        )
        assert isinstance(rates, schedules.WarmupLinearDecay)
        assert (rates.peak, rates.total_steps) == (rate, 50)
        # Each stage begins with moments of its own.
        assert stage.optimizer(50) is not optimizer


def test_the_official_rate_is_constant(make_classifier, plan):
    teacher = make_classifier(num_layers=2, hidden_dim=8)
    student = make_classifier(num_layers=1, hidden_dim=4)
    official = dict.fromkeys(RATES, 3e-5)
    for stage in plan(
        teacher, student, schedule="constant", weight_decay=0.0, **official
    ):
        found = stage.optimizer(50).get_config()
        assert found["learning_rate"] == pytest.approx(3e-5)
        assert found["weight_decay"] == 0


@pytest.fixture(scope="module")
def deep_teacher(make_classifier):
    return make_classifier(num_layers=12, hidden_dim=8)


@pytest.mark.parametrize("depth, terms", [(6, 13), (12, 25)])
def test_all_layers_of_the_student_follow_the_teachers_top(
    depth, terms, make_classifier, deep_teacher
):
    teacher = deep_teacher
    student = make_classifier(num_layers=depth, hidden_dim=4)
    described = describe(teacher), describe(student)
    for attention in ("scores", "probabilities"):
        of_hidden, of_maps = (
            loss.match(*described)
            for loss in stage_list.representation_losses(
                Config(attention=attention), teacher, student
            )
        )
        assert len(of_hidden) + len(of_maps) == terms
        assert [(match.student, match.teacher) for match in of_hidden] == [
            (state(layer), state(layer + 12 - depth))
            for layer in range(depth + 1)
        ]
        kind = f"attention_{attention}"
        assert [(match.student, match.teacher) for match in of_maps] == [
            (f"{kind}.{layer}", f"{kind}.{layer + 12 - depth}")
            for layer in range(1, depth + 1)
        ]
        # One projection up to the teacher's width for each state.
        names = {match.projection.name for match in of_hidden}
        assert len(names) == depth + 1


def test_probabilities_are_compared_head_by_head(make_classifier):
    teacher = make_classifier(num_layers=2)
    student = make_classifier(num_layers=1, num_heads=4)
    with pytest.raises(
        ValueError, match="2 heads of the teacher and 4 of --st"
    ):
        stage_list.representation_losses(
            Config(attention="probabilities"), teacher, student
        )


def state(layer):
    return f"hidden_states.{layer}" if layer else "embeddings"


def test_equal_widths_need_no_projection(make_classifier):
    teacher, student = make_classifier(num_layers=2), make_classifier(1)
    hidden, _ = stage_list.representation_losses(Config(), teacher, student)
    matches = hidden.match(describe(teacher), describe(student))
    assert [match.projection for match in matches] == [None, None]


def test_a_size_on_the_command_line_has_4_times_its_own_width():
    """Not BERT's 3072, which a new student of the official code gets."""
    with keras.StatelessScope():
        teacher = keras_hub.models.BertBackbone(
            vocabulary_size=40,
            num_layers=1,
            num_heads=12,
            hidden_dim=768,
            intermediate_dim=3072,
            max_sequence_length=8,
        )
        student = students.create_student(teacher, **parse_size("6x384x12"))
    found = student.get_config()
    sizes = ("num_layers", "hidden_dim", "num_heads", "intermediate_dim")
    assert [found[name] for name in sizes] == [6, 384, 12, 1536]


_ORDERS = """
import keras_hub
from keras_distill.callbacks import GradualUnfreezing
from keras_distill import students
student = keras_hub.models.BertTextClassifier(
    keras_hub.models.BertBackbone(
        vocabulary_size=9, num_layers=2, num_heads=1, hidden_dim=2,
        intermediate_dim=2, max_sequence_length=4,
    ),
    num_classes=2,
)
for how in ("encoder", "layer"):
    for name, trained in students.unfreezing(student, how):
        parts = [getattr(part, "name", part) for part in trained or ["all"]]
        print(name, *parts, sep=" ")
    print(*GradualUnfreezing(how, steps=1).plan(student), sep="; ")
"""


def run_here(capsys):
    """In this process, whose hashes are other ones each time."""
    exec(_ORDERS, {})
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    "hash_seed", [None, pytest.param("42", marks=pytest.mark.slow)]
)
def test_the_order_does_not_hang_on_hashes(run_python, hash_seed, capsys):
    """The official code's did, which changed with Python's version."""
    found = (
        run_here(capsys)
        if hash_seed is None
        else run_python(_ORDERS, hash_seed)
    )
    assert found[-10:] == [
        "head logits",
        "projection logits pooled_dense",
        "encoder all",
        "from step 0: head; from step 1: encoder",
        "head logits",
        "projection logits pooled_dense",
        "layer.2 logits pooled_dense layer.2",
        "layer.1 logits pooled_dense layer.2 layer.1",
        "embeddings all",
        "from step 0: head; from step 1: layer.2; from step 2: layer.1; "
        "from step 3: embeddings",
    ]
