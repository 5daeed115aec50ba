"""Pairs of sentences, as BERT makes them, in rows and batches."""

import collections

import numpy as np
import pytest
from keras import ops

from keras_distill import corpora
from keras_distill.corpora.pairing import pair_sentences
from keras_distill.models.bert import BertBackbone

_LENGTH = 16


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, corpus_folder, word_tokenizer):
    return corpora.tokenize_corpus(
        corpus_folder, word_tokenizer, tmp_path_factory.mktemp("cache")
    )


def _rows(batches, key="token_ids"):
    return [
        tuple(row)
        for (x,) in batches
        for row in ops.convert_to_numpy(x[key]).tolist()
    ]


# 200 documents of sentences of 1 to 9 pieces.
_SENTENCES = np.concatenate([[0], np.cumsum(1 + np.arange(4000) * 7 % 9)])
_DOCUMENTS = np.arange(0, 4001, 20)


def _pair(random_next=0.5, short=0.1, room=40, seed=(0, 0), chosen=None):
    spans = pair_sentences(
        _SENTENCES, _DOCUMENTS, room, random_next, short, seed, chosen
    )
    ends = _SENTENCES[_DOCUMENTS]
    of_document = [
        np.searchsorted(ends, spans[name], "right") - 1
        for name in ("first", "second")
    ]
    return spans, *of_document


def test_all_sentences_in_their_order_without_random_ones():
    spans, first, second = _pair(random_next=0.0, short=0.0, room=10**6)
    # Each document is one pair that goes on where its first text ends.
    assert first.tolist() == second.tolist() == list(range(200))
    ends = spans["first"] + spans["first_length"]
    assert ends.tolist() == spans["second"].tolist()
    lengths = spans["first_length"] + spans["second_length"]
    assert lengths.sum() == _SENTENCES[-1]


def test_half_are_random_ones_of_another_document():
    spans, first, second = _pair(short=0.0)
    follows = spans["first"] + spans["first_length"] <= spans["second"]
    is_next = (first == second) & follows
    assert not ((first == second) & ~follows).any()
    assert 0.4 < 1 - is_next.mean() < 0.6
    # The texts that a random one took the place of come again.
    starts = collections.Counter(spans["first"].tolist())
    assert max(starts.values()) == 1
    _, first, second = _pair(random_next=1.0)
    assert (first != second).all()


def test_some_documents_alone_their_random_texts_too(corpus):
    chosen = np.array([3, 50, 199])
    _, first, second = _pair(chosen=chosen)
    assert set(first) == set(second) == {3, 50, 199}
    some, other = (
        corpora.SentencePairs(corpus, _LENGTH, documents=[number])
        for number in range(2)
    )
    assert len(some) < len(corpora.SentencePairs(corpus, _LENGTH))
    assert some.fingerprints() != other.fingerprints()


def test_a_tenth_is_short():
    def lengths(short):
        spans = _pair(short=short)[0]
        return spans["first_length"] + spans["second_length"]

    def share(short):
        # A sentence more than it should have may be in a row.
        return (lengths(short) < 31).mean()

    assert lengths(0.1).max() == 40
    at_ends = share(0.0)
    assert share(0.1) - at_ends == pytest.approx(0.1 * 29 / 39, abs=0.03)
    assert share(1.0) > 0.6


def test_what_is_too_much_is_cut_off_the_longer_text():
    sentences = np.array([0, 3, 33, 36, 66])
    for number in range(20):
        (one, other) = pair_sentences(
            sentences, np.array([0, 2, 4]), 10, 0.0, 0.0, (number,)
        )
        assert one["first_length"] == other["first_length"] == 3
        assert one["second_length"] == other["second_length"] == 7
        assert 3 <= one["second"] <= 33 - 7
    spans = pair_sentences(
        np.array([0, 8, 18]), np.array([0, 2]), 9, 0.0, 0.0, (0,)
    )
    assert spans[0]["first_length"] == 5 and spans[0]["second_length"] == 4


