"""What every recipe does around its method."""

import json

import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import stages
from keras_distill import tasks
from recipes.common import models
from recipes.common import task_data
from recipes.common.experiment import Experiment
from recipes.tinybert import recipe as tinybert
from recipes.tinybert.__main__ import main
from recipes.tinybert.config import Config

SST2 = tasks.get_task("sst2")


def rows(count, start=0):
    """Rows that tell themselves apart by their ids."""
    return tasks.Examples(
        (["a film"] * count,),
        np.arange(count) % 2,
        np.arange(start, start + count),
    )


def test_epochs_are_chosen_on_dev_as_in_the_papers():
    splits = {"train": rows(30), "dev": rows(20, start=100)}
    found = task_data.from_splits(SST2, splits)
    assert found.validation is found.dev
    assert (len(found.train), found.dev_name) == (30, "dev")
    assert found.notes() == [
        "Quality is measured on the dev split, on which the best epochs were "
        "chosen as well."
    ]


def test_epochs_are_chosen_on_rows_of_train_that_nothing_trains_on():
    splits = {"train": rows(6000), "dev": rows(20, start=9000)}
    found, again = (
        task_data.from_splits(SST2, splits, "train") for _ in range(2)
    )
    # 5%.
    assert (len(found.train), len(found.validation)) == (5700, 300)
    assert set(found.train.ids) | set(found.validation.ids) == set(range(6000))
    assert set(found.dev.ids) == set(splits["dev"].ids)
    np.testing.assert_array_equal(found.validation.ids, again.validation.ids)
    assert found.notes() == [
        "Quality is measured on the dev split; the best epochs were chosen on "
        "300 rows of the training split, which nothing was trained on."
    ]
    # 200 rows at least.
    small = task_data.from_splits(SST2, {**splits, "train": rows(500)}, "train")
    assert (len(small.train), len(small.validation)) == (300, 200)
    with pytest.raises(ValueError, match="399 rows of sst2. Use --select-on d"):
        task_data.from_splits(SST2, {**splits, "train": rows(399)}, "train")


def test_a_part_of_train_serves_where_there_is_no_dev_split():
    found = task_data.from_splits(SST2, {"train": rows(50)})
    assert (len(found.train), len(found.dev)) == (45, 5)
    assert found.dev_name == "held-out part of the train"
    both = task_data.from_splits(SST2, {"train": rows(1000)}, "train")
    parts = (both.train, both.dev, both.validation)
    assert [len(part) for part in parts] == [700, 100, 200]
    assert set.union(*(set(part.ids) for part in parts)) == set(range(1000))


def test_limits_take_the_first_rows_or_draw_them():
    class Drawn(Config):
        draws_rows = True
        max_dev_examples = 4
        max_scored_examples = 6

    splits = {"train": rows(30), "dev": rows(20), "dev_mismatched": rows(20)}
    found = task_data.from_splits(SST2, splits)
    first = found.limited(Config(max_train_examples=5))
    assert first.train.ids.tolist() == [0, 1, 2, 3, 4]
    drawn = found.limited(Drawn(max_train_examples=5))
    assert drawn.train.ids.tolist() == sorted(drawn.train.ids)
    assert drawn.train.ids.tolist() != first.train.ids.tolist()
    sizes = [len(drawn.dev), len(drawn.validation)]
    assert [*sizes, len(drawn.further["dev_mismatched"])] == [6, 4, 6]
    assert set(drawn.validation.ids) < set(drawn.dev.ids)


def test_what_is_tokenised_are_the_same_rows(make_classifier):
    splits = {"train": rows(500), "dev": rows(20), "dev_mismatched": rows(8)}
    found = task_data.from_splits(SST2, splits, "train")
    model = make_classifier(num_layers=1)
    data = found.tokenize(model.preprocessor, 16)
    for name in ("train", "dev", "validation"):
        np.testing.assert_array_equal(
            getattr(data, name).ids, getattr(found, name).ids
        )
    assert data.validation.sequence_length == 16
    assert list(data.score(model)) == ["accuracy", "accuracy_dev_mismatched"]
    assert list(data.measure(model)) == ["accuracy"]
    assert data.chance() == found.chance()


