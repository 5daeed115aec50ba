"""Recipes that follow several teachers, or the answers of another system."""

import json

import keras_hub
import numpy as np
import pytest
from safetensors.numpy import load_file

from keras_distill import export
from keras_distill import tasks
from keras_distill import teachers
from recipes.common import models as common_models
from recipes.common.experiment import Experiment
from recipes.tinybert.__main__ import main
from recipes.tinybert.config import Config
from recipes.xtremedistil.bilstm import Settings as BiLstm
from recipes.xtremedistil.config import Config as XtremeDistil
from recipes.xtremedistil.error_propagation import Settings as ErrorPropagation
from recipes.xtremedistil.study import Settings as Study
from tests.recipes.commands import changed

OF_STUDY = {"sources": "sst2", "targets": "mrpc"}


@pytest.fixture(scope="module")
def other_teacher(tmp_path_factory, made_teacher):
    """The same, whose words have other numbers, its classes turned round."""
    model = teachers.load_teacher(made_teacher, 2, 16).classifier
    words = model.preprocessor.tokenizer.get_vocabulary()
    order = [*range(5), *range(len(words) - 1, 4, -1)]
    table, *_ = model.backbone.token_embedding.weights
    table.assign(np.asarray(table)[order])
    kernel, bias = model.output_dense.get_weights()
    # It is less sure.
    model.output_dense.set_weights([0.5 * kernel[:, ::-1], 0.5 * bias[::-1]])
    model.preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer(
            [words[place] for place in order], lowercase=True
        ),
        sequence_length=16,
    )
    folder = tmp_path_factory.mktemp("other") / "teacher"
    export.to_preset(model, folder, ["positive", "negative"])
    return folder


@pytest.mark.usefixtures("eager", "untimed")
def test_the_student_follows_the_mean_of_two_teachers(
    arguments, made_teacher, other_teacher, tmp_path, monkeypatch
):
    both = f"{made_teacher},{other_teacher}"
    options = [
        *("--teacher", both, "--intermediate-epochs", "0"),
        *("--prediction-epochs", "1", "--baseline-epochs", "0"),
    ]
    assert main(changed(arguments, *options)) == 0

    run = tmp_path / "run"
    task, splits = tasks.load("sst2", tmp_path / "glue")
    members = [made_teacher, other_teacher]
    ensemble = teachers.TeacherEnsemble(members, task.label_names)
    expected = task.predict_examples(ensemble, splits["train"])
    cache = teachers.TeacherCache(run / "teacher_features")
    kept = cache.read(splits["train"].ids)["logits"]
    np.testing.assert_allclose(kept, expected, atol=1e-4)
    report = json.loads((run / "report.json").read_text())
    teacher, _ = report["comparison"]["rows"]
    assert teacher["name"] == "teacher"
    assert teacher["metrics"]["accuracy"] == 1.0
    for number, labels in (
        ("1", ["negative", "positive"]),
        ("2", ["positive", "negative"]),
    ):
        file = run / "teacher" / number / "labels.json"
        assert json.loads(file.read_text()) == labels

    # The same answers, out of a file, teach the same.
    soft_labels = teachers.SoftLabels.from_logits(
        splits["train"].ids, kept, task.label_names
    )
    # Those of rows that are not learned from are left.
    soft_labels = teachers.SoftLabels(
        [*soft_labels.ids, 99],
        [*soft_labels.values, [0.5, 0.5]],
        task.label_names,
    )
    soft_labels.write(tmp_path / "soft.jsonl")
    again = ["--soft-labels", str(tmp_path / "soft.jsonl")]
    again += ["--run-dir", str(tmp_path / "again")]
    monkeypatch.setattr(Experiment, "finish", lambda *_, **__: None)
    assert main(changed(arguments, *options, *again)) == 0
    assert not (tmp_path / "again" / "teacher_features").exists()
    first, second = (
        load_file(folder / "stages/prediction/student.safetensors")
        for folder in (run, tmp_path / "again")
    )
    for name, weights in first.items():
        np.testing.assert_allclose(second[name], weights, atol=1e-4)


def test_soft_labels_of_other_rows_are_refused_before_training(
    arguments, made_teacher, tmp_path, capsys
):
    file = tmp_path / "soft.jsonl"
    command = changed(
        arguments,
        *("--teacher", str(made_teacher), "--intermediate-epochs", "0"),
        *("--soft-labels", str(file)),
    )
    line = '{"id": %d, "probabilities": {"negative": 0.5, "positive": %s}}\n'
    for lines, message in (
        ([line % (0, 0.5)], "There is none for the id 1 and 30 more"),
        ([line % (0, 0.6)], f"--soft-labels: {file}:1: "),
        ([(line % (0, 0.5)).replace("negative", "bad")], "of other names"),
        (['{"id": 0, "probabilities": [0.5, 0.25, 0.25]}\n'], "2 classes"),
    ):
        file.write_text("".join(lines))
        assert main(command) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert "dev split" not in captured.out


def test_teachers_of_tags_read_the_same_tokens(
    make_token_classifier, piece_tokenizer, tmp_path
):
    task = tasks.tagging_task("places", ["O", "B-LOC", "I-LOC"])
    model = make_token_classifier(num_classes=3)
    folders = [tmp_path / name for name in ("one", "same", "other")]
    for folder in folders[:2]:
        export.to_preset(model, folder, task.label_names)
    words = piece_tokenizer.get_vocabulary()
    model.preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer([*words[:5], *words[:4:-1]]),
        sequence_length=16,
    )
    export.to_preset(model, folders[2], task.label_names)

    def load(*names):
        config = Config(
            teacher=",".join(str(tmp_path / name) for name in names),
            intermediate_epochs=0,
            sequence_length=16,
        )
        return common_models.load_teacher(config, task)

    assert len(load("one", "same").members) == 2
    with pytest.raises(ValueError, match="other has another tokenizer than"):
        load("one", "other")


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (Config, {}, "--intermediate-epochs follows what"),
        (
            Config,
            {"intermediate_epochs": 0, "teacher_dropout": "on"},
            "--teacher-dropout on is for one teacher",
        ),
        (XtremeDistil, {}, "--representation-epochs follows what"),
        (BiLstm, {}, "--representation-epochs follows what"),
        (ErrorPropagation, {}, "one teacher in this recipe"),
        (Study, OF_STUDY, "one teacher in this recipe"),
    ],
)
def test_several_teachers_have_no_inside(make, settings, message):
    with pytest.raises(ValueError, match=message):
        make(teacher="a,b", **settings)
    one = make(**(settings if make is Study else {}))
    assert one.teachers == ("minilm",)


def test_soft_labels_that_nothing_follows_are_refused():
    for make, settings, message in (
        (Config, {"prediction_epochs": 0}, "has no effect"),
        (Config, {"prediction_target": "labels"}, "has no effect"),
        (
            Config,
            {"intermediate_epochs": 0, "teacher_dropout": "on"},
            "no teacher is asked",
        ),
        (XtremeDistil, {"logits_epochs": 0}, "has no effect"),
        (Study, OF_STUDY, "of one source"),
    ):
        with pytest.raises(ValueError, match=message):
            make(soft_labels="soft.jsonl", **settings)
