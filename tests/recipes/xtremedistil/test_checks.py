"""What the recipe refuses before it trains."""

import contextlib
import dataclasses
import gc
import weakref

import pytest

from keras_distill import tasks
from recipes.common import texts
from recipes.common.options import split_names
from recipes.common.reading import check_folders
from recipes.xtremedistil import checks as checks_module
from recipes.xtremedistil.__main__ import build_parser
from recipes.xtremedistil.__main__ import main
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.config import Config
from tests.recipes.commands import changed
from tests.recipes.commands import without


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"student": "big"}, "must be a preset"),
        ({"student": "4x312x0"}, "must be a preset"),
        ({"student": "4x312x5"}, "num_heads=5 of hidden_dim=312"),
        ({"source": "mnil"}, "There is no task 'mnil' .did you mean 'mnli'"),
        ({"source": "mnli+sst2"}, "Only tasks with the same label names"),
        ({"source": ""}, "--source must be a text that is not empty"),
        ({"targets": "rte,mrqc"}, "no task 'mrqc' .did you mean 'mrpc'"),
        ({"targets": "rte,rte"}, "may stand once"),
        ({"targets": "rte,,mrpc"}, "--targets has no name between"),
        ({"metric": "f1"}, "--metric does not fit mnli.*for two classes"),
        (
            {"source": "wikiann:en", "metric": "f1"},
            "--metric does not fit wikiann",
        ),
        ({"retrieve": 5}, "--retrieve has no effect without --transfer"),
        ({"transfer_columns": "0"}, "--transfer-columns has no effect without"),
        (
            {"transfer": "any", "transfer_columns": "a,b,c"},
            "one or two columns",
        ),
        ({"transfer": "any", "transfer_columns": "a,"}, "one or two columns"),
        ({"max_transfer_texts": 5}, "--max-transfer-texts has no effect"),
        ({"transfer_sentences": True}, "--transfer-sentences has no effect"),
        ({"transfer_min_words": 2}, "--transfer-min-words has no effect"),
        (
            {"transfer": "any", "retrieve_balance": "equal"},
            "--retrieve-balance has no effect without --retrieve",
        ),
        (
            {"transfer": "any", "retrieve": 5, "max_transfer_texts": 9},
            "give one of them",
        ),
        ({"skip_bad_rows": True}, "--skip-bad-rows has no effect without --d"),
        ({"encoding": "cp1252"}, "--encoding has no effect .*--glue-dir"),
        (
            {
                "transfer": "any",
                "representation_epochs": 0,
                "logits_epochs": 0,
            },
            "--transfer has no effect with --representation-epochs 0 and with",
        ),
        ({"target_epochs": 4}, "--target-epochs has no effect without --targ"),
        (
            {"target_rate": 1e-5},
            "--target-rate has no effect without --targets",
        ),
        ({"task_distillation": "both"}, "no effect without --targets"),
        (
            {"teacher_epochs": 0, "teacher_rate": 1e-5},
            "with --teacher-epochs 0",
        ),
        (
            {"representation_epochs": 0, "attention": "none"},
            "--attention has no effect with --representation-epochs 0",
        ),
        (
            {"unfreezing": "none", "head_rate": 1e-2},
            "--head-rate has no effect with --unfreezing none",
        ),
        (
            {"logits_epochs": 0, "labels_epochs": 0, "unfreezing": "layer"},
            "--unfreezing has no effect with --logits-epochs 0 and with --lab",
        ),
        (
            {
                "representation_epochs": 0,
                "logits_epochs": 0,
                "labels_epochs": 0,
            },
            "One of the stages must have epochs",
        ),
        (
            {"max_dev_examples": 500, "max_scored_examples": 100},
            "drawn from those of --max-scored-examples",
        ),
        (
            {"embeddings": "random", "freeze_embeddings": True},
            "--freeze-embeddings has no effect with --embeddings random",
        ),
        (
            {"embeddings": "random", "embedding_positions": "teacher"},
            "--embedding-positions is about",
        ),
    ],
)
def test_settings_without_effect_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"targets": "rte", "target_epochs": 1, "target_rate": 1e-5},
        {"metric": "macro_f1"},
        {"source": "wikiann:en,de", "metric": "phrase_recall"},
        {"max_scored_examples": 100},
        {"transfer": "any", "retrieve": 5, "retrieve_balance": "equal"},
        {"transfer": "any", "max_transfer_texts": 5, "transfer_min_words": 2},
        {"embeddings": "random", "embedding_positions": "random"},
        {"targets": "rte", "task_distillation": "both"},
        {"glue_dir": "any", "skip_bad_rows": True, "encoding": "cp1252"},
    ],
)
def test_settings_that_go_together(settings):
    config = Config(**settings)
    assert {name: getattr(config, name) for name in settings} == settings


