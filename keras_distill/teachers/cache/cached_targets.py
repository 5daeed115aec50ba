"""Adds a cache's targets to batches."""

# Begins the names of a teacher's arrays in a batch.
TARGET_PREFIX = "teacher/"


class CachedTargets:
    """Adds a cache's targets to batches.

    Args:
        shards: `Shards` to read from.
        index: `ExampleIndex`.
        arrays: Sequence of `StoredArray`: those that are wanted.
        cache: str. What tells the cache from others.
    """

    def __init__(self, shards, index, arrays, cache):
        self._cache = cache
        self._shards = shards
        self._index = index
        self._arrays = tuple(arrays)

    def fingerprint(self):
        """Tells these targets from any others.

        Returns:
            str.
        """
        return " ".join([self._cache, *(array.name for array in self._arrays)])

    def read(self, ids, length):
        """The arrays of some examples.

        Args:
            ids: int64 array.
            length: int. The length that the batch is padded to.

        Returns:
            dict of name to NumPy array.
        """
        found = self._shards.read(
            self._index.places(ids),
            length,
            [array.name for array in self._arrays],
        )
        return {TARGET_PREFIX + name: value for name, value in found.items()}

    def signature(self, length):
        """What `read` returns.

        Args:
            length: Optional int. The length of all batches.

        Returns:
            dict of name to shape and dtype.
        """
        return {
            TARGET_PREFIX + array.name: (
                (None, *array.padded_shape(length)),
                array.read_dtype,
            )
            for array in self._arrays
        }
