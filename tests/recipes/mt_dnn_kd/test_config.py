"""What the options of the recipe may be, and what it plans by them."""

import dataclasses
import types

import pytest

from keras_distill import tasks
from recipes.mt_dnn_kd import recipe
from recipes.mt_dnn_kd import results
from recipes.mt_dnn_kd.config import Config
from recipes.mt_dnn_kd.config import Start
from recipes.mt_dnn_kd.plan import show_plan
from recipes.mt_dnn_kd.plan import steps

RTE = {"tasks": "rte,sst2", "taught": "rte", "select_by": "rte"}


def test_the_paper():
    config = Config(profile="paper")
    assert config.task_names == tuple(
        "mnli rte qqp qnli mrpc sst2 cola stsb".split()
    )
    assert config.taught_names == ("mnli", "qqp", "rte", "qnli")
    assert len(config.members_by_name) == 6 and config.best == 3
    assert config.members_by_name["member-6"] == Start(
        "bert_large_en_uncased", 0.3
    )
    assert config.dropout_by_task == {"mnli": 0.3, "cola": 0.05}
    assert (config.epochs, config.rate, config.batch_size) == (5, 5e-5, 32)
    assert config.optimizer == "adamax" and config.max_train_examples is None
    assert config.hard_weight == 0.5


def test_what_is_trained():
    config = Config(
        **RTE, members="minilm:0.1,e5:large:0.2", student_tuning_epochs=1
    )
    assert config.members_by_name["member-2"] == Start("e5:large", 0.2)
    assert [step.name for step in steps(config)] == [
        *("member-1", "member-2", "<member>-rte"),
        *("single-rte", "single-sst2", "multi", "student"),
        *("student-rte", "student-sst2"),
    ]
    # Dropout of tasks that are not there is passed over.
    assert config.dropout_by_task == {}
    untaught = Config(**{**RTE, "taught": "none"}, baselines="none")
    assert [step.name for step in steps(untaught)] == ["student"]


def test_tasks_have_names_that_folders_can_have(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mails.csv").write_text("text,label\nhi,ham\nwin,spam\n")
        (folder / "junk.json").write_text('{"data": "mails.csv"}')
    config = Config(
        tasks="litl+cad_snli; wikiann:en,de; a/junk.json",
        taught="litl+cad_snli; a/junk.json",
        select_by="junk",
        task_dropout="a/junk.json:0.2",
        data_dir="data",
    )
    assert config.task_names == ("litl-cad_snli", "wikiann-en-de", "junk")
    assert config.taught_names == ("litl-cad_snli", "junk")
    assert config.dropout_by_task == {"junk": 0.2}
    with pytest.raises(ValueError, match="--tasks must have different names"):
        Config(**{**RTE, "tasks": "rte,sst2,a/junk.json,b/junk.json"})


def test_the_plan_says_what_is_done(tmp_path, capsys):
    for name in ("member-1", "member-2", "member-2-rte"):
        (tmp_path / "stages" / name).mkdir(parents=True)
        (tmp_path / "stages" / name / "result.json").write_text("{}")
    show_plan(Config(**RTE), tmp_path)
    lines = {
        line.split("|")[1].strip(): line.split("|")[-2].strip()
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("| ")
    }
    assert lines["member-1"] == lines["member-2"] == "yes"
    assert lines["<member>-rte"] == "1 of 2"
    assert lines["student"] == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"taught": "mnli"}, "--taught must name tasks of --tasks, rte, sst2"),
        ({"select_by": "mnli"}, "--select-by must name tasks of --tasks"),
        ({"select_by": " "}, "--select-by must be a text that is not empty"),
        ({"answer_networks": "qqp"}, "--answer-networks must name tasks of"),
        ({"members": "minilm"}, "--members must be names with a rate from 0"),
        ({"members": "minilm:1"}, "Received: 'minilm:1'"),
        ({"task_dropout": "rte=0.1"}, "--task-dropout must be names with a"),
        ({"best": 3}, "--best must be at most 2, the number of --members"),
        ({"baselines": "both"}, "--baselines must be single, multi, both by"),
        ({"tasks": "rte,rte"}, "Received 'rte' twice"),
        ({"tasks": "rte,sst3"}, "There is no task 'sst3'"),
        ({"taught": "none", "best": 1}, "--best has no effect with --taught"),
    ],
)
def test_what_does_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        Config(**{**RTE, **options})


def test_the_table_tells_taught_tasks_apart():
    scores = {
        task: {
            name: {"accuracy": value, "f1": value / 2}
            for name, value in values.items()
        }
        for task, values in {
            "rte": {"multi": 0.6, "ensemble": 0.7, "student": 0.65},
            "mnli": {"multi": 0.8, "ensemble": 0.9, "student": 0.85},
            "sst2": {"multi": 0.91, "student": 0.92},
        }.items()
    }
    table = results.table(
        {
            "scores": scores,
            "metrics": dict.fromkeys(scores, "accuracy"),
            "taught": ["rte", "mnli"],
        }
    )
    assert table.splitlines() == [
        "| tasks with soft labels | one model, without distillation | ensemble "
        "| one model, distilled |",
        "| --- | ---: | ---: | ---: |",
        "| rte, accuracy × 100 | 60.0 | 70.0 | 65.0 |",
        "| rte, f1 × 100 | 30.0 | 35.0 | 32.5 |",
        "| mnli, accuracy × 100 | 80.0 | 90.0 | 85.0 |",
        "| mnli, f1 × 100 | 40.0 | 45.0 | 42.5 |",
        "| mean of the first of each task | 70.0 | 80.0 | 75.0 |",
        "",
        "| tasks without soft labels | one model, without distillation | one "
        "model, distilled |",
        "| --- | ---: | ---: |",
        "| sst2, accuracy × 100 | 91.0 | 92.0 |",
        "| sst2, f1 × 100 | 45.5 | 46.0 |",
    ]


def test_members_that_teach_tags_read_the_same_tokens(folder, settings):
    tags = types.SimpleNamespace(
        task=tasks.tagging_task("places", ["O", "B-LOC", "I-LOC"])
    )
    texts = types.SimpleNamespace(task=tasks.get_task("rte"))
    config = Config(**settings)
    recipe.check_members(config, {"rte": texts})
    with pytest.raises(ValueError, match="cased has another tokenizer than"):
        recipe.check_members(config, {"rte": tags})
    encoder = folder / "encoder"
    same = dataclasses.replace(config, members=f"{encoder}:0.1", best=1)
    recipe.check_members(same, {"rte": tags})