@pytest.mark.parametrize(
    ("start", "takes_words", "takes_layers"),
    [
        ("layers", True, True),
        ("embeddings", True, False),
        ("random", False, False),
        (None, True, False),
    ],
)
def test_what_a_student_starts_from(
    make_classifier, start, takes_words, takes_layers
):
    teacher = make_classifier()
    config = Config(student="2x16x2x32", student_start=start)
    student, words = models.create_student(config, teacher)
    ours, theirs = student.backbone, teacher.backbone

    def is_same(one, two):
        return np.array_equal(one.get_weights()[0], two.get_weights()[0])

    assert is_same(ours.token_embedding, theirs.token_embedding) == takes_words
    # `uniform`: of four layers the second and the last.
    assert is_same(
        ours.transformer_layers[0], theirs.transformer_layers[1]
    ) == (takes_layers)
    assert ("layers 2, 4" in words) == takes_layers
    assert ("embeddings" in words) == takes_words


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ("2x8x2", "width 16 of the teacher and 8 of --student 2x8x2"),
        ("2x16x4x32", "heads 2 of the teacher and 4"),
        ("2x16x2x64", "intermediate width 32 of the teacher and 64"),
    ],
)
def test_layers_of_another_size_are_not_copied(make_classifier, size, message):
    config = Config(student=size, student_start="layers")
    with pytest.raises(ValueError, match=message):
        models.create_student(config, make_classifier())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"student_start": "layers", "embeddings": "random"}, "from the teach"),
        ({"student_start": "embeddings", "embeddings": "random"}, "from the t"),
        ({"task": "mrqc"}, "There is no task 'mrqc' .did you mean 'mrpc'"),
        ({"task": "ax"}, "There is no task 'ax'"),
        ({"task": "wikiann:en", "metric": "f1"}, "--metric does not fit"),
        ({"glue_dir": "any"}, "--glue-dir has no effect where no task is"),
        ({"task": "rte", "select_on": "test"}, "must be one of dev, train"),
        (
            {"intermediate_epochs": 0, "layer_map": "last"},
            "--layer-map has no effect with --intermediate-epochs 0 and with",
        ),
    ],
)
def test_settings_that_do_not_go_together(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings)


def test_settings_of_before_are_noted_as_before():
    assert not {"select_on", "student_start", "data_dir"} & set(
        Config().settings()
    )
    changed = Config(select_on="train").settings()
    assert changed["select_on"] == "train"


def test_a_stage_is_trained_as_the_options_say(
    tmp_path, make_classifier, tokenizer
):
    config = Config(batch_size=4, weight_decay=0.1)
    model = make_classifier(num_layers=1)
    data = task_data.from_splits(SST2, {"train": rows(8), "dev": rows(6)})
    data = data.tokenize(tokenizer, 8)
    with stages.RunFolder(tmp_path / "run", quiet=True) as folder:
        stage = Experiment(config, folder).label_stage(
            "labels", model, data, 1e-3, 2
        )
    described = stage.describe()
    assert (described["batch_size"], described["steps"]) == (4, 4)
    assert described["optimizer"]["config"]["weight_decay"] == 0.1
    assert described["keep"] == "accuracy"
    assert stage.validation is data.validation


def test_mrpc_is_read_as_it_lies_there_without_a_dev_split(
    shared_data, tmp_path
):
    config = Config(task="mrpc", glue_dir=str(shared_data / "glue"))
    with stages.RunFolder(tmp_path / "run", quiet=True) as folder:
        examples = Experiment(config, folder).read("mrpc")
    whole = tasks.load("mrpc", shared_data / "glue")[1]["train"]
    assert len(examples.dev) == round(len(whole) / 10)
    assert len(examples.train) + len(examples.dev) == len(whole)
    assert examples.dev_name == "held-out part of the train"


