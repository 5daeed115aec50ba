"""A finished cache's files, opened to be read."""

import keras

from keras_distill.teachers.cache.example_index import ExampleIndex
from keras_distill.teachers.cache.example_index import check_index
from keras_distill.teachers.cache.manifest import read_manifest
from keras_distill.teachers.cache.shards import Shards


class Contents:
    """A finished cache's files, opened to be read.

    Attributes:
        manifest: `Manifest`.
        origin: `Origin`.
        index: `ExampleIndex`.
        shards: `Shards`.
    """

    def __init__(self, folder):
        self.manifest, self.origin = read_manifest(folder)
        check_index(folder, self.manifest.data)
        self.index = ExampleIndex(folder)
        self.shards = Shards(folder, self.manifest, self.index)

    def read(self, ids, length=None):
        """The features of examples, as `TeacherCache.read` gives them."""
        places = self.index.places(ids)
        longest = int(self.index.lengths[places].max(initial=0))
        if length is None:
            length = longest
        if length < longest:
            raise ValueError(
                f"`length` must be at least {longest}, the number of tokens "
                f"of the longest of the examples. Received: length={length}"
            )
        arrays = self.shards.read(
            places, length, [array.name for array in self.manifest.arrays]
        )
        return {
            feature.name: keras.ops.convert_to_numpy(feature.join(arrays))
            for feature in self.manifest.features
        }
