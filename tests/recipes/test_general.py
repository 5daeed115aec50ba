"""General distillation from the command line, and what starts from it."""

import dataclasses
import json
import re

import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import teachers
from recipes.common import devices
from recipes.common import experiment
from recipes.common import models
from recipes.tinybert import general
from recipes.tinybert import recipe
from recipes.tinybert.config import Config as TinyBert
from recipes.tinybert.general_config import Settings
from recipes.xtremedistil.config import Config as XtremeDistil
from tests.conftest import WORDS
from tests.recipes.conftest import made_up_documents
from tests.recipes.unrun import built_once
from tests.recipes.unrun import unrun


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_classifier):
    """A corpus, a teacher and one run of general distillation."""
    path = tmp_path_factory.mktemp("general")
    documents = made_up_documents()
    for name in ("a", "b"):
        (path / "corpus").mkdir(exist_ok=True)
        (path / f"corpus/{name}.txt").write_text("\n\n".join(documents[::2]))
        documents = documents[1:]
    (path / "latin.txt").write_bytes(b"a good film\n\nA caf\xe9\n")
    export.to_encoder_preset(make_classifier(num_layers=2), path / "teacher")
    return path


def _arguments(folder, run="run", **changes):
    options = {
        "corpus": folder / "corpus",
        "teacher": folder / "teacher",
        "student": "1x8x2",
        "max_length": 12,
        "batch_size": 8,
        "run_dir": folder / run,
        **changes,
    }
    return [
        str(word)
        for name, value in options.items()
        for word in (f"--{name.replace('_', '-')}", value)
    ]


@pytest.fixture(scope="module")
def encoder(folder):
    """What a run left."""
    assert general.main(_arguments(folder, epochs=2)) == 0
    return folder / "run" / "student"


def test_what_a_run_leaves(folder, encoder):
    found = json.loads((folder / "run/general.json").read_text())
    history = found["history"]
    assert set(history) == {
        *("loss", "attention_loss", "hidden_states_loss"),
        *("tokens", "tokens_per_second"),
    }
    assert history["loss"][1] < history["loss"][0]
    assert found["padding"] < 0.03
    # All rows of two epochs, most of which are full.
    rows = found["rows_per_epoch"]
    assert 0.8 * 24 * rows < found["tokens"] <= 24 * rows
    assert found["tokens_per_second"] > 0
    log = (folder / "run/log.txt").read_text()
    assert "student layer 1 <- teacher layer 2 | attention scores" in log
    assert f"{found['corpus']}: {rows:,} rows an epoch" in log
    # It is a preset as any other, with its tokenizer.
    classifier = keras_hub.models.TextClassifier.from_preset(
        str(encoder), num_classes=3
    )
    assert classifier.predict(["a good film"], verbose=0).shape == (1, 3)
    assert "text encoder without a head" in (encoder / "README.md").read_text()


def _teacher(folder):
    return teachers.load_teacher(str(folder / "teacher"), 2, 16).classifier


def _student(config, folder, **options):
    return models.create_student(config, _teacher(folder), **options)


@pytest.mark.parametrize("config_class", [TinyBert, XtremeDistil])
def test_a_student_starts_from_it(folder, encoder, config_class):
    config = config_class(student_from=str(encoder), teacher="minilm")
    student, words = _student(config, folder)
    saved = keras_hub.models.Backbone.from_preset(str(encoder))
    pairs = zip(student.backbone.weights, saved.weights, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)
    assert words == f"The student starts from the encoder in {encoder}"
    assert config.student_in_words == str(encoder)
    # A baseline is as large, and random.
    baseline, _ = _student(config, folder, start="random")
    assert baseline.backbone.hidden_dim == 8
    table = saved.token_embedding.embeddings
    assert not np.allclose(baseline.backbone.token_embedding.embeddings, table)


def test_an_encoder_that_does_not_fit(folder, encoder, make_classifier):
    def config(**options):
        return TinyBert(student_from=str(encoder), **options)

    with pytest.raises(ValueError, match="hidden_dim=8.* Leave --student out"):
        _student(config(student="1x16x2"), folder)
    assert _student(config(student="1x8x2"), folder)[0].backbone.num_layers == 1
    for options in (
        {"embeddings": "random"},
        {"student_start": "embeddings"},
    ):
        with pytest.raises(ValueError, match="no effect with --student-from"):
            config(**options)
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS[::-1]]
    )
    other = make_classifier(2, tokenizer=tokenizer)
    with pytest.raises(ValueError, match="made for another tokenizer"):
        models.create_student(config(), other)
    longer = make_classifier(2, sequence_length=64)
    with pytest.raises(ValueError, match="max_sequence_length: 32 there, 64"):
        models.create_student(config(), longer)


