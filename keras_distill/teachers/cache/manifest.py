"""What a cache holds, and of whom."""

import dataclasses
import functools
import json

import keras
import keras_hub

import keras_distill
from keras_distill.features import ModelDescription
from keras_distill.io.hashes import json_hash
from keras_distill.teachers.cache.stored_feature import StoredFeature

FILE = "manifest.json"
# What each file says that it belongs to.
FORMAT = "keras_distill.teachers.TeacherCache"
_VERSION = 3

# How a difference is told.
_IN_WORDS = {"data": "the examples", "soft_labels": "the soft labels"}
# Of what is too long to be shown.
_HASHED = ("weights", "architecture", "tokenizer")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a cache holds, and of whom. Written once, before any shard.

    Attributes:
        members: list with a dict for each model that was asked: hashes of its
            `weights` and of its `tokenizer`, its `dtype`, `architecture` and
            `sequence_length`.
        soft_labels: str, a hash of the answers of another system, or `None`.
        label_names: list of str, what the logits stand for, or `None`.
        data: str. A hash of the index.
    """

    members: list
    soft_labels: str | None
    label_names: list | None
    data: str
    num_examples: int
    dtype: str
    top_k: int | None
    shard_size: int
    num_layers: int
    shapes: dict
    output_activations: dict

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
        """str. A hash by which a shard tells its cache."""
        return json_hash(dataclasses.asdict(self), sort_keys=True)

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
        ] + self._differences_of_members(other)

    def _pairs(self, other):
        for field in dataclasses.fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name == "members":
                yield field.name, len(mine), len(theirs)
            elif field.name == "shapes" and set(mine) != set(theirs):
                yield "features", sorted(mine), sorted(theirs)
            else:
                yield field.name, mine, theirs

    def _differences_of_members(self, other):
        found = []
        pairs = list(zip(self.members, other.members, strict=False))
        for number, (mine, theirs) in enumerate(pairs, start=1):
            whose = "the teacher's"
            if len(pairs) > 1:
                whose = f"member {number}'s"
            for name, value in mine.items():
                if value == theirs[name]:
                    continue
                shown = f": {value}, {theirs[name]}" * (name not in _HASHED)
                found.append(f"{whose} {name}{shown}")
        return found


@dataclasses.dataclass(frozen=True)
class Origin:
    """What is told of a cache, and makes no difference.

    Attributes:
        teacher: str. The teacher's name.
        members: list of str, the names of the models that were asked.
        task: str, the name of the task that the examples are of, or `None`.
        versions: dict of str to str: by which versions it was written.
    """

    teacher: str
    members: list
    task: str | None
    versions: dict = dataclasses.field(
        default_factory=lambda: {
            "keras_distill": keras_distill.__version__,
            "keras": keras.__version__,
            "keras_hub": keras_hub.__version__,
            "backend": keras.backend.backend(),
        }
    )


class EarlierFormatError(ValueError):
    """The folder holds a cache in a format that is not read any more."""


def write_manifest(path, manifest, origin):
    """Writes a manifest."""
    content = {
        "format": FORMAT,
        "version": _VERSION,
        "origin": dataclasses.asdict(origin),
        **dataclasses.asdict(manifest),
    }
    content["sha256"] = json_hash(content, sort_keys=True)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def read_manifest(folder):
    """Reads the `Manifest` and the `Origin` of a cache."""
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
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise _damaged(path, "it describes no teacher cache")
    version = content.get("version")
    if version in (1, 2):
        raise EarlierFormatError(
            f"{path} is of format version {version}, of an earlier version of "
            "keras_distill, whose shards this one does not read. Write the "
            "cache anew: into another folder, after this one is removed, or "
            "with `replace=True`, which renames it."
        )
    if version != _VERSION:
        raise ValueError(
            f"{path} is of format version {version!r}; this version of "
            f"keras_distill reads version {_VERSION}. Write the cache anew."
        )
    sha256 = content.pop("sha256", None)
    if sha256 != json_hash({"format": FORMAT, **content}, sort_keys=True):
        raise _damaged(path, "its checksum is wrong")
    del content["version"]
    origin = Origin(**content.pop("origin"))
    content["shapes"] = {
        name: tuple(shape) for name, shape in content["shapes"].items()
    }
    return Manifest(**content), origin


def _damaged(path, reason):
    return ValueError(
        f"{path} is damaged: {reason}. If the folder is a cache's, remove it "
        "and write the cache anew; otherwise choose another one."
    )


def _short(value):
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
