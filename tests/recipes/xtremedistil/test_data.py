"""Which rows the recipe trains on, chooses by and measures."""

import dataclasses

import numpy as np
import pytest

from keras_distill import tasks
from recipes.common import task_data
from recipes.common import texts
from recipes.common.reading import read_task
from recipes.xtremedistil.config import Config


def test_a_missing_dev_split_is_always_the_same_part_of_train(data_dir):
    config = Config(source="mrpc", glue_dir=data_dir)
    found, again = (
        task_data.from_splits(*read_task("mrpc", config)) for _ in range(2)
    )
    assert (len(found.train), len(found.dev)) == (22, 2)
    assert not set(found.train.ids) & set(found.dev.ids)
    assert found.dev.texts == again.dev.texts


def test_bad_rows_are_left_out_if_asked_for(experiment, data_dir, capsys):
    path = data_dir / "SST-2" / "train.tsv"
    path.write_bytes(
        path.read_bytes() + "caf\u00e9\t1\nshort\n".encode("cp1252")
    )
    with pytest.raises(ValueError, match="train.tsv:.* may be cp1252"):
        experiment.read("sst2")
    experiment.config = dataclasses.replace(
        experiment.config, encoding="cp1252", skip_bad_rows=True
    )
    assert experiment.read("sst2").train.texts[0][-1] == "caf\u00e9"
    assert "left out 1 row of" in capsys.readouterr().err


def test_epochs_are_chosen_by_a_part_and_scores_are_of_all(
    experiment, tokenizer
):
    config = dataclasses.replace(experiment.config, max_dev_examples=4)
    experiment.config = config
    whole = experiment.read("sst2")
    data = experiment.tokenize(whole, tokenizer)
    assert (len(data.validation), len(data.dev)) == (4, 16)
    assert set(data.validation.ids) < set(data.dev.ids)

    experiment.config = dataclasses.replace(config, max_scored_examples=6)
    part = experiment.read("sst2")
    assert len(part.dev) == 6
    assert set(part.dev.ids) < set(whole.dev.ids)
    assert len(part.train) == len(whole.train)


def test_all_see_the_training_rows_that_were_drawn(experiment, tokenizer):
    whole = experiment.read("sst2")
    experiment.config = dataclasses.replace(
        experiment.config, max_train_examples=5
    )
    drawn = experiment.read("sst2")
    assert len(drawn.train) == 5
    assert set(drawn.train.ids) < set(whole.train.ids)
    data = experiment.tokenize(drawn, tokenizer)
    np.testing.assert_array_equal(data.train.ids, drawn.train.ids)
    # What like texts are looked for by.
    assert texts.queries(drawn.task, drawn.train, 1).texts == drawn.train.texts


@pytest.mark.slow
def test_texts_like_the_tasks_are_retrieved(
    experiment, make_classifier, tmp_path, monkeypatch
):
    backbone = make_classifier().backbone
    model = make_classifier()
    encoder = tasks.retrieval.SentenceEncoder(
        backbone, model.preprocessor.tokenizer, sequence_length=16
    )
    retrieve = tasks.retrieval.retrieve
    monkeypatch.setattr(
        tasks.retrieval,
        "retrieve",
        lambda *args, **kwargs: retrieve(*args, encoder=encoder, **kwargs),
    )
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("a sad film\na great plot\na great film\nvery funny\n")
    experiment.config = dataclasses.replace(
        experiment.config, transfer=str(corpus), retrieve=2
    )
    for name in ("sst2", "rte"):
        examples = experiment.read(name)
        _, found = texts.transfer_texts(
            experiment, examples, None, model.preprocessor.tokenizer
        )
        assert len(found) == 2
        assert found.labels is None


@pytest.mark.parametrize(
    "text, balance",
    [
        (None, "equal"),
        ("examples", "examples"),
        ("positive=3, negative=1", [1, 3]),
    ],
)
def test_what_is_retrieved_is_balanced_as_asked(
    experiment, tokenizer, tmp_path, monkeypatch, text, balance
):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("a sad film\na great plot\n")
    asked = []

    def retrieve(examples, files, num_texts, **options):
        asked.append(options["label_balance"])
        return tasks.retrieval.Retrieved(files.load(), None, None)

    monkeypatch.setattr(tasks.retrieval, "retrieve", retrieve)
    experiment.config = dataclasses.replace(
        experiment.config,
        transfer=str(corpus),
        retrieve=2,
        retrieve_balance=text,
    )
    texts.transfer_texts(experiment, experiment.read("sst2"), None, tokenizer)
    assert asked == [balance]


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("sst2", "positive=1", "a share of each class, none negative and"),
        ("sst2", "positive=1,negative=x", "a share of each class"),
        ("sst2", "positive=1,negative=1,negative=2", "a share of each class"),
        # Of pairs that are taken apart no text has a class.
        ("rte", "equal", "needs examples with one class each"),
    ],
)
def test_a_balance_needs_classes(name, text, message):
    with pytest.raises(ValueError, match=message):
        texts.label_balance(tasks.get_task(name), text, num_columns=1)
