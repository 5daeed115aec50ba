"""Pieces are masked as BERT was pre-trained."""

import numpy as np
import pytest

from keras_distill import corpora

# Of the tokenizer of tests: padding, unknown, start, end and mask.
PAD, UNKNOWN, START, END, MASK = range(5)


@pytest.fixture(scope="module")
def rows(tokenizer):
    random = np.random.default_rng(0)
    ids = random.integers(5, tokenizer.vocabulary_size(), (400, 100))
    ids[:, 0], ids[:, 50], ids[:, 7] = START, END, UNKNOWN
    ids[:, 60:] = PAD
    return ids


@pytest.fixture(scope="module")
def masked(rows, tokenizer):
    return corpora.mask_pieces(rows, rows != PAD, tokenizer)


def test_a_share_of_the_pieces_is_to_be_predicted(rows, masked):
    x, pieces, weights = masked
    # 57 of 100 are no special token.
    assert (weights.sum(axis=1) == round(0.15 * 57)).all()
    places = x["mask_positions"]
    assert places.shape == pieces.shape == weights.shape == (400, 20)
    chosen = np.take_along_axis(rows, places, axis=1)
    assert (chosen == pieces)[weights == 1].all()
    assert not np.isin(pieces[weights == 1], [0, 1, 2, 3, 4]).any()


def test_of_these_80_10_and_10_percent(rows, masked, tokenizer):
    x, pieces, weights = masked
    now = np.take_along_axis(x["token_ids"], x["mask_positions"], axis=1)
    now, before = now[weights == 1], pieces[weights == 1]

    assert np.mean(now == MASK) == pytest.approx(0.8, abs=0.02)
    others = now[(now != MASK) & (now != before)]
    assert len(others) / len(now) == pytest.approx(0.1, abs=0.02)
    assert others.min() > MASK
    assert len(set(others)) == tokenizer.vocabulary_size() - 5


def test_all_else_stays(rows, masked):
    x, _, weights = masked
    is_chosen = np.zeros(rows.shape, bool)
    chosen_rows, number = np.nonzero(weights)
    is_chosen[chosen_rows, x["mask_positions"][chosen_rows, number]] = True

    assert (x["token_ids"] == rows)[~is_chosen].all()


def test_a_rows_masks_follow_from_its_number(rows, masked, tokenizer):
    part = corpora.mask_pieces(
        rows[[9, 3]], rows[[9, 3]] != PAD, tokenizer, row_ids=[9, 3]
    )
    another = corpora.mask_pieces(rows, rows != PAD, tokenizer, seed=(0, 1))

    for name in ("token_ids", "mask_positions"):
        assert (part[0][name] == masked[0][name][[9, 3]]).all()
        assert (another[0][name] != masked[0][name]).any()


def test_one_piece_at_least_and_none_of_special_tokens(tokenizer):
    rows = np.array([[START, 5, END], [START, END, PAD]])
    x, pieces, weights = corpora.mask_pieces(
        rows, rows != PAD, tokenizer, most=1
    )

    assert weights.tolist() == [[1], [0]]
    assert pieces[0] == 5 and x["mask_positions"][0] == 1
    assert (x["token_ids"][1] == rows[1]).all()
