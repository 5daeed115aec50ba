"""What the recipe refuses before it trains."""

import dataclasses
import gc
import weakref

import pytest

from keras_distill import export
from recipes.xtremedistil import models
from recipes.xtremedistil.__main__ import build_parser
from recipes.xtremedistil.__main__ import main
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.config import split_names
from recipes.xtremedistil.labelled_task import LabelledTask
from recipes.xtremedistil.labelled_task import read_task


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"student": "big"}, "must be a preset"),
        ({"targets": "rte,rte"}, "may stand once"),
        ({"retrieve": 5}, "--retrieve is about the texts of --transfer"),
        ({"transfer_columns": "0"}, "--transfer-columns is about"),
        ({"max_transfer_texts": 5}, "--max-transfer-texts is about"),
        ({"transfer_sentences": True}, "--transfer-sentences is about"),
        ({"transfer_min_words": 2}, "--transfer-min-words is about"),
        ({"retrieve_balance": "equal"}, "--retrieve-balance is about"),
        (
            {"transfer": "any", "retrieve_balance": "equal"},
            "without --retrieve",
        ),
        (
            {"transfer": "any", "retrieve": 5, "max_transfer_texts": 9},
            "give one of them",
        ),
        ({"targets": "rte", "target_epochs": 0}, "--target-epochs must be 1"),
        ({"logits_epochs": -1}, "--logits-epochs must be 0 or more"),
        ({"task_distillation": "both"}, "without --targets"),
        ({"skip_bad_rows": True}, "--skip-bad-rows is about the files of"),
        ({"encoding": "cp1252"}, "--encoding is about .*--glue-dir"),
        (
            {"embeddings": "random", "freeze_embeddings": True},
            "--freeze-embeddings is about",
        ),
        (
            {"embeddings": "random", "embedding_positions": "teacher"},
            "--embedding-positions is about",
        ),
    ],
)
def test_settings_without_effect_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings).check()


@pytest.mark.parametrize(
    "settings",
    [
        {"target_epochs": 0},
        {"transfer": "any", "retrieve": 5, "retrieve_balance": "equal"},
        {"transfer": "any", "max_transfer_texts": 5, "transfer_min_words": 2},
        {"embeddings": "random", "embedding_positions": "random"},
        {"targets": "rte", "task_distillation": "both"},
        {"glue_dir": "any", "skip_bad_rows": True, "encoding": "cp1252"},
    ],
)
def test_settings_that_go_together(settings):
    Config(**settings).check()


def test_names_hold_commas_where_semicolons_part_them():
    assert split_names("rte, mrpc") == ("rte", "mrpc")
    assert split_names("rte; wikiann:en,de") == ("rte", "wikiann:en,de")
    assert split_names("wikiann:en,de;") == ("wikiann:en,de",)
    assert split_names("") == ()


@pytest.mark.parametrize(
    "change, message",
    [
        (["--student", "big"], "must be a preset"),
        (["--targets", "rte; wikiann:en,de"], "tags of words where"),
        (["--targets", "rte,mrqc"], "mrqc"),
        (["--targets", "qqp"], "must hold the folder QQP"),
        (
            ["--targets", "rte", "--task-distillation", "further"],
            "without a trained head",
        ),
        (["--sequence-length", "33"], "reads at most 32 tokens"),
        (["--student", "1x32x2"], "at most as wide as the teacher"),
        (["--source", "mrqc"], "mrqc"),
        (["--source", "boolq"], "give `data_dir`"),
        (["--source", "wikiann:"], "languages after the colon"),
        (["--source", "ontonotes:en"], "only WikiAnn is known"),
        (["--transfer", "no/such/file"], "no/such/file"),
        (["--student", "3x8x2"], "3 student layers and 2 teacher layers"),
    ],
)
def test_bad_input_is_one_sentence(
    untrained, tmp_path, capsys, change, message
):
    assert main([*untrained, "--logits-epochs", "0", *change]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    # Nothing was begun.
    assert not (tmp_path / "run").exists()


def test_a_target_is_no_longer_than_the_teacher_reads(
    data_dir, make_classifier, tmp_path
):
    export.to_preset(make_classifier(), tmp_path / "teacher")
    # SST-2's texts have 64 tokens and RTE's 128.
    labelled = read_task("sst2", glue_dir=data_dir)
    short = LabelledTask(
        dataclasses.replace(labelled.task, sequence_length=16),
        {"train": labelled.train, "dev": labelled.dev},
    )
    config = Config(
        source="sst2",
        targets="rte",
        glue_dir=str(data_dir),
        teacher=str(tmp_path / "teacher"),
        student="1x8x2",
    )
    checks = Checks()
    checks._tasks["sst2"] = short
    with pytest.raises(ValueError, match="at most 32 tokens, the target rte"):
        checks.check(config)


def test_checks_let_go_of_the_models(untrained, monkeypatch):
    config = vars(build_parser().parse_args(untrained))
    for name in ("run_dir", "quiet", "resume"):
        del config[name]
    made = []
    create_student = models.create_student

    def create(config, teacher):
        student, start = create_student(config, teacher)
        made.extend([weakref.ref(teacher), weakref.ref(student)])
        return student, start

    monkeypatch.setattr(models, "create_student", create)
    checks = Checks()
    checks.check(Config(**config))
    gc.collect()
    assert len(made) == 2
    assert [one() for one in made] == [None, None]
    # Each thing once.
    checks.check(Config(**config))
    assert len(made) == 2
