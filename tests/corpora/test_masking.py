"""Pieces are masked as BERT was pre-trained."""

import types

import numpy as np
import pytest

from keras_distill import corpora
from keras_distill.corpora.masking import Masking

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


def test_special_tokens_may_count_as_in_the_script(rows, tokenizer):
    masking = Masking(tokenizer, 0.15, 20, counts_special=True)
    x, pieces, weights = masking(rows, rows != PAD, (0,), range(400))

    # All that is no padding: 60 of 100.
    assert (weights.sum(axis=1) == round(0.15 * 60)).all()
    now = np.take_along_axis(x["token_ids"], x["mask_positions"], axis=1)
    now, before = now[weights == 1], pieces[weights == 1]
    assert not np.isin(before, [PAD, UNKNOWN, START, END]).any()
    # A random one may be the mask, or the one that was there.
    size = tokenizer.vocabulary_size()
    shares = (now == MASK).mean(), (now == before).mean()
    wanted = 0.8 + 0.1 / size, 0.1 + 0.1 / size
    assert shares == pytest.approx(wanted, abs=0.02)
    assert len(set(now)) == size


def test_words_are_chosen_whole(rows, tokenizer):
    masking = Masking(tokenizer, 0.15, 20, counts_special=True)
    begins = np.random.default_rng(1).random(rows.shape) < 0.6
    x, pieces, weights = masking(rows, rows != PAD, (0,), range(400), begins)

    is_chosen = np.zeros(rows.shape, bool)
    chosen_rows, number = np.nonzero(weights)
    is_chosen[chosen_rows, x["mask_positions"][chosen_rows, number]] = True
    assert (rows[is_chosen] == pieces[weights == 1]).all()
    # What goes on is chosen if and only if what it goes on with is.
    is_special = rows <= MASK
    goes_on = ~is_special[:, 1:] & ~is_special[:, :-1] & ~begins[:, 1:]
    assert goes_on.any()
    assert (is_chosen[:, 1:] == is_chosen[:, :-1])[goes_on].all()
    # There are enough words of one piece to fill the share.
    assert (weights.sum(axis=1) == 9).all()
    assert len(set(map(tuple, x["mask_positions"].tolist()))) > 390


def test_of_words_that_are_all_too_long_the_shortest(tokenizer):
    rows = np.array([[START, 5, 6, 7, 8, 9, END], [START, 5, 6, 7, END, 0, 0]])
    begins = np.array([[0, 1, 0, 0, 1, 0, 0], [0] * 7], bool)

    def chosen(most):
        masking = Masking(tokenizer, 0.1, most)
        x, _, weights = masking(rows, rows != PAD, (0,), [0, 1], begins)
        return [
            places[weight == 1].tolist()
            for places, weight in zip(x["mask_positions"], weights, strict=True)
        ]

    # The second row begins in the middle of its word.
    assert chosen(3) == [[4, 5], [1, 2, 3]]
    assert chosen(1) == [[4], [1]]


def test_a_tokenizer_without_mask_is_refused():
    with pytest.raises(ValueError, match="SimpleNamespace without `mask_to"):
        Masking(types.SimpleNamespace(), 0.15, 20)
