"""All shards of a cache, as one place to read examples from."""

import collections
import functools
import threading

import numpy as np

from keras_distill.teachers.cache.shard_layout import ENDING
from keras_distill.teachers.cache.shard_layout import ShardLayout
from keras_distill.teachers.cache.shard_layout import shard_name
from keras_distill.teachers.cache.shard_reader import ShardReader
from keras_distill.teachers.cache.shard_reader import check_shard

# What is kept in memory of places and checksums, whatever the number of
# examples. Values are not kept: the system does that as well.
_TABLE_BYTES = 64 * 1024**2


class Shards:
    """All shards of a cache, as one place to read examples from."""

    def __init__(self, folder, manifest, index):
        self._folder = folder
        self._manifest = manifest
        self._index = index
        self._arrays = manifest.arrays
        self._readers = ByteLru(_TABLE_BYTES)
        missing = missing_shards(folder, manifest)
        if missing:
            raise ValueError(
                f"The cache in '{folder}' is not finished: {len(missing):,} "
                f"of {manifest.num_shards:,} shards are missing, such as "
                f"{shard_name(missing[0])}. Call "
                "`TeacherCache.write` again with the same arguments to go on."
            )
        for number in range(manifest.num_shards):
            check_shard(folder / shard_name(number), self._layout(number))

    def read(self, places, length, names):
        """Reads examples."""
        wanted = [
            (number, array)
            for number, array in enumerate(self._arrays)
            if array.name in names
        ]
        found = {
            array.name: np.zeros(
                (len(places), *array.padded_shape(length)), array.read_dtype
            )
            for _, array in wanted
        }
        lengths = self._index.lengths[places].tolist()
        shards, examples = np.divmod(places, self._manifest.shard_size)
        for shard in np.unique(shards).tolist():
            reader = self._readers.get(
                shard, functools.partial(self._load_reader, shard)
            )
            with reader.open() as file:
                for row in np.flatnonzero(shards == shard).tolist():
                    for number, array in wanted:
                        values = reader.read(file, number, int(examples[row]))
                        array.fill(found[array.name], row, lengths[row], values)
        return found

    def check(self, shard):
        """Reads a shard as a whole."""
        self._load_reader(shard).check()

    def _load_reader(self, shard):
        path = self._folder / shard_name(shard)
        return ShardReader(path, self._layout(shard))

    def _layout(self, shard):
        return shard_layout(self._manifest, self._index.lengths, shard)


def shard_layout(manifest, lengths, shard):
    """How a shard of a cache lies on disk."""
    places = manifest.places(shard)
    return ShardLayout(
        manifest.arrays,
        lengths[places.start : places.stop],
        manifest.identity,
        shard,
    )


def missing_shards(folder, manifest):
    """The numbers of the shards that are not written yet."""
    there = {path.name for path in folder.glob(f"*{ENDING}")}
    return [
        number
        for number in range(manifest.num_shards)
        if shard_name(number) not in there
    ]


class ByteLru:
    """Keeps what was used last, up to so many bytes."""

    def __init__(self, limit):
        self._limit = limit
        self._values = collections.OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def get(self, key, load):
        """The value of a key."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = load()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._nbytes += value.nbytes
            while self._nbytes > self._limit and len(self._values) > 1:
                _, old = self._values.popitem(last=False)
                self._nbytes -= old.nbytes
        return value