class NoFeatures:
    """A cache of the teacher's that has none."""

    def attach(self, examples, features=None):
        return examples


@pytest.mark.parametrize(
    ("kind", "labels", "metric", "loss"),
    [
        ("classification", ["bad", "good"], "accuracy", "cross_entropy"),
        (
            "multi_label",
            [["sad"], ["sad", "dull"]],
            "micro_f1",
            "cross_entropy",
        ),
        ("regression", [0.5, 1.25], "pearson_spearman", "mse"),
    ],
)
def test_rows_of_ones_own_are_distilled_as_their_labels_ask(
    tmp_path, make_classifier, kind, labels, metric, loss
):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "".join(
            json.dumps({"text": "a film", "label": labels[number % 2]}) + "\n"
            for number in range(24)
        )
    )
    config = Config(data=str(path), prediction_target="labels")
    with stages.RunFolder(tmp_path / "run", quiet=True) as folder:
        experiment = Experiment(config, folder)
        examples = experiment.read(config.main_task)
        task = examples.task
        model = make_classifier(num_layers=1, num_classes=task.num_outputs)
        data = experiment.tokenize(examples, model.preprocessor)
        stage = tinybert.prediction_step(
            experiment, model, NoFeatures(), data.student_train, data
        )
    assert task.kind == kind
    assert stage.keep.monitor == metric
    assert type(stage.loss) is type(task.label_loss())
    assert stage.distillation_losses.loss == loss
    assert metric in data.measure(model)


def test_a_temperature_of_numbers_is_refused_before_any_model(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "a film,0.5\na plot,1.25\n" * 12)
    config = Config(
        data=str(path), kind="regression", temperature=2.0, teacher="nowhere"
    )
    with stages.RunFolder(tmp_path / "run", quiet=True) as folder:
        experiment = Experiment(config, folder)
        examples = experiment.read(config.main_task)
        with pytest.raises(ValueError, match="temperature=2.0"):
            tinybert.distil(experiment, examples)


@pytest.fixture
def languages_dir(tmp_path):
    """A few tagged sentences in two languages."""
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


@pytest.mark.usefixtures("eager", "untimed")
def test_tinybert_distils_tags_of_words(
    languages_dir, tmp_path, make_token_classifier, capsys
):
    pytest.importorskip("seqeval.metrics", reason="needs seqeval")
    export.to_preset(
        make_token_classifier(), tmp_path / "teacher", tasks.WIKIANN_TAGS
    )
    arguments = [
        *("--task", "wikiann:en,no", "--data-dir", str(languages_dir)),
        *("--teacher", str(tmp_path / "teacher"), "--student", "1x16x2x32"),
        *("--student-start", "layers", "--allow-untrained-teacher"),
        *("--run-dir", str(tmp_path / "run"), "--sequence-length", "16"),
        *("--intermediate-epochs", "1", "--prediction-epochs", "1"),
        *("--baseline-epochs", "0", "--layer-map", "last"),
    ]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "as they are, and from its layers 2" in shown
    assert "The teacher's phrase_f1 on the dev split is" in shown
    run = tmp_path / "run"
    done = {path.name for path in (run / "stages").iterdir()}
    assert done == {"intermediate", "prediction"}
    table = (run / "languages.md").read_text()
    assert "| dev split, phrase F1 × 100 | teacher | student |" in table
    assert "| no | " in table
    report = json.loads((run / "report.json").read_text())
    assert report["comparison"]["selection_metric"] == "phrase_f1"
    student = keras_hub.models.Backbone.from_preset(str(run / "student"))
    assert student.num_layers == 1
    assert (run / "serving/1/saved_model.pb").is_file()
