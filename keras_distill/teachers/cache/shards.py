"""All shards of a cache, as one place to read examples from."""

import collections
import functools
import threading

import numpy as np

from keras_distill.teachers.cache import shard_format
from keras_distill.teachers.cache.shard_reader import ShardReader
from keras_distill.teachers.cache.shard_reader import read_trailer

# What is kept in memory, whatever the number of examples.
_BLOCK_BYTES = 64 * 1024**2
_TABLE_BYTES = 64 * 1024**2


class Shards:
    """All shards of a cache, as one place to read examples from."""

    def __init__(self, folder, manifest, index):
        self._folder = folder
        self._manifest = manifest
        self._index = index
        self._arrays = manifest.arrays
        self._blocks = ByteLru(_BLOCK_BYTES)
        self._readers = ByteLru(_TABLE_BYTES)
        missing = missing_shards(folder, manifest)
        if missing:
            raise ValueError(
                f"The cache in '{folder}' is not finished: {len(missing):,} "
                f"of {manifest.num_shards:,} shards are missing, such as "
                f"{shard_format.shard_name(missing[0])}. Call "
                "`TeacherCache.write` again with the same arguments to go on."
            )
        for number in range(manifest.num_shards):
            path = folder / shard_format.shard_name(number)
            read_trailer(path, manifest.identity, number)

    def read(self, places, length, names):
        """Reads examples."""
        lengths = self._index.lengths[places]
        found = {}
        for number, array in enumerate(self._arrays):
            if array.name not in names:
                continue
            batch = np.zeros(
                (len(places), *array.padded_shape(length)), array.read_dtype
            )
            for row, place in enumerate(places):
                values = self._values(number, int(place))
                array.fill(batch, row, int(lengths[row]), values)
            found[array.name] = batch
        return found

    def check(self, number):
        """Reads a shard as a whole."""
        reader = self._load_reader(number)
        for array in range(len(self._arrays)):
            for block in range(reader.num_blocks(array)):
                reader.read(array, block)

    def _values(self, array, place):
        number, example = divmod(place, self._manifest.shard_size)
        reader = self._readers.get(
            number, functools.partial(self._load_reader, number)
        )
        block_number, example = reader.find(array, example)
        block = self._blocks.get(
            (number, array, block_number),
            functools.partial(reader.read, array, block_number),
        )
        return block[example]

    def _load_reader(self, number):
        places = self._manifest.places(number)
        return ShardReader(
            self._folder / shard_format.shard_name(number),
            self._arrays,
            self._manifest.compression,
            self._manifest.identity,
            number,
            np.array(self._index.lengths[places.start : places.stop]),
        )


def missing_shards(folder, manifest):
    """The numbers of the shards that are not written yet."""
    there = {path.name for path in folder.glob("*.shard")}
    return [
        number
        for number in range(manifest.num_shards)
        if shard_format.shard_name(number) not in there
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
