"""Nearest queries, and the most similar of each group."""

import numpy as np

from keras_distill.corpora.retrieval import nearest
from keras_distill.corpora.retrieval.nearest import NearestPerGroup
from keras_distill.corpora.retrieval.nearest import first_in_group
from keras_distill.corpora.retrieval.nearest import nearest_queries


def test_nearest_queries(monkeypatch):
    # Queries in three pieces.
    monkeypatch.setattr(nearest, "_QUERIES", 4)
    random = np.random.RandomState(0)
    embeddings, queries = (
        values / np.linalg.norm(values, axis=1, keepdims=True)
        for values in (random.normal(size=(30, 5)), random.normal(size=(10, 5)))
    )
    embeddings, queries = (
        values.astype("float16") for values in (embeddings, queries)
    )
    # In another piece than the query that it equals, which is to be found.
    queries[7] = embeddings[0] = queries[1]
    found, products = nearest_queries(embeddings, queries)
    expected = embeddings.astype("float64") @ queries.astype("float64").T
    np.testing.assert_array_equal(found, expected.argmax(axis=1))
    np.testing.assert_array_equal(products, expected.max(axis=1))
    assert found[0] == 1


def test_equal_rows_have_equal_products():
    random = np.random.RandomState(0)
    row = random.normal(size=384) / 384**0.5
    rows = np.tile(row.astype("float16"), (77, 1))
    queries = (random.normal(size=(33, 384)) / 384**0.5).astype("float16")
    _, products = nearest_queries(rows, queries)
    assert len(set(products)) == 1
    # Whatever the order of the sum.
    backwards = nearest_queries(rows[:3, ::-1], queries[:, ::-1])
    assert set(backwards[1]) == set(products)


def test_first_in_group():
    chosen = first_in_group(
        groups=np.array([1, 0, 1, 1, 0, 2]),
        similarities=np.array([0.5, 0.1, 0.9, 0.5, 0.2, 0.3]),
        rows=np.array([9, 1, 2, 3, 4, 5]),
        limits=np.array([5, 2, 0]),
    )
    # Of the two at 0.5 that with the smaller number.
    assert chosen.tolist() == [4, 1, 2, 3]


def block(hashes, similarities, first_row, groups=None):
    count = len(hashes)
    return {
        "groups": np.zeros(count, "int64") if groups is None else groups,
        "similarities": np.asarray(similarities),
        "rows": np.arange(first_row, first_row + count),
        "hashes": np.asarray(hashes, "uint64"),
        "texts": np.array([f"text {one}" for one in hashes], "object"),
    }


def test_the_same_text_counts_once():
    found = NearestPerGroup([2])
    found.add(**block([5, 5, 6], [0.7, 0.7, 0.6], 0))
    found.add(**block([6, 5, 7], [0.6, 0.7, 0.65], 3))
    assert found.rows.tolist() == [0, 5]
    assert found.texts.tolist() == ["text 5", "text 7"]


def test_blocks_give_what_all_at_once_gives():
    random = np.random.RandomState(1)
    count, limits = 500, np.array([3, 40, 1, 0])
    # Few values, so that there are many equals; equal texts are equal in all.
    hashes = random.randint(300, size=count)
    similarities = hashes % 17 / 17
    groups = hashes % 4
    whole = NearestPerGroup(limits)
    whole.add(**block(hashes, similarities, 0, groups))
    parts = NearestPerGroup(limits)
    for start in range(0, count, 70):
        part = slice(start, start + 70)
        parts.add(
            **block(hashes[part], similarities[part], start, groups[part])
        )
    for name in ("groups", "similarities", "rows", "texts"):
        np.testing.assert_array_equal(
            getattr(whole, name), getattr(parts, name)
        )
    counts = np.bincount(parts.groups, minlength=4)
    assert counts.tolist() == limits.tolist()
