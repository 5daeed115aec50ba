"""Every option of the recipe changes something, before training."""

import dataclasses
import hashlib
import types

import pytest

from keras_distill import stages
from keras_distill.io.hashes import json_hash
from recipes.common import devices
from recipes.common.experiment import Experiment
from recipes.common.training import make_optimizer
from recipes.mt_dnn_kd import recipe
from recipes.mt_dnn_kd.config import Config
from tests.recipes.conftest import BAD
from tests.recipes.conftest import GOOD

_LATIN = {"glue_dir": "latin"}
# What differs, by option: its value, and what else is set on both sides.
EFFECTS = {
    "profile": ("paper", {"epochs": None, "tuning_epochs": None}),
    "tasks": ("rte", {}),
    "taught": ("rte,sst2", {}),
    "members": ("encoder:0.1,cased:0.3", {}),
    "best": (1, {}),
    "select_by": ("sst2", {}),
    "select_on": ("train", {"glue_dir": "large"}),
    "student": ("cased", {}),
    "student_dropout": (0.3, {}),
    "answer_networks": (None, {}),
    "pooling": ("mean", {}),
    "task_dropout": ("rte:0.2", {}),
    "hard_weight": (0.0, {}),
    "epochs": (2, {}),
    "rate": (1e-3, {}),
    "tuning_epochs": (0, {}),
    "student_tuning_epochs": (1, {}),
    "baselines": ("multi", {}),
    "glue_dir": ("large", {}),
    "data_dir": ("glue", {"glue_dir": None, "data_dir": "large"}),
    "skip_bad_rows": (True, {}),
    "encoding": ("cp1252", _LATIN),
    "sequence_length": (8, {}),
    "max_train_examples": (3, {}),
    "batch_size": (3, {}),
    "weight_decay": (0.1, {}),
    "seed": (2, {}),
    "strategy": ("tpu", {}),
    "precision": ("mixed_bfloat16", {}),
}


@pytest.fixture
def observe(folder, settings, monkeypatch, tmp_path):
    """What settings come to, without any training."""
    _write(folder, "large", (GOOD + BAD) * 60)
    _write(folder, "latin", ["a caf\xe9", *GOOD[1:], *BAD])
    made = {}

    def once(make):
        def build(config, start, *arguments):
            tasks = arguments[0]
            tasks = tasks if isinstance(tasks, list) else [tasks]
            key = (make.__name__, start, tuple(task.name for task in tasks))
            key += (config.answer_names, json_hash(config.dropout_by_task))
            key += (config.sequence_length, config.seed, config.precision)
            key += (config.pooling,)
            if key not in made:
                made[key] = make(config, start, *arguments)
            return made[key]

        return build

    make_model, make_single_model = map(
        once, (recipe.make_model, recipe.make_single_model)
    )

    def look(**options):
        seen = []

        def run_stages(listed, run_folder, seed):
            for stage in listed:
                seen.append((_described(stage), seed))
            best = dict.fromkeys(["rte/accuracy", "sst2/accuracy"], 0.5)
            return {
                stage.name: stages.StageResult({}, 0.0, best)
                for stage in listed
            }

        run_folder = types.SimpleNamespace(
            path=tmp_path, quiet=True, say=lambda *_: None, writes=False
        )
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(stages, "run_stages", run_stages)
            patch.setattr(recipe, "make_model", make_model)
            patch.setattr(recipe, "make_single_model", make_single_model)
            patch.setattr(
                recipe, "make_ensemble", lambda _, kept, one: list(kept)
            )
            patch.setattr(recipe, "soft_labels", _SoftLabels)
            given = {**settings, **options}
            given = {k: v for k, v in given.items() if v is not None}
            config = Config(**given)
            with devices.begin_devices("none", config.precision):
                experiment = Experiment(config, run_folder)
                experiment.folder.say = lambda *lines: None
                seen.append(recipe.train_all(experiment)[1])
            seen.append(config.skip_bad_rows)
        return seen

    return look


class _SoftLabels:
    """Stands for a cache of soft labels."""

    def __init__(self, experiment, model, examples, ensemble):
        pass

    def attach(self, rows):
        return rows


def _described(stage):
    student = stage.student
    weights = [w.numpy().tobytes() for w in student.weights]
    backbone = student.backbone
    models = getattr(student, "task_models", {"": student})
    return (
        stage.describe(),
        stage.train.fingerprints(),
        stage.select_by,
        hashlib.sha256(b"".join(weights)).hexdigest(),
        str({**backbone.get_config(), "name": None}),
        [
            (
                type(one).__name__,
                getattr(one.dropout, "rate", one.dropout),
                getattr(one, "pooling", None),
            )
            for one in models.values()
            if hasattr(one, "dropout")
        ],
    )


def _write(folder, name, texts):
    for task, header, tail in (
        ("SST-2", "sentence\tlabel", "\t1"),
        ("RTE", "index\tsentence1\tsentence2\tlabel", "\ta film\tentailment"),
    ):
        path = folder / name / task
        path.mkdir(parents=True, exist_ok=True)
        lines = [header]
        for row, text in enumerate(texts):
            place = f"{row}\t" if task == "RTE" else ""
            lines.append(f"{place}{text}{tail}")
        data = ("\n".join(lines) + "\n").encode("cp1252")
        for split in ("train", "dev"):
            (path / f"{split}.tsv").write_bytes(data)


@pytest.mark.slow
def test_every_option_has_an_effect(observe):
    names = {field.name for field in dataclasses.fields(Config)}
    # It ends the run before there is any: tests of its own.
    assert set(EFFECTS) == names - {"plan"}
    known = observe()
    assert observe() == known
    for name, (value, common) in EFFECTS.items():
        if name == "encoding":
            with pytest.raises(ValueError, match="UTF-8"):
                observe(**common)
            observe(**common, encoding=value)
            continue
        before = observe(**common) if common else known
        assert observe(**{**common, name: value}) != before, name


def test_a_plan_ends_a_run(settings, tmp_path, capsys):
    assert recipe.run(Config(**settings, plan=True), tmp_path / "run") is None
    assert "| member-1 |" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_the_optimizer_is_the_papers(settings):
    optimizer = make_optimizer(Config(**settings), 5e-5, total_steps=20)
    assert type(optimizer).__name__ == "Adamax"
    assert optimizer.global_clipnorm == 1.0 and optimizer.clipnorm is None
    assert optimizer.weight_decay == 0.01
    rates = [float(optimizer._learning_rate(step)) for step in (0, 1, 2, 20)]
    assert rates == pytest.approx([0, 2.5e-5, 5e-5, 0], abs=1e-9)