@pytest.mark.parametrize(
    ("names", "folders", "message"),
    [
        (["boolq"], {"glue_dir": "any"}, None),
        (
            ["boolq"],
            {"glue_dir": "any", "data_dir": "any"},
            "--glue-dir has no effect",
        ),
        (["wikiann:en"], {"glue_dir": "any"}, "--glue-dir has no effect"),
        (["film_reviews"], {"data_dir": "any"}, "--data-dir has no effect"),
        (
            ["mnli", "rte"],
            {"data_dir": "any", "glue_dir": "any"},
            "--data-dir has no effect where no task is read from it",
        ),
        (["mnli", "boolq"], {"data_dir": "any", "glue_dir": "any"}, None),
        (["mnli"], {"data_dir": "any"}, None),
        (["mnli+litl"], {"data_dir": "any", "glue_dir": "any"}, None),
        (["film_reviews"], {}, None),
    ],
)
def test_folders_that_no_task_is_read_from(names, folders, message):
    refused = contextlib.nullcontext()
    if message is not None:
        refused = pytest.raises(ValueError, match=message)
    with refused:
        check_folders(names, Config(**folders))


@pytest.mark.parametrize(
    "text", ["negative=nan,positive=1", "negative=0,positive=0", "negative=-1"]
)
def test_shares_that_are_none(text):
    with pytest.raises(ValueError, match="none negative and not all 0"):
        texts.label_balance(tasks.get_task("sst2"), text, 1)


def test_names_hold_commas_where_semicolons_part_them():
    assert split_names("rte, mrpc", "targets") == ("rte", "mrpc")
    assert split_names("rte; wikiann:en,de", "targets") == (
        "rte",
        "wikiann:en,de",
    )
    assert split_names("wikiann:en,de;", "targets") == ("wikiann:en,de",)
    assert split_names("", "targets") == ()


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
        (
            ["--source", "film_reviews"],
            "--glue-dir has no effect where no task is",
        ),
        (["--transfer", "no/such/file"], "no/such/file"),
        (["--student", "3x8x2"], "3 student layers and 2 teacher layers"),
    ],
)
def test_bad_input_is_one_sentence(
    untrained, tmp_path, capsys, change, message
):
    assert main(changed(untrained, "--logits-epochs", "0", *change)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    # Nothing was begun.
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "source, message",
    [
        ("boolq", "give `data_dir`"),
        ("wikiann:", "languages after the colon"),
        ("ontonotes:en", "only WikiAnn is known"),
    ],
)
def test_bad_sources_are_one_sentence(untrained, capsys, source, message):
    command = without(changed(untrained, "--source", source), "--glue-dir")
    assert main(command) == 2
    assert message in capsys.readouterr().err


def test_a_target_is_no_longer_than_the_teacher_reads(data_dir, made_untrained):
    # SST-2's texts have 64 tokens and RTE's 128.
    short = dataclasses.replace(tasks.get_task("sst2"), sequence_length=16)
    config = Config(
        source="sst2",
        targets="rte",
        glue_dir=str(data_dir),
        teacher=str(made_untrained / "whole"),
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
    create_student = checks_module.create_student

    def create(config, teacher, **options):
        student, start = create_student(config, teacher, **options)
        made.extend([weakref.ref(teacher), weakref.ref(student)])
        return student, start

    monkeypatch.setattr(checks_module, "create_student", create)
    checks = Checks()
    checks.check(Config(**config))
    gc.collect()
    assert len(made) == 2
    assert [one() for one in made] == [None, None]
    # Each thing once.
    checks.check(Config(**config))
    assert len(made) == 2
