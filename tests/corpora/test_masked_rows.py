"""Rows of a corpus that a masked language model is trained on."""

import keras
import numpy as np
import pytest

from keras_distill import corpora


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, tokenizer):
    path = tmp_path_factory.mktemp("corpus")
    documents = ["the film " * 30, "a plot was\nvery bad\n" * 6, "dull"]
    (path / "text.txt").write_text("\n\n".join(documents))
    return corpora.tokenize_corpus(path / "text.txt", tokenizer, path / "ids")


@pytest.fixture(scope="module")
def rows(corpus):
    return corpora.MaskedRows(corpus, sequence_length=18)


def read(rows, *arguments, **options):
    return [
        keras.tree.map_structure(np.asarray, tuple(batch))
        for batch in rows.batches(*arguments, **options)
    ]


def are_equal(one, other):
    flat = zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True)
    return all(np.array_equal(a, b) for a, b in flat)


def test_rows_are_full_and_of_one_document(rows, tokenizer):
    # 60 pieces are 3 rows of 16 and one of 12; 30 are 16 and 14; 1 is none.
    assert len(rows) == 6
    (x, pieces, weights) = read(rows, 6)[0]
    assert x["padding_mask"].sum(axis=1).tolist() == [18, 18, 18, 14, 18, 16]
    # What is masked, put back.
    ids = x["token_ids"].copy()
    for row, places in enumerate(x["mask_positions"]):
        chosen = weights[row] == 1
        ids[row, places[chosen]] = pieces[row, chosen]
    words = [tokenizer.id_to_token(piece) for piece in ids[3]]
    assert words == ["[CLS]", *["the", "film"] * 6, "[SEP]"] + ["[PAD]"] * 4
    words = [tokenizer.id_to_token(piece) for piece in ids[4]][:7]
    assert words == ["[CLS]", "a", "plot", "was", "very", "bad", "a"]


def test_an_epoch_is_resumed_at_any_batch(rows):
    whole = read(rows, 2, shuffle=True, seed=5, initial_epoch=1)
    rest = read(rows, 2, shuffle=True, seed=5, initial_epoch=1, first_batch=2)

    assert len(whole) == 3 and are_equal(whole[2:], rest)
    other = read(rows, 2, shuffle=True, seed=5, initial_epoch=0)
    assert not are_equal(whole, other)


def test_epochs_shorter_than_a_pass_go_through_all_rows(corpus, rows):
    short = corpora.MaskedRows(corpus, 18, batches_per_epoch=2)
    epochs = [
        batch
        for epoch in range(3)
        for batch in read(short, 2, True, 5, epoch, first_batch=0)
    ]
    passes = [
        batch
        for epoch in range(2)
        for batch in read(rows, 2, True, 5, epoch, first_batch=0)
    ]

    assert short.num_batches(2) == 2 and are_equal(epochs, passes)


def test_without_shuffling_all_epochs_are_the_same(rows):
    batches = rows.batches(4)
    one, two = (
        [keras.tree.map_structure(np.asarray, tuple(x)) for x in batches]
        for _ in range(2)
    )

    assert len(one) == 1 and are_equal(one, two)


def test_documents_can_be_chosen_and_rows_told_apart(corpus, rows):
    second = corpora.MaskedRows(corpus, 18, documents=np.array([1]))

    assert len(second) == 2
    assert second.fingerprints() != rows.fingerprints()
    seeded = corpora.MaskedRows(corpus, 18, seed=1)
    assert seeded.fingerprints() != rows.fingerprints()
    with pytest.raises(ValueError, match="There are 2 rows, fewer than a bat"):
        second.num_batches(3)
