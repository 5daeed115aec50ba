"""The recurrent student's recipe, on tiny models and made-up tasks."""

import dataclasses
import json

import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import losses
from keras_distill import models
from keras_distill import optimizers
from keras_distill import stages
from keras_distill import students
from keras_distill import teachers
from recipes.common import tables
from recipes.common.experiment import Experiment
from recipes.xtremedistil import bilstm
from recipes.xtremedistil.bilstm import Settings
from recipes.xtremedistil.stage_list import Lesson
from tests.recipes.commands import changed

pytestmark = pytest.mark.usefixtures("all_eager")

BELOW = ["projection", "bilstm", "embeddings"]
STAGES = [
    *(f"representation-{part}" for part in BELOW),
    *(f"logits-{part}" for part in ["head", *BELOW]),
    *(f"labels-{part}" for part in ["head", *BELOW]),
]
# Of tiny teachers, and soon done.
SMALL = dict(
    embedding_dim=8,
    lstm_dim=6,
    sequence_length=16,
    batch_size=16,
    representation_epochs=1,
    logits_epochs=1,
    labels_epochs=1,
)


def command_line(**settings):
    """The settings of a run as options."""
    return [
        word
        for name, value in {**SMALL, **settings}.items()
        for word in ("--" + name.replace("_", "-"), str(value))
    ]


@pytest.fixture
def make_experiment(glue_dir, tmp_path):
    def make(**settings):
        config = Settings(
            source="sst2", glue_dir=str(glue_dir), **{**SMALL, **settings}
        )
        folder = stages.RunFolder(tmp_path / "run", quiet=True)
        return Experiment(config, folder)

    return make


@pytest.fixture
def prepared(make_experiment, make_classifier, tmp_path):
    """An experiment, and what its student learns."""
    experiment = make_experiment(period_epochs=3, patience=4)
    teacher = make_classifier(num_layers=3)
    with experiment.folder:
        data = experiment.tokenize(
            experiment.read("sst2"), teacher.preprocessor.tokenizer
        )
        student = bilstm.create_student(experiment, teacher)
        yield (
            experiment,
            Lesson(
                None,
                data,
                data.train,
                data.validation,
                teacher,
                student,
                tmp_path / "logits",
            ),
        )


def trained_in(stage):
    with stage.only_trainable():
        return {id(variable) for variable in stage.student.trainable_variables}


def test_each_stage_has_its_data_losses_and_parts(prepared):
    _, lesson = prepared
    teacher, student, data = lesson.teacher, lesson.student, lesson.data
    listed = bilstm.distillation_stages(*prepared)
    assert [stage.name for stage in listed] == STAGES
    encoder = student.backbone.encoder
    head, projection, lstm, words = (
        {id(weight) for weight in layer.weights}
        for layer in (
            student.output_dense,
            encoder.projection,
            encoder.bilstm,
            student.backbone.token_embedding,
        )
    )
    below = [projection, projection | lstm, projection | lstm | words]
    whole = [head, *(head | part for part in below)]
    assert [trained_in(stage) for stage in listed] == [*below, *whole, *whole]
    assert whole[-1] == {id(weight) for weight in student.weights}

    # The middle one of three; compared as it comes from the student.
    ((match,),) = listed[0].build().objective.matches
    assert (match.student, match.teacher) == (
        "hidden_states.1",
        "hidden_states.2",
    )
    assert match.projection is None
    for stage in listed[:3]:
        assert isinstance(
            stage.distillation_losses, losses.HiddenStatesDistillation
        )
        assert stage.distillation_losses.loss == "kl"
        assert stage.teacher is teacher
    for stage in listed[3:7]:
        loss = stage.distillation_losses
        assert isinstance(loss, losses.LogitsDistillation)
        assert loss.loss == "half_sum_of_squares"
        assert isinstance(stage.teacher, teachers.TeacherCache)
    for stage in listed[:7]:
        # No labels.
        assert stage.student_loss_weight == 0
        assert stage.loss is None
        assert (stage.keep.monitor, stage.keep.mode) == ("loss", "min")
    for stage in listed[7:]:
        assert stage.teacher is None
        assert stage.train is data.train
        assert (stage.keep.monitor, stage.keep.mode) == ("accuracy", "max")
    assert {stage.keep.patience for stage in listed} == {4}


