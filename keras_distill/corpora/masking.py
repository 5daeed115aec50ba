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
    check_float("rate", rate, above=0, maximum=1)
    check_int("most", most, minimum=1)
    token_ids = np.array(token_ids, "int32")
    special = {*tokenizer.special_token_ids, unknown_id(tokenizer)}
    special = np.array(sorted(special - {None}), "int32")
    ordinary = np.setdiff1d(
        np.arange(tokenizer.vocabulary_size(), dtype="int32"), special
    )
    can_mask = np.asarray(padding_mask, bool) & ~np.isin(token_ids, special)
    if row_ids is None:
        row_ids = range(len(token_ids))
    seed = seed if isinstance(seed, tuple) else (seed,)
    shape = len(token_ids), most
    positions, pieces = np.zeros(shape, "int32"), np.zeros(shape, "int32")
    weights = np.zeros(shape, "float32")
    for row, number in enumerate(row_ids):
        random = np.random.default_rng((*seed, int(number)))
        places = np.flatnonzero(can_mask[row])
        if not len(places):
            continue
        count = min(max(1, round(rate * len(places))), most)
        chosen = np.sort(random.choice(places, count, replace=False))
        positions[row, :count] = chosen
        pieces[row, :count] = token_ids[row, chosen]
        weights[row, :count] = 1
        what = random.random(count)
        others = random.choice(ordinary, count)
        token_ids[row, chosen] = np.where(
            what < 0.8,
            tokenizer.mask_token_id,
            np.where(what < 0.9, others, pieces[row, :count]),
        )
    x = {"token_ids": token_ids, "mask_positions": positions}
    return x, pieces, weights
