"""Other tasks for the distilled encoder."""

import dataclasses

import numpy as np
import pytest

from keras_distill import export
from keras_distill import teachers
from recipes.common.task_data import TaskData
from recipes.xtremedistil import recipe
from recipes.xtremedistil import targets
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.stage_list import create_student

pytestmark = pytest.mark.usefixtures("all_eager")


def test_another_rate_of_a_finished_target_is_refused(
    experiment, prepared, monkeypatch
):
    monkeypatch.setattr(TaskData, "score", lambda *_: {})

    def fine_tune(rate):
        experiment.config = dataclasses.replace(
            experiment.config, targets="rte", target_rate=rate, target_epochs=1
        )
        targets.transfer(
            experiment,
            "rte",
            targets.with_encoder_of(prepared.student),
            [targets.TRANSFERRED],
        )

    fine_tune(1e-3)
    fine_tune(1e-3)
    with pytest.raises(ValueError, match="'rte.fine-tuning' has changed"):
        fine_tune(1e-4)


def test_a_folder_belongs_to_the_settings_of_the_source():
    known = Config(targets="rte", target_epochs=3).source_settings()
    other = Config(
        targets="rte,mrpc",
        target_epochs=2,
        target_rate=1e-5,
        task_distillation="both",
    )
    assert other.source_settings() == known
    assert Config(patience=7).source_settings() != known


def test_targets_of_one_task_have_stages_of_their_own(
    experiment, prepared, monkeypatch
):
    names = []
    experiment.config = dataclasses.replace(
        experiment.config,
        logits_epochs=0,
        targets="rte",
        task_distillation="both",
    )
    monkeypatch.setattr(
        experiment,
        "run",
        lambda listed: names.extend(one.name for one in listed),
    )

    def teacher_of(examples, name):
        names.append(name)
        return prepared.teacher, prepared.data

    monkeypatch.setattr(experiment, "teacher", teacher_of)
    monkeypatch.setattr(experiment, "read", lambda name: prepared.examples)
    monkeypatch.setattr(TaskData, "score", lambda *_: {})
    # As TensorFlow Datasets has it, all of them are called "wikiann".
    for target in ("wikiann:de", "wikiann:ru"):
        targets.transfer(
            experiment,
            target,
            targets.with_encoder_of(prepared.student),
            targets.rows_of(experiment.config),
        )
    assert len(set(names)) == len(names)
    assert {name.split(".")[0] for name in names} == {
        "wikiann-de",
        "wikiann-ru",
    }


def test_factorized_words_go_with_the_encoder(
    experiment, make_classifier, tmp_path
):
    experiment.config = dataclasses.replace(experiment.config, embedding_dim=4)
    student = create_student(experiment, make_classifier(num_layers=2))
    assert student.backbone.token_embedding.output_dim == 4
    export.to_encoder_preset(student, tmp_path / "student")
    loaded = teachers.load_teacher(str(tmp_path / "student"), 3, 16)
    for one, two in zip(
        student.backbone.get_weights(),
        loaded.classifier.backbone.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_distillation_on_the_target_itself(
    data_dir, made_untrained, tmp_path, monkeypatch
):
    # The page on the source task is not what this is about.
    monkeypatch.setattr(recipe.Experiment, "report", lambda *_: None)
    config = Config(
        source="sst2",
        targets="rte",
        glue_dir=str(data_dir),
        teacher=str(made_untrained / "encoder"),
        student="1x8x2",
        unfreezing="none",
        representation_epochs=0,
        logits_epochs=1,
        labels_epochs=0,
        teacher_epochs=1,
        target_epochs=1,
        task_distillation="both",
        allow_untrained_teacher=True,
        sequence_length=16,
        # One step is an epoch.
        batch_size=32,
        teacher_batch_size=32,
    )
    found = recipe.run(config, tmp_path / "run", quiet=True)
    (result,) = found["targets"]
    assert set(result["models"]) == {
        targets.TEACHER,
        targets.BASELINE,
        targets.TRANSFERRED,
        targets.SCRATCH,
        targets.FURTHER,
    }
    names = {path.name for path in (tmp_path / "run/stages").iterdir()}
    assert names == {
        "teacher",
        "logits-all",
        "rte.without-distillation",
        "rte.fine-tuning",
        "rte.teacher",
        "rte.scratch.logits-all",
        "rte.further.logits-all",
    }
