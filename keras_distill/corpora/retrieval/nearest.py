"""The nearest queries of texts, and the nearest texts of each group."""

import numpy as np

# Queries that are compared with a block at a time.
_QUERIES = 1024


def nearest_queries(embeddings, queries):
    """Finds the query with the largest product for each row.

    Products of float16 are exact in float64, and so are their sums for rows
    of length 1: equal rows have equal products wherever they stand, on any
    machine.

    Args:
        embeddings: float16 array of shape `(rows, width)`.
        queries: float16 array of shape `(queries, width)`.

    Returns:
        int64 array of the queries' numbers, the first one of equals, and
        float64 array of the products; both of shape `(rows,)`.
    """
    embeddings = embeddings.astype("float64")
    nearest = np.zeros(len(embeddings), dtype="int64")
    largest = np.full(len(embeddings), -np.inf)
    for start in range(0, len(queries), _QUERIES):
        piece = queries[start : start + _QUERIES].astype("float64")
        products = embeddings @ piece.T
        places = products.argmax(axis=1)
        values = np.take_along_axis(products, places[:, None], axis=1)[:, 0]
        better = values > largest
        nearest[better] = places[better] + start
        largest[better] = values[better]
    return nearest, largest


def first_in_group(groups, similarities, rows, limits):
    """Chooses the most similar rows of each group.

    Args:
        groups: int64 array. The group of each row.
        similarities: float64 array.
        rows: int64 array. Numbers that decide between equals, smallest first.
        limits: int64 array. The most rows of each group.

    Returns:
        int64 array of the chosen places, by group, the most similar first.
    """
    order = np.lexsort((rows, -similarities, groups))
    groups = groups[order]
    starts = np.searchsorted(groups, groups, side="left")
    ranks = np.arange(len(groups)) - starts
    return order[ranks < limits[groups]]


class NearestPerGroup:
    """The most similar texts of each group among those that were added.

    Memory grows with what is kept, not with what is added.

    Args:
        limits: int array. The most texts of each group.

    Attributes:
        groups: int64 array. The group of each kept text.
        similarities: float64 array.
        rows: int64 array. The number of each text.
        texts: object array of tuples of strings.
    """

    _FIELDS = ("groups", "similarities", "rows", "hashes", "texts")

    def __init__(self, limits):
        self._limits = np.asarray(limits, dtype="int64")
        self.groups = np.zeros(0, dtype="int64")
        self.similarities = np.zeros(0)
        self.rows = np.zeros(0, dtype="int64")
        self.hashes = np.zeros(0, dtype="uint64")
        self.texts = np.zeros(0, dtype="object")

    def add(self, **block):
        """Adds texts with numbers above those that were added before.

        Args:
            **block: arrays of `groups`, `similarities`, `rows`, `hashes` and
                `texts`. Of several texts with the same hash the first stays.
        """
        for name in self._FIELDS:
            values = np.concatenate([getattr(self, name), block[name]])
            setattr(self, name, values)
        _, first = np.unique(self.hashes, return_index=True)
        chosen = first_in_group(
            self.groups[first],
            self.similarities[first],
            self.rows[first],
            self._limits,
        )
        for name in self._FIELDS:
            setattr(self, name, getattr(self, name)[first[chosen]])