def test_the_rate_falls_along_a_cosine_and_starts_again(prepared):
    for stage in bilstm.distillation_stages(*prepared):
        optimizer = stage.optimizer(stage.total_steps)
        assert type(optimizer) is optimizers.Adam
        # 2 batches in each of 3 epochs; then 0.97 of the peak.
        rates = [float(optimizer._learning_rate(step)) for step in (0, 6, 7)]
        np.testing.assert_allclose(rates, [1e-3, 1e-8, 9.7e-4], rtol=1e-4)


def test_what_a_step_freezes_does_not_change(prepared):
    experiment, lesson = prepared
    student = lesson.student
    (stage,) = [
        stage
        for stage in bilstm.distillation_stages(experiment, lesson)
        if stage.name == "logits-projection"
    ]

    def values():
        encoder = student.backbone.encoder
        return [
            layer.get_weights()
            for layer in (
                student.output_dense,
                encoder.projection,
                encoder.bilstm,
                student.backbone.token_embedding,
            )
        ]

    before = values()
    experiment.run([stage])
    has_changed = [
        any((x != y).any() for x, y in zip(old, new, strict=True))
        for old, new in zip(before, values(), strict=True)
    ]
    assert has_changed == [True, True, False, False]
    # What is gone by, and what a reader wants to know besides.
    best = experiment.results[stage.name].best
    assert {"loss", "accuracy", "epoch"} <= set(best)


@pytest.mark.parametrize("embeddings", ["teacher", "centred", "random"])
def test_words_start_from_the_teacher(
    make_experiment, make_classifier, embeddings
):
    experiment = make_experiment(embeddings=embeddings)
    teacher = make_classifier(num_layers=1)
    with experiment.folder:
        student = bilstm.create_student(experiment, teacher)
    of_teacher, of_student = (
        model.backbone.token_embedding.get_weights()[0]
        for model in (teacher, student)
    )
    if embeddings == "centred":
        of_teacher = of_teacher - of_teacher.mean(axis=0)
    kept = np.linalg.svd(of_teacher, compute_uv=False)[:8]
    found = np.linalg.svd(of_student, compute_uv=False)
    assert np.allclose(found, kept, rtol=1e-4) == (embeddings != "random")


@pytest.mark.parametrize(
    "layers, asked, layer",
    [(12, None, 6), (6, None, 3), (3, None, 2), (1, None, 1), (12, 7, 7)],
)
def test_the_middle_layer_teaches_unless_asked_for_another(
    layers, asked, layer
):
    class Backbone:
        num_layers = layers

    assert bilstm.teacher_layer(Settings(teacher_layer=asked), Backbone) == (
        layer
    )


def test_kept_hidden_states_teach_the_same(prepared):
    experiment, lesson = prepared
    found = []
    for features in ("live", "float32"):
        experiment.config = dataclasses.replace(
            experiment.config,
            teacher_features=features,
            logits_epochs=0,
            labels_epochs=0,
        )
        (stage, *_) = bilstm.distillation_stages(experiment, lesson)
        found.append(
            stage.build().evaluate(
                stage.validation.batches(8), verbose=0, return_dict=True
            )["loss"]
        )
    assert isinstance(stage.teacher, teachers.TeacherCache)
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_the_table_of_steps():
    done = stages.StageResult
    of_loss = {"loss": 0.12345, "accuracy": 0.5, "epoch": 2}
    found = tables.stages_table(
        {
            "representation-bilstm": done(
                {"loss": [2.0]}, 1.0, {"loss": 1.5, "epoch": 1}
            ),
            "logits-head": done({"loss": [1.0, 2.0, 3.0]}, 1.0, of_loss),
            "labels-head": done(
                {"loss": [1.0]}, 1.0, {"accuracy": 0.75, "epoch": 1}
            ),
        },
        "accuracy",
    )
    assert found.splitlines()[2:] == [
        "| representation-bilstm | 1 | 1 | 1.5 | – |",
        "| logits-head | 3 | 2 | 0.1235 | 50.0 |",
        "| labels-head | 1 | 1 | – | 75.0 |",
    ]


@pytest.fixture
def arguments(glue_dir, made_teacher, tmp_path):
    return [
        *("--source", "sst2", "--glue-dir", str(glue_dir)),
        *("--run-dir", str(tmp_path / "run"), "--teacher", str(made_teacher)),
    ]