def test_heads_that_differ_are_compared_by_relations(
    make_classifier,
):
    teacher, same, fewer = (make_classifier(1, 8, heads) for heads in (4, 4, 2))
    for config, find in (
        (Settings(), general.encoder_losses),
        (TinyBert(), recipe.layer_losses),
    ):

        def names(student, config=config, find=find):
            return [loss.name for loss in find(config, teacher, student)]

        assert names(same) == ["hidden_states", "attention"]
        assert names(fewer) == ["hidden_states", "relations"]
    official = TinyBert(normalization="official")
    assert len(recipe.layer_losses(official, teacher, same)) == 2
    with pytest.raises(ValueError, match="4 heads of the teacher and 2 of"):
        recipe.layer_losses(official, teacher, fewer)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"max_length": 33}, "--max-length must be at most 32"),
        ({"corpus": "no/such"}, "no file or folder 'no/such'"),
        ({"corpus": "latin.txt"}, r"latin.txt:3: byte 6 .* encoding=.cp1252"),
        ({"steps": 3, "epochs": 2}, "--epochs has no effect with --steps"),
        (
            {
                "accumulate": 2,
                "precision": "mixed_float16",
                "strategy": "mirrored",
            },
            "--accumulate on several devices .* Use --precision mixed_bfloat16",
        ),
        ({"layer_map": "1,2"}, "a layer of the teacher for each of the"),
        ({"layer_map": "0"}, "--layer-map must be uniform, last, first or"),
        ({"layer_map": "3"}, "teacher layer 3, but the teacher has 2"),
        ({"random_next": 1.5}, "--random-next must be"),
    ],
)
def test_what_does_not_go(
    folder, tmp_path, monkeypatch, capsys, changes, message
):
    monkeypatch.chdir(folder)
    assert general.main(_arguments(folder, tmp_path / "run", **changes)) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert re.search(message, shown), shown


# What differs, by option: its value, and what else is set on both sides.
EFFECTS = {
    "corpus": ("latin.txt", {"encoding": "cp1252"}),
    "encoding": ("cp1252", {}),
    "data_dir": ("somewhere", {}),
    "reading_workers": (3, {}),
    "max_length": (11, {}),
    "random_next": (0.3, {}),
    "short_rows": (0.3, {}),
    "teacher": ("another", {}),
    "student": ("1x4x2", {}),
    "student_start": ("random", {}),
    "student_from": ("another", {"student": "2x16x2x32"}),
    "student_dropout": (0.5, {}),
    "embeddings": ("random", {}),
    "layer_map": ("1", {}),
    "batch_size": (4, {}),
    "accumulate": (2, {}),
    "weight_decay": (0.1, {}),
    "rate": (1e-4, {}),
    "epochs": (2, {}),
    "steps": (3, {}),
    "seed": (2, {}),
    "strategy": ("tpu", {}),
    "precision": ("mixed_bfloat16", {}),
}


@pytest.fixture
def observe(folder, make_classifier, monkeypatch, tmp_path):
    """What settings come to, without any training."""
    teacher = make_classifier(num_layers=2)
    create = built_once(
        models.create_student,
        ("seed", "student", "student_start", "student_from", "embeddings")
        + ("student_dropout", "precision"),
    )

    def look(**options):
        def load_teacher(*arguments):
            seen.append(arguments)
            return teachers.LoadedTeacher(teacher, False, None)

        with unrun(monkeypatch, folder, tmp_path) as (patch, run_folder, seen):
            patch.setattr(models, "create_student", create)
            patch.setattr(teachers, "load_teacher", load_teacher)
            config = Settings(
                **{
                    "corpus": "corpus",
                    "student": "1x8x2",
                    "max_length": 12,
                    "batch_size": 8,
                    **options,
                }
            )
            with devices.begin_devices("none", config.precision):
                general.distil(experiment.Experiment(config, run_folder))
        return seen

    return look


def test_every_option_has_an_effect(observe):
    names = {field.name for field in dataclasses.fields(Settings)}
    assert set(EFFECTS) == names
    known = observe()
    assert observe() == known
    for name, (value, common) in EFFECTS.items():
        before = observe(**common) if common else known
        assert observe(**{**common, name: value}) != before, name
