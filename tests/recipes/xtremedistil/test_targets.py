"""Other tasks for the distilled encoder."""

import dataclasses

import numpy as np
import pytest

from keras_distill import export
from keras_distill import teachers
from recipes.xtremedistil import recipe
from recipes.xtremedistil import targets
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.trainer import TaskData


def test_another_rate_of_a_finished_target_is_refused(trainer, prepared):
    _, student, data = prepared

    def fine_tune(rate):
        config = dataclasses.replace(
            trainer.config, targets="rte", target_rate=rate
        )
        trainer.run(
            [targets._fine_tuning(config, data, student, "rte.fine-tuning")]
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
    trainer, prepared, monkeypatch
):
    teacher, student, data = prepared
    names = []
    trainer.config = dataclasses.replace(trainer.config, logits_epochs=0)
    monkeypatch.setattr(
        trainer, "run", lambda listed: names.extend(one.name for one in listed)
    )

    def teacher_of(labelled, name):
        names.append(name)
        return teacher, data

    monkeypatch.setattr(trainer, "teacher", teacher_of)
    monkeypatch.setattr(trainer, "read", lambda name: data.labelled)
    monkeypatch.setattr(TaskData, "score", lambda *_: {})
    # As TensorFlow Datasets has it, all of them are called "wikiann".
    for target in ("wikiann:de", "wikiann:ru"):
        targets.transfer(
            trainer,
            target,
            targets.transferred_from(student),
            targets.rows_of(Config(targets="rte", task_distillation="both")),
        )
    assert len(set(names)) == len(names)
    assert {name.split(".")[0] for name in names} == {
        "wikiann-de",
        "wikiann-ru",
    }


def test_factorized_words_go_with_the_encoder(
    trainer, make_classifier, tmp_path
):
    trainer.config = Config(**{**vars(trainer.config), "embedding_dim": 4})
    student = trainer.create_student(make_classifier())
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
    data_dir, make_classifier, tmp_path, monkeypatch
):
    # The page on the source task is not what this is about.
    monkeypatch.setattr(recipe._Recipe, "_write_report", lambda self: "none")
    encoder = make_classifier(num_layers=2)
    export.to_encoder_preset(encoder, tmp_path / "encoder")
    config = Config(
        source="sst2",
        targets="rte",
        glue_dir=str(data_dir),
        teacher=str(tmp_path / "encoder"),
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