def names_of(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def last_steps_only(monkeypatch):
    """All parts at once: as much of the recipe as can be in seconds."""
    unfreezing = students.unfreezing
    monkeypatch.setattr(
        students,
        "unfreezing",
        lambda *a, **k: unfreezing(*a, **k)[-1:],
    )


def check_end_to_end(arguments, done, reviews, run, capsys):
    assert bilstm.main(arguments) == 0
    shown = capsys.readouterr().out
    # A teacher with a trained head needs no stage of its own.
    assert names_of(run / "stages") == set(done)
    left = [
        (run / "stages" / name / "student.safetensors").read_bytes()
        for name in done
    ]
    assert len(set(left)) == len(done)
    steps = (run / "steps.md").read_text()
    assert steps in shown
    assert [line.split(" | ")[0] for line in steps.splitlines()[2:]] == [
        f"| {name}" for name in done
    ]
    found = json.loads((run / "result.json").read_text())
    assert found["teacher"]["accuracy"] == 1

    # What was saved is what was measured, with its tokenizer.
    student = keras_hub.models.TextClassifier.from_preset(str(run / "student"))
    assert isinstance(student.backbone, models.BiLstmBackbone)
    predicted = student.predict(reviews * 2, verbose=0).argmax(-1)
    accuracy = (predicted == np.repeat([1, 0, 1, 0], 4)).mean()
    assert accuracy == found["student"]["accuracy"]

    assert bilstm.main(arguments) == 0
    shown = capsys.readouterr().out
    assert shown.count("its weights are reused") == len(done)
    assert json.loads((run / "result.json").read_text()) == found


def test_end_to_end_and_once_more(
    arguments, last_steps_only, reviews, tmp_path, capsys, monkeypatch
):
    # The slow test has the page, which takes longer than all else.
    monkeypatch.setattr(Experiment, "report", lambda *_: None)
    check_end_to_end(
        [*arguments, *command_line(representation_epochs=0, logits_epochs=0)],
        ["labels-embeddings"],
        reviews,
        tmp_path / "run",
        capsys,
    )


@pytest.mark.slow
def test_all_stages_and_once_more(
    arguments, reviews, tmp_path, capsys, untimed
):
    check_end_to_end(
        [*arguments, *command_line()],
        STAGES,
        reviews,
        tmp_path / "run",
        capsys,
    )
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert list(report["histories"]) == STAGES
    assert [row["name"] for row in report["comparison"]["rows"]] == [
        "teacher",
        "student",
    ]
    assert "attention" not in report["config"]


@pytest.mark.slow
def test_a_stopped_run_ends_as_if_it_had_not(arguments, tmp_path, monkeypatch):
    # Weights are compared, not reports.
    monkeypatch.setattr(Experiment, "report", lambda *_: None)
    arguments += command_line(
        teacher_features="float16", logits_epochs=0, labels_epochs=0
    )
    whole = changed(arguments, "--quiet", "--run-dir", str(tmp_path / "whole"))
    assert bilstm.main(whole) == 0
    list_stages = bilstm.distillation_stages

    def stop_at_second(*args):
        listed = list_stages(*args)

        def stop():
            raise KeyboardInterrupt

        # It is described before the first one runs, and built when it is due.
        listed[1].build = stop
        return listed

    with monkeypatch.context() as patch:
        patch.setattr(bilstm, "distillation_stages", stop_at_second)
        assert bilstm.main(arguments) == 130
    assert names_of(tmp_path / "run/stages") == set(STAGES[:1])
    assert bilstm.main(arguments) == 0
    assert names_of(tmp_path / "run/stages") == set(STAGES[:3])
    for one, two in zip(
        *(
            keras_hub.models.TextClassifier.from_preset(
                str(tmp_path / name / "student")
            ).get_weights()
            for name in ("run", "whole")
        ),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


@pytest.fixture
def tags_dir(tmp_path):
    """Names in two languages."""
    sentences = {
        "en": "anna\tB-PER\nsings\tO\nin\tO\noslo\tB-LOC\n\nmeyrick\tB-PER\n",
        "no": "anna\tB-PER\nand\tO\nmeyrick\tB-PER\n\noslo\tB-LOC\n",
    }
    for language, text in sentences.items():
        for split in ("train", "dev"):
            path = tmp_path / "data/ner/wikiann" / language / f"{split}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((text + "\n") * 4)
    return tmp_path / "data"


@pytest.fixture
def tagging(tags_dir, tmp_path, make_token_classifier):
    pytest.importorskip("seqeval.metrics", reason="needs seqeval")
    export.to_preset(make_token_classifier(), tmp_path / "teacher")
    return [
        *("--source", "wikiann:en,no", "--data-dir", str(tags_dir)),
        *("--teacher", str(tmp_path / "teacher"), "--allow-untrained-teacher"),
        *("--run-dir", str(tmp_path / "run")),
        *command_line(),
    ]


def check_tags(arguments, done, run, capsys):
    assert bilstm.main(arguments) == 0
    shown = capsys.readouterr().out
    assert names_of(run / "stages") == set(done)
    table = (run / "languages.md").read_text()
    assert table in shown
    assert "| dev split, phrase F1 × 100 | teacher | student |" in table
    assert "mean over languages" in table
    found = json.loads((run / "result.json").read_text())
    assert list(found["student"]["languages"]) == ["en", "no"]
    student = models.TokenClassifier.from_preset(str(run / "student"))
    assert isinstance(student.backbone, models.BiLstmBackbone)
    assert student.preprocessor.tokenizer("anna sings").shape[0] == 2
    return found["student"]["phrase_f1"]


def test_tags_in_two_languages(
    tagging, last_steps_only, tmp_path, capsys, untimed
):
    # The slow test has the other stages.
    shorter = command_line(representation_epochs=0, logits_epochs=0)
    check_tags(
        changed(tagging, *shorter),
        ["labels-embeddings"],
        tmp_path / "run",
        capsys,
    )


@pytest.mark.slow
def test_all_stages_of_tags(tagging, tmp_path, capsys, monkeypatch):
    # So many steps are worth a graph.
    monkeypatch.undo()
    longer = command_line(
        labels_epochs=30, patience=30, peak_rate=3e-2, batch_size=8
    )
    learned = check_tags(
        changed(tagging, *longer), STAGES, tmp_path / "run", capsys
    )
    assert learned > 0.9


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(embedding_dim=0), "--embedding-dim must be an int of 1"),
        (dict(lstm_dim=0), "--lstm-dim must be an int of 1 or"),
        (dict(period_epochs=0), "--period-epochs must be an int of 1"),
        (dict(dropout=1.0), "--dropout must be a number at least 0"),
        (dict(recurrent_dropout=-0.1), "--recurrent-dropout must be a num"),
        (dict(teacher_layer=0), "--teacher-layer must be an int of 1"),
        (dict(peak_rate=0.0), "--peak-rate must be a number above 0"),
        (dict(floor_rate=1e-2), "--floor-rate must be at most the --peak"),
        (dict(period_growth=0.5), "--period-growth must be a number of"),
        (dict(peak_decay=1.1), "--peak-decay must be a number above 0"),
        (dict(logits_epochs=-1), "--logits-epochs must be an int of 0"),
        (
            dict(representation_epochs=0, logits_epochs=0, labels_epochs=0),
            "One of the stages must have epochs",
        ),
        (dict(retrieve=5), "--retrieve has no effect without --tr"),
    ],
)
def test_settings_that_cannot_be(settings, message, tmp_path, capsys):
    arguments = ["--run-dir", str(tmp_path / "run"), *command_line(**settings)]
    assert bilstm.main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(teacher_layer=3), "which has 2. Received: 3"),
        (dict(embedding_dim=17), "at most the teacher's width, 16"),
        (dict(transfer="no/such/file"), "no/such/file"),
    ],
)
def test_what_does_not_fit_the_teacher_is_refused_before_it_is_trained(
    settings, message, glue_dir, made_untrained, tmp_path, capsys
):
    arguments = [
        *("--source", "sst2", "--glue-dir", str(glue_dir)),
        *("--teacher", str(made_untrained / "encoder")),
        *("--run-dir", str(tmp_path / "run"), *command_line(**settings)),
    ]
    assert bilstm.main(arguments) == 2
    assert message in capsys.readouterr().err
    # The folder would remember the settings, and refuse better ones.
    assert not (tmp_path / "run").exists()


def test_help_explains_what_matters_here():
    text = " ".join(bilstm.build_parser().format_help().split())
    for name in Settings.__dataclass_fields__:
        option = "--" + name.replace("_", "-") + " "
        assert option in text, name
    assert "--attention " not in text
    assert "(default: 200; paper: 600)" in text
    assert "(default: 0.001; paper: 1e-3)" in text
