"""Which rows the recipe trains on, chooses by and measures."""

import dataclasses

import numpy as np
import pytest

from keras_distill import tasks
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.labelled_task import read_task
from recipes.xtremedistil.trainer import TaskData


def test_a_missing_dev_split_is_always_the_same_part_of_train(data_dir):
    labelled = read_task("mrpc", glue_dir=data_dir)
    again = read_task("mrpc", glue_dir=data_dir)
    assert (len(labelled.train), len(labelled.dev)) == (22, 2)
    assert not set(labelled.train.ids) & set(labelled.dev.ids)
    assert labelled.dev.texts == again.dev.texts


def test_bad_rows_are_left_out_if_asked_for(trainer, data_dir, capsys):
    path = data_dir / "SST-2" / "train.tsv"
    path.write_bytes(
        path.read_bytes() + "caf\u00e9\t1\nshort\n".encode("cp1252")
    )
    with pytest.raises(ValueError, match="train.tsv:.* may be cp1252"):
        trainer.read("sst2")
    trainer.config = dataclasses.replace(
        trainer.config, encoding="cp1252", skip_bad_rows=True
    )
    assert trainer.read("sst2").train.texts[0][-1] == "caf\u00e9"
    assert "left out 1 row of" in capsys.readouterr().err


def test_epochs_are_chosen_by_a_part_and_scores_are_of_all(
    trainer, make_classifier
):
    config = Config(**{**vars(trainer.config), "max_dev_examples": 4})
    trainer.config = config
    labelled = trainer.read("sst2")
    model = make_classifier()
    data = trainer.tokenize(labelled, model.preprocessor.tokenizer)
    assert isinstance(data, TaskData)
    assert (len(data.dev), len(data.whole_dev)) == (4, 16)
    assert set(data.dev.ids) < set(data.whole_dev.ids)

    trainer.config = Config(**{**vars(config), "max_scored_examples": 6})
    part = trainer.read("sst2")
    assert len(part.dev) == 6
    assert set(part.dev.ids) < set(labelled.dev.ids)
    assert len(part.train) == len(labelled.train)


def test_all_see_the_training_rows_that_were_drawn(trainer, tokenizer):
    whole = trainer.read("sst2")
    trainer.config = dataclasses.replace(trainer.config, max_train_examples=5)
    labelled = trainer.read("sst2")
    assert len(labelled.train) == 5
    assert set(labelled.train.ids) < set(whole.train.ids)
    data = trainer.tokenize(labelled, tokenizer)
    np.testing.assert_array_equal(data.train.ids, labelled.train.ids)
    # What like texts are looked for by.
    assert labelled.queries(1)[0].texts == labelled.train.texts


@pytest.mark.slow
def test_texts_like_the_tasks_are_retrieved(
    trainer, make_classifier, tmp_path, monkeypatch
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
    trainer.config = Config(
        **{**vars(trainer.config), "transfer": str(corpus), "retrieve": 2}
    )
    for name in ("sst2", "rte"):
        labelled = trainer.read(name)
        data = trainer.tokenize(labelled, model.preprocessor.tokenizer)
        found = trainer.transfer_texts(
            labelled, data, model.preprocessor.tokenizer
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
    trainer, tokenizer, tmp_path, monkeypatch, text, balance
):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("a sad film\na great plot\n")
    asked = []

    def retrieve(examples, files, num_texts, **options):
        asked.append(options["label_balance"])
        return tasks.retrieval.Retrieved(files.load(), None, None)

    monkeypatch.setattr(tasks.retrieval, "retrieve", retrieve)
    trainer.config = dataclasses.replace(
        trainer.config, transfer=str(corpus), retrieve=2, retrieve_balance=text
    )
    trainer.transfer_texts(trainer.read("sst2"), None, tokenizer)
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
def test_a_balance_needs_classes(data_dir, name, text, message):
    labelled = read_task(name, glue_dir=data_dir)
    with pytest.raises(ValueError, match=message):
        labelled.label_balance(text, num_columns=1)
