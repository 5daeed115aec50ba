"""Every option of MobileBERT's recipe changes something, before training."""

import dataclasses

import pytest

from keras_distill import stages
from recipes.common import devices
from recipes.common.experiment import Experiment
from recipes.mobilebert import fine_tuning
from recipes.mobilebert import recipe
from recipes.mobilebert.config import Config
from tests.recipes.unrun import built_once
from tests.recipes.unrun import unrun

_TASK = {"tasks": "sst2"}
# A teacher that is there, and what it leaves open.
_OF_TEACHER = {
    "teacher": "other",
    **dict.fromkeys(["tokenizer", "teacher_size", "teacher_steps"]),
}
# What differs, by option: its value, and what else is set on both sides.
EFFECTS = {
    "corpus": ("latin.txt", {"encoding": "cp1252"}),
    "encoding": ("cp1252", {}),
    "data_dir": ("somewhere", {}),
    "reading_workers": (3, {}),
    "max_length": (11, {}),
    "random_next": (0.3, {}),
    "short_rows": (0.3, {}),
    "max_predictions": (4, {}),
    "mask_rate": (0.3, {}),
    "whole_words": (True, {}),
    "held_out_rows": (30, {}),
    "tokenizer": ("other", {}),
    "teacher": ("encoder", _OF_TEACHER),
    "teacher_size": ("2x12x2x8x8", {}),
    "student": ("2x12x2x4x4x2", {}),
    "embedding_dim": (6, {}),
    "layer_map": ("1,1", {}),
    "attention_dropout": (0.1, {}),
    "batch_size": (3, {}),
    "weight_decay": (0.1, {}),
    "seed": (2, {}),
    "teacher_steps": (4, {}),
    "teacher_rate": (1e-5, {}),
    "warmup": (0.2, {}),
    "transfer": ("joint", {}),
    "transfer_steps": (8, {}),
    "transfer_rate": (1e-5, {}),
    "done_rate": (0.0, {}),
    "feature_loss": ("paper", {}),
    "feature_weight": (2.0, {}),
    "distil_steps": (4, {}),
    "distil_rate": (1e-5, {}),
    "alpha": (1.0, {}),
    "strategy": ("tpu", {}),
    "precision": ("mixed_bfloat16", {}),
    "profile": ("paper", {"student": "2x12x2x4x8x2", "max_length": 12}),
    "tasks": ("sst2", {}),
    "glue_dir": ("glue", _TASK),
    "max_train_examples": (3, _TASK),
    "tuning_epochs": (2, _TASK),
    "tuning_rates": ("1e-5", _TASK),
    "tuning_batch_size": (8, _TASK),
}


@pytest.fixture
def observe(folder, settings, monkeypatch, tmp_path):
    """What settings come to, without any training."""
    (folder / "latin.txt").write_bytes(b"a good film\n\nA caf\xe9\n\na plot\n")
    if not (folder / "other").exists():
        (folder / "other").symlink_to(folder / "encoder")
    options_of_models = (
        *("teacher", "tokenizer", "teacher_size", "student", "seed"),
        *("embedding_dim", "attention_dropout", "precision"),
        *("transfer", "alpha", "max_length"),
    )
    make_teacher, make_student = (
        built_once(make, options_of_models)
        for make in (recipe.make_teacher, recipe.make_student)
    )

    def look(**options):
        with unrun(monkeypatch, folder, tmp_path) as (patch, run_folder, seen):
            patch.setattr(recipe, "make_teacher", make_teacher)
            patch.setattr(recipe, "make_student", make_student)
            patch.setattr(stages.Stage, "build", lambda stage: None)
            given = {**settings, "corpus": "corpus.txt", **options}
            given = {k: v for k, v in given.items() if v is not None}
            config = Config(**given)
            seen.append((config.teacher, config.data_dir))
            if "tokenizer" in options and options["tokenizer"]:
                seen.append(config.tokenizer)
            with devices.begin_devices("none", config.precision):
                _, rows = recipe.pretrain(Experiment(config, run_folder))
            seen.append(rows.fingerprints())
            seen += [config.tuning(name, "run") for name in config.task_names]
        return seen

    return look


def test_every_option_has_an_effect(observe, monkeypatch):
    names = {field.name for field in dataclasses.fields(Config)}
    # It ends the run before there is any: tests of its own.
    assert set(EFFECTS) == names - {"plan"}
    known = observe()
    assert observe() == known
    for name, (value, common) in EFFECTS.items():
        before = observe(**common) if common else known
        assert observe(**{**common, name: value}) != before, name


def test_a_plan_ends_a_run(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "show_plan", lambda config, quiet: None)
    config = Config(**settings, plan=True)
    assert recipe.run(config, tmp_path / "run") is None
    assert not (tmp_path / "run").exists()


def test_the_fine_tuning_has_what_it_was_told(settings):
    config = Config(
        **settings,
        tasks="sst2, mrpc",
        tuning_epochs=7,
        tuning_rates="1e-5,1e-4",
        tuning_batch_size=48,
        max_train_examples=9,
        seed=3,
        precision="mixed_bfloat16",
    )
    assert config.task_names == ["sst2", "mrpc"]
    assert config.tuning("mrpc", "run") == fine_tuning.Config(
        pretrained="run",
        task="mrpc",
        epochs=7,
        rates="1e-5,1e-4",
        batch_size=48,
        max_train_examples=9,
        seed=3,
        precision="mixed_bfloat16",
    )
