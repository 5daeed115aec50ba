"""Adds a cache's targets to batches."""

# Begins the names of a teacher's arrays in a batch.
TARGET_PREFIX = "teacher/"


class CachedTargets:
    """Adds a cache's targets to batches."""

    def __init__(self, shards, index, arrays, cache):
        self._cache = cache
        self._shards = shards
        self._index = index
        self._arrays = tuple(arrays)

    def fingerprint(self):
        """Tells these targets from any others."""
        return " ".join([self._cache, *(array.name for array in self._arrays)])

    def read(self, ids, length):
        """The arrays of some examples."""
        found = self._shards.read(
            self._index.places(ids),
            length,
            [array.name for array in self._arrays],
        )
        return {TARGET_PREFIX + name: value for name, value in found.items()}

    def signature(self, length):
        """What `read` returns."""
        return {
            TARGET_PREFIX + array.name: (
                (None, *array.padded_shape(length)),
                array.read_dtype,
            )
            for array in self._arrays
        }
