"""What a cache holds, and of whom."""

import dataclasses
import functools
import json

from keras_distill.features import ModelDescription
from keras_distill.io.hashes import json_hash
from keras_distill.teachers.cache.stored_feature import StoredFeature

FILE = "manifest.json"

_FORMAT = "keras_distill.teachers.TeacherCache"
# Of the versions that are read, the first knows no architecture.
_VERSION = 2
_READ = (1, _VERSION)

# How a difference is told.
_IN_WORDS = {
    "teacher_weights": "the teacher's weights",
    "teacher_architecture": "the teacher's architecture",
    "tokenizer": "the tokenizer",
    "data": "the examples",
}


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a cache holds, and of whom. Written once, before any shard."""

    teacher_weights: str
    teacher_dtype: str
    tokenizer: str | None
    sequence_length: int
    data: str
    num_examples: int
    dtype: str
    top_k: int | None
    compression: str | None
    shard_size: int
    num_layers: int
    shapes: dict
    output_activations: dict
    teacher_architecture: dict | None = None

    @functools.cached_property
    def features(self):
        """tuple of `StoredFeature`, in the order of their names."""
        return tuple(
            StoredFeature(name, shape, self.dtype, self.top_k)
            for name, shape in sorted(self.shapes.items())
        )

    @functools.cached_property
    def arrays(self):
        """tuple of `StoredArray`, of all features."""
        return tuple(
            array for feature in self.features for array in feature.arrays
        )

    @functools.cached_property
    def identity(self):
        """bytes. A hash by which a shard tells its cache."""
        content = dataclasses.asdict(self)
        if self.teacher_architecture is None:
            del content["teacher_architecture"]
        return bytes.fromhex(json_hash(content, sort_keys=True))

    @property
    def num_shards(self):
        """int. The number of shards."""
        return -(-self.num_examples // self.shard_size)

    def places(self, shard):
        """The places in the index of a shard's examples, a `range`."""
        start = shard * self.shard_size
        return range(start, min(start + self.shard_size, self.num_examples))

    def describe(self, name):
        """What the losses may ask for."""
        return ModelDescription(
            name=name,
            num_layers=self.num_layers,
            shapes=dict(self.shapes),
            output_activations=dict(self.output_activations),
        )

    def differences(self, other):
        """What another manifest has otherwise."""
        return [
            _IN_WORDS.get(name) or f"{name}: {_short(mine)}, {_short(theirs)}"
            for name, mine, theirs in self._pairs(other)
            if mine != theirs
        ]

    def _pairs(self, other):
        for field in dataclasses.fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name == "teacher_architecture" and None in (mine, theirs):
                # What is not known is taken to be the same.
                continue
            if field.name == "shapes" and set(mine) != set(theirs):
                yield "features", sorted(mine), sorted(theirs)
            else:
                yield field.name, mine, theirs


def write_manifest(path, manifest, teacher_name):
    """Writes a manifest."""
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "teacher_name": teacher_name,
        **dataclasses.asdict(manifest),
    }
    content["sha256"] = json_hash(content, sort_keys=True)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def read_manifest(folder):
    """Reads the manifest of a cache."""
    path = folder / FILE
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(
            f"There is no teacher cache in '{folder}' ({error}). Make one "
            "with `keras_distill.teachers.TeacherCache.write`."
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"it is no JSON: {error}") from error
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise _damaged(path, "it describes no teacher cache")
    if content.get("version") not in _READ:
        raise ValueError(
            f"{path} is of format version {content.get('version')!r}; this "
            f"version of keras_distill reads versions up to {_VERSION}. Write "
            "the cache anew."
        )
    sha256 = content.pop("sha256", None)
    if sha256 != json_hash({"format": _FORMAT, **content}, sort_keys=True):
        raise _damaged(path, "its checksum is wrong")
    del content["version"]
    teacher_name = content.pop("teacher_name")
    content["shapes"] = {
        name: tuple(shape) for name, shape in content["shapes"].items()
    }
    return Manifest(**content), teacher_name


def _damaged(path, reason):
    return ValueError(
        f"{path} is damaged: {reason}. If the folder is a cache's, remove it "
        "and write the cache anew; otherwise choose another one."
    )


def _short(value):
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