def test_rows_are_packed_as_the_models_preprocessor_packs(corpus):
    rows = corpora.SentencePairs(corpus, _LENGTH)
    tokenizer = corpus.tokenizer
    start, end = tokenizer.cls_token_id, tokenizer.sep_token_id
    batches = list(rows.batches(8, shuffle=True, seed=3))
    assert len(batches) == rows.num_batches(8)
    count = 0
    for (x,) in batches:
        x = {k: ops.convert_to_numpy(v) for k, v in x.items()}
        for ids, segments, mask in zip(*x.values(), strict=True):
            length = mask.sum()
            assert mask.tolist() == [1] * length + [0] * (len(ids) - length)
            assert ids[0] == start and ids[length - 1] == end
            middle = ids.tolist().index(end)
            assert segments.tolist() == (
                [0] * (middle + 1)
                + [1] * (length - middle - 1)
                + [0] * (len(ids) - length)
            )
            assert 1 < middle < length - 2
            assert not ids[length:].any()
            count += 1
    assert count == len(rows)
    some = corpora.SentencePairs(corpus, _LENGTH, inputs=["token_ids"])
    (x,) = next(iter(some.batches(2)))
    assert list(x) == ["token_ids"]


def test_shuffled_across_files_and_anew_in_each_epoch(corpus):
    rows = corpora.SentencePairs(corpus, _LENGTH)
    batches = rows.batches(8, shuffle=True, seed=3)
    one, two = _rows(batches), _rows(batches)
    assert len(one) == len(two) == len(rows)
    assert set(one) != set(two)
    assert one == _rows(rows.batches(8, shuffle=True, seed=3))
    assert one != _rows(rows.batches(8, shuffle=True, seed=4))
    other = corpora.SentencePairs(corpus, _LENGTH, seed=1)
    assert set(_rows(other.batches(8))) != set(one)
    # The first half of the rows has words of both files.
    half = np.array([row[1] for row in one[: len(one) // 2]])
    limit = corpus.tokenizer.token_to_id("w20")
    assert 0.2 < (half >= limit).mean() < 0.8


def test_goes_on_at_any_batch(corpus):
    rows = corpora.SentencePairs(corpus, _LENGTH)
    options = dict(batch_size=4, shuffle=True, seed=5)
    whole = rows.batches(initial_epoch=2, **options)
    first = _rows(whole)
    for batch in (0, 3, rows.num_batches(4)):
        rest = rows.batches(initial_epoch=2, first_batch=batch, **options)
        assert _rows(rest) == first[4 * batch :]
    assert _rows(whole) == _rows(rows.batches(initial_epoch=3, **options))


def test_little_is_padding_and_sizes_are_the_batches(corpus):
    rows = corpora.SentencePairs(corpus, _LENGTH)
    tokens, places = rows.sizes(8, seed=3, epoch=1)
    batches = rows.batches(
        8, shuffle=True, seed=3, initial_epoch=1, length_multiple=1
    )
    masks = [ops.convert_to_numpy(x["padding_mask"]) for (x,) in batches]
    assert [mask.sum() for mask in masks] == tokens.tolist()
    assert [mask.size for mask in masks] == places.tolist()
    assert 1 - tokens.sum() / places.sum() < 0.03


def test_fixed_lengths_and_whole_batches(corpus):
    rows = corpora.SentencePairs(corpus, _LENGTH)
    batches = rows.batches(8, fixed_length=20, drop_remainder=True)
    shapes = {x["token_ids"].shape for (x,) in batches}
    assert shapes == {(8, 20)}
    assert len(batches) == rows.num_batches(8, drop_remainder=True)


def test_what_tells_rows_apart(corpus):
    make = corpora.SentencePairs
    found = make(corpus, _LENGTH).fingerprints()
    assert found == make(corpus, _LENGTH).fingerprints()
    for other in (
        make(corpus, 17),
        make(corpus, _LENGTH, random_next=0.4),
        make(corpus, _LENGTH, short=0.0),
        make(corpus, _LENGTH, seed=1),
    ):
        assert other.fingerprints() != found


def test_what_does_not_fit(corpus):
    with pytest.raises(ValueError, match="between the 3 special ones"):
        corpora.SentencePairs(corpus, 4)
    rows = corpora.SentencePairs(corpus, _LENGTH)
    with pytest.raises(ValueError, match="`fixed_length` must be at least"):
        rows.batches(2, fixed_length=8)
    with pytest.raises(ValueError, match="`first_batch` must be from 0 to"):
        rows.batches(2, first_batch=10**6)

    def model(vocabulary_size, longest):
        return BertBackbone(
            vocabulary_size=vocabulary_size,
            num_layers=1,
            num_heads=1,
            hidden_dim=2,
            intermediate_dim=2,
            max_sequence_length=longest,
        )

    rows.check_model(model(46, _LENGTH))
    with pytest.raises(ValueError, match="16"):
        rows.check_model(model(46, _LENGTH - 1))
    with pytest.raises(ValueError, match="45"):
        rows.check_model(model(45, _LENGTH))
