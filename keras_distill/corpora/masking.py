"""Masks pieces of packed rows, as BERT was pre-trained."""

import numpy as np

from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.packing.tokenization import unknown_id


def mask_pieces(
    token_ids,
    padding_mask,
    tokenizer,
    seed=0,
    row_ids=None,
    rate=0.15,
    most=20,
):
    """Masks some pieces of each row, as BERT was pre-trained.

    Of the pieces of a row that are no special token a share is chosen, one at
    least. Of these 80% become the mask, 10% another piece and 10% stay as
    they are; all of them are to be predicted.

    What is chosen in a row follows from the seed and the row's number alone,
    whatever it is batched with.

    Args:
        token_ids: int array of shape `(rows, length)`.
        padding_mask: int array of the same shape, 0 for padding.
        tokenizer: KerasHub tokenizer with a `mask_token_id`.
        seed: int, or tuple of ints. Another one for another epoch masks other
            pieces. Defaults to `0`.
        row_ids: Optional int array, the numbers of the rows. Defaults to
            counting from 0.
        rate: float. The share of pieces that are chosen. Defaults to `0.15`.
        most: int. The most pieces that are chosen of a row. Defaults to `20`.

    Returns:
        Tuple of a dict of `token_ids` with masks and `mask_positions` of
        shape `(rows, most)`; of an int32 array of the pieces that were there;
        and of a float32 array of 1 where a piece is to be predicted and 0
        where a row has fewer.

    Reference:
        - BERT, https://arxiv.org/abs/1810.04805.

    Example:

    >>> import keras_hub
    >>> import numpy as np
    >>> from keras_distill import corpora
    >>> tokenizer = keras_hub.models.BertTokenizer(
    ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film"]
    ... )
    >>> rows = np.array([[2, 5, 6, 3, 0]])
    >>> x, pieces, weights = corpora.mask_pieces(
    ...     rows, rows > 0, tokenizer, most=2
    ... )
    >>> x["mask_positions"].shape, weights
    ((1, 2), array([[1., 0.]], dtype=float32))
    """
    masking = Masking(tokenizer, rate, most)
    if row_ids is None:
        row_ids = range(len(token_ids))
    seed = seed if isinstance(seed, tuple) else (seed,)
    return masking(token_ids, padding_mask, seed, row_ids)


def share_of(length, rate):
    """How many of so many pieces are chosen, one at least."""
    check_float("rate", rate, above=0, maximum=1)
    return max(1, round(rate * length))


class Masking:
    """Masks rows of one tokenizer, as `mask_pieces` says.

    With `counts_special` special tokens count as pieces: in the share, and
    among those that take the place of others, as in BERT's script. They are
    never chosen, nor is the unknown token.
    """

    def __init__(self, tokenizer, rate, most, counts_special=False):
        check_float("rate", rate, above=0, maximum=1)
        check_int("most", most, minimum=1)
        self.most = most
        self._rate = rate
        self._counts_special = counts_special
        self._mask = getattr(tokenizer, "mask_token_id", None)
        if self._mask is None:
            raise ValueError(
                "The tokenizer must have a mask. Received: a "
                f"{type(tokenizer).__name__} without `mask_token_id`."
            )
        special = {*tokenizer.special_token_ids, unknown_id(tokenizer)}
        self._special = np.array(sorted(special - {None}), "int32")
        self._others = np.arange(tokenizer.vocabulary_size(), dtype="int32")
        if not counts_special:
            self._others = np.setdiff1d(self._others, self._special)

    def __call__(
        self, token_ids, padding_mask, seed, row_ids, word_starts=None
    ):
        """What `mask_pieces` returns.

        Where `word_starts`, a bool array of the shape of `token_ids`, tells
        the pieces that begin a word, words are chosen whole.
        """
        token_ids = np.array(token_ids, "int32")
        is_token = np.asarray(padding_mask, bool)
        can_mask = is_token & ~np.isin(token_ids, self._special)
        counted = is_token if self._counts_special else can_mask
        lengths = counted.sum(axis=1).tolist()
        words = None
        if word_starts is not None:
            words = _numbers_of_words(word_starts, can_mask)
        shape = len(token_ids), self.most
        positions, pieces = np.zeros(shape, "int32"), np.zeros(shape, "int32")
        weights = np.zeros(shape, "float32")
        for row, number in enumerate(row_ids):
            random = np.random.default_rng((*seed, int(number)))
            places = np.flatnonzero(can_mask[row])
            if not len(places):
                continue
            share = share_of(lengths[row], self._rate)
            count = min(share, self.most, len(places))
            if words is None:
                chosen = np.sort(random.choice(places, count, replace=False))
            else:
                is_chosen = _whole_words(words[row, places], count, random)
                # More than there is room for are only of a single word.
                chosen = places[is_chosen][: self.most]
            count = len(chosen)
            positions[row, :count] = chosen
            pieces[row, :count] = token_ids[row, chosen]
            weights[row, :count] = 1
            what = random.random(count)
            others = random.choice(self._others, count)
            token_ids[row, chosen] = np.where(
                what < 0.8,
                self._mask,
                np.where(what < 0.9, others, pieces[row, :count]),
            )
        x = {"token_ids": token_ids, "mask_positions": positions}
        return x, pieces, weights


def _numbers_of_words(word_starts, can_mask):
    """The number of each piece's word in its row, counted from 1."""
    # What stands behind a special token is all that there is of its word.
    before = np.zeros_like(can_mask)
    before[:, 1:] = can_mask[:, :-1]
    return np.cumsum(can_mask & (word_starts | ~before), axis=1)


def _whole_words(words, count, random):
    """Which pieces are of random words that have so many at most.

    A word that would be too much is passed over. Where each one alone is, it
    is the shortest one.
    """
    lengths = np.bincount(words).tolist()
    order = (1 + random.permutation(len(lengths) - 1)).tolist()
    chosen = []
    for word in order:
        if lengths[word] <= count:
            chosen.append(word)
            count -= lengths[word]
        if not count:
            break
    if not chosen:
        chosen = [min(order, key=lengths.__getitem__)]
    return np.isin(words, chosen)
