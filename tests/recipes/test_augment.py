"""The augmentation's command: a table of a task's texts and their variants."""

import json

import pytest

from keras_distill import tasks
from keras_distill.corpora import augmentation
from keras_distill.corpora.augmentation import chunks
from recipes.common.experiment import Experiment
from recipes.tinybert import augment
from recipes.tinybert.augment import Config
from recipes.tinybert.config import Config as TinyBert

VECTORS = "film 1 0\nmovie 0.9 0.1\ndull 0 1\nbad 0.1 0.9\nsaid 0.5 0.5\n"


@pytest.fixture
def folder(tmp_path):
    """CoLA in GLUE's layout, rows of one's own with a score, and vectors."""
    (tmp_path / "vectors.txt").write_text(VECTORS)
    (tmp_path / "CoLA").mkdir()
    for split in ("train", "dev"):
        (tmp_path / "CoLA" / f"{split}.tsv").write_text(
            'gj04\t1\t\tHe said "film".\ngj04\t0\t*\tdull a film\n' * 3
        )
    (tmp_path / "own.csv").write_text(
        "one,two,score\n" + "dull film,bad,1.5\nmovie,the film,0.25\n" * 5
    )
    return tmp_path


@pytest.fixture
def run(folder):
    """Augments into `folder / "out"`, and gives the lines of the table."""

    def run(resume=True, **options):
        options = {"glove": str(folder / "vectors.txt"), **options}
        if "data" not in options:
            options |= {"task": "cola", "glue_dir": str(folder)}
        config = Config(**options)
        path = augment.run(config, folder / "out", quiet=True, resume=resume)
        return path.read_text().splitlines()

    return run


def test_the_table_names_columns_and_labels(run, folder):
    lines = run(samples=3)

    assert lines[:2] == ["sentence\tlabel", 'He said "film".\tacceptable']
    assert {line.split("\t")[1] for line in lines[1:]} == {
        "acceptable",
        "unacceptable",
    }
    report = json.loads((folder / "out/augment.json").read_text())
    assert report["texts"] == 6 and report["rows"] == len(lines) - 1


def test_the_table_is_read_back(run, folder):
    lines = run(samples=3)
    path = folder / "out/train_aug.tsv"

    of_task = tasks.read_rows(tasks.get_task("cola"), path)
    assert [
        f"{text}\t{('unacceptable', 'acceptable')[label]}"
        for text, label in zip(of_task.texts[0], of_task.labels, strict=True)
    ] == lines[1:]
    task, splits = tasks.load_data(path, quiet=True)
    rows = len(splits["train"]) + len(splits["dev"])
    assert task.text_columns == ("sentence",) and rows == len(lines) - 1


def test_pairs_with_scores_and_rows_held_out(run, folder):
    lines = run(
        data=str(folder / "own.csv"),
        text_column="one,two",
        label_column="score",
        samples=2,
    )

    assert lines[0] == "one\ttwo\tlabel"
    labels = [line.split("\t")[2] for line in lines[1:]]
    assert set(labels) == {"1.5", "0.25"}
    report = json.loads((folder / "out/augment.json").read_text())
    # One of ten rows is the recipe's dev split.
    assert report["texts"] == 9


def test_a_run_that_was_stopped_goes_on(run, folder, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 2)
    whole = run()
    (folder / "out").rename(folder / "whole")
    rows, left = augmentation.Augmenter.rows, [2]

    def stop(self, columns, first_row=0):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return rows(self, columns, first_row)

    monkeypatch.setattr(augmentation.Augmenter, "rows", stop)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not (folder / "out/train_aug.tsv").exists()
    # As when it is killed while it writes.
    with open(folder / "out/.new-train_aug.tsv", "a") as file:
        file.write("half a")
    left[0] = 1

    assert run() == whole and left == [0]
    # It is there, and nothing is left to do.
    assert run() == whole


def test_another_configuration_is_refused_or_begun_anew(run, folder):
    run(samples=2)
    with pytest.raises(ValueError, match="made otherwise .*seed: 1 there, 2"):
        run(samples=2, seed=2)
    (folder / "vectors.txt").write_text(VECTORS + "plot 1 1\n")
    with pytest.raises(ValueError, match="sources.glove is another one now"):
        run(samples=2)

    assert run(samples=2, resume=False)
    assert (folder / "out-earlier-1/train_aug.tsv").is_file()


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"task": "mnli"}, 20),
        ({"task": "mnli", "procedure": "official"}, 10),
        ({"task": "sst2", "procedure": "official"}, 20),
        ({"task": "cola", "procedure": "official"}, 30),
        ({"task": "film_reviews", "procedure": "official"}, 30),
        ({"task": "cola", "procedure": "official", "samples": 5}, 5),
    ],
)
def test_variants_of_a_text_by_task(options, expected):
    assert Config(glove="vectors.txt", **options).num_samples == expected


def test_processes_are_no_setting_of_the_table():
    one, two = (Config(glove="x", processes=n).settings() for n in (1, 2))

    assert one == two


def test_what_is_missing_is_said_before_work_begins(run, folder, capsys):
    with pytest.raises(ValueError, match="--masked-lm, --glove or both"):
        Config()
    with pytest.raises(ValueError, match="no word vectors in"):
        run(glove=str(folder / "none.txt"))
    with pytest.raises(ValueError, match="No masked language model could be"):
        run(masked_lm=str(folder / "none"))
    with pytest.raises(ValueError, match="--sequence-length has no effect"):
        Config(glove="x", sequence_length=64)
    with pytest.raises(ValueError, match="one answer for a text.*wikiann:en"):
        augment.run(
            Config(task="wikiann:en", glove="x", data_dir=str(_tags(folder))),
            folder / "tags",
            quiet=True,
        )
    status = augment.main(["--run-dir", str(folder / "out")])
    assert status == 2 and "Received: neither" in capsys.readouterr().err


def _tags(folder):
    path = folder / "wikiann" / "en"
    path.mkdir(parents=True)
    for split in ("train", "dev"):
        (path / f"{split}.iob").write_text("Anna B-PER\nsings O\n\n")
    return folder


def test_the_recipe_reads_it_for_its_student(run, folder, tmp_path):
    lines = run(samples=3)
    path = folder / "out/train_aug.tsv"
    config = TinyBert(task="cola", glue_dir=str(folder), augmented=str(path))
    with Experiment.begin(config, tmp_path / "run", quiet=True) as experiment:
        examples = experiment.read("cola")

    assert len(examples.student_train) == len(lines) - 1
    assert len(examples.train) == 6
    assert any(
        f"{len(lines) - 1} augmented rows" in note for note in examples.notes()
    )
    missing = TinyBert(task="cola", glue_dir=str(folder), augmented="none.tsv")
    with (
        pytest.raises(ValueError, match="--augmented: .*which is not there"),
        Experiment.begin(missing, tmp_path / "no", quiet=True) as experiment,
    ):
        experiment.read("cola")
