"""Writes a cache, together with whoever else writes it."""

import contextlib
import dataclasses
import functools
import time

import numpy as np

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_int
from keras_distill.features import names
from keras_distill.features.feature_extractor import expand_features
from keras_distill.io import set_aside
from keras_distill.io.file_lock import file_lock
from keras_distill.io.file_lock import remove_lock
from keras_distill.io.hashes import file_hash
from keras_distill.io.progress import Progress
from keras_distill.io.saving import make_folder
from keras_distill.io.saving import replaced_file
from keras_distill.teachers.cache import example_index
from keras_distill.teachers.cache import manifest as manifests
from keras_distill.teachers.cache.shard_layout import shard_name
from keras_distill.teachers.cache.shard_layout import storage_order
from keras_distill.teachers.cache.shard_writer import ShardWriter
from keras_distill.teachers.cache.shards import missing_shards
from keras_distill.teachers.cache.shards import shard_layout
from keras_distill.teachers.cache.sources import ModelSource
from keras_distill.teachers.cache.sources import is_tokenized
from keras_distill.teachers.cache.stored_feature import StoredFeature
from keras_distill.teachers.cache.stored_feature import is_output
from keras_distill.teachers.cache.stored_feature import stored_shape
from keras_distill.teachers.checks import check_label_order

_DTYPES = ("float32", "float16", "bfloat16")
_LOCK = "manifest.lock"
# Seconds between two looks at the shards that others are writing.
_WAIT = 0.2


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a cache is written; see `TeacherCache.write`."""

    features: tuple = (names.LOGITS,)
    dtype: str = "float32"
    top_k: int | None = None
    shard_size: int = 2048
    batch_size: int = 64
    label_names: tuple | None = None

    def __post_init__(self):
        check_choice("dtype", self.dtype, _DTYPES)
        for name in ("shard_size", "batch_size", "top_k"):
            optional = name == "top_k"
            check_int(name, getattr(self, name), minimum=1, optional=optional)


def write_cache(folder, source, examples, settings, quiet, replace=False):
    """Writes those shards of a cache that are missing."""
    examples = source.rows(examples)
    examples = examples.select(_order(examples))
    plan = _plan(source, examples, settings)
    try:
        manifest = _claim(folder, plan)
    except (_OtherCacheError, manifests.EarlierFormatError):
        if not replace:
            raise
        set_aside(folder)
        manifest = _claim(folder, plan)
    left = missing_shards(folder, manifest)
    if left:
        parts = [
            _write_part(folder, number, part, examples, settings, quiet)
            for number, part in enumerate(source.parts, start=1)
        ]
        run = source.run(list(manifest.shapes), settings.batch_size, parts)
        done = manifest.num_examples - sum(
            len(manifest.places(number)) for number in left
        )
        title = f"Features of '{source.name}'"
        with Progress(
            title, manifest.num_examples, done, quiet=quiet
        ) as progress:
            write = functools.partial(
                _write_shard, folder, manifest, examples, run, progress
            )
            _write_all(left, write)
    for number in range(manifest.num_shards):
        # Of those who died. Nobody needs a lock on what is finished.
        remove_lock(_lock_of(folder / shard_name(number)))


def check_examples(examples):
    """Raises unless examples are rows, tokenised or not."""
    is_raw = hasattr(examples, "texts") or hasattr(examples, "words")
    if not hasattr(examples, "ids") or not (is_raw or is_tokenized(examples)):
        raise ValueError(
            "`examples` must be keras_distill.tasks.TokenizedExamples or "
            f"Examples. Received: {type(examples).__name__}"
        )


def check_labels(source, examples, label_names=None):
    """Raises if classes that are known stand in different orders."""
    of_examples = getattr(examples, "label_names", None)
    for known in (label_names, of_examples):
        check_label_order(source.label_names, known, f"'{source.name}'")
    check_label_order(label_names, of_examples, "`label_names`")


def _write_part(folder, number, part, examples, settings, quiet):
    """Writes what one of several models says; returns its folder."""
    folder = folder / f"member-{number}"
    with contextlib.suppress(ValueError):
        manifest, _ = manifests.read_manifest(folder)
        if not missing_shards(folder, manifest):
            return folder
    # In its own order of classes, which may be another one.
    settings = dataclasses.replace(
        settings, dtype="float32", top_k=None, label_names=part.label_names
    )
    with part.open() as model:
        write_cache(folder, ModelSource(model), examples, settings, quiet)
    return folder


def _write_all(left, write):
    """Writes shards, and waits for those that others are writing."""
    while left:
        busy = [number for number in left if not write(number)]
        if len(busy) == len(left):
            # Those who are at them may yet die.
            time.sleep(_WAIT)
        left = busy


def _order(examples):
    """The rows in the order of their ids, which must be different."""
    if not len(examples):
        raise ValueError(
            "`examples` must hold at least one example. Received: none."
        )
    order = np.argsort(examples.ids, kind="stable")
    ids = examples.ids[order]
    repeated = ids[1:][ids[1:] == ids[:-1]]
    if len(repeated):
        raise ValueError(
            "`examples` must have an id for each example. Received: the id "
            f"{repeated[0]} more than once."
        )
    return order


@dataclasses.dataclass(frozen=True)
class _Plan:
    """What is to be written before any shard is."""

    manifest: manifests.Manifest
    origin: manifests.Origin
    columns: dict


def _plan(source, examples, settings):
    """The manifest of a cache, and its index."""
    description = source.description
    features = _features(source, settings)
    _check_top_k(settings.top_k, features, description)
    shapes = {
        name: stored_shape(name, description.shape(name)) for name in features
    }
    has_tokens = any(
        array.token_axes
        for name, shape in shapes.items()
        for array in StoredFeature(name, shape, settings.dtype).arrays
    )
    columns = example_index.index_columns(examples, has_tokens)
    manifest = manifests.Manifest(
        members=source.members(examples),
        soft_labels=source.soft_labels,
        label_names=_label_names(source, examples, settings, shapes),
        data=example_index.index_hash(columns),
        num_examples=len(examples),
        dtype=settings.dtype,
        top_k=settings.top_k,
        shard_size=int(settings.shard_size),
        num_layers=description.num_layers,
        shapes=shapes,
        output_activations={
            name: activation
            for name, activation in description.output_activations.items()
            if name in features
        },
    )
    origin = manifests.Origin(
        source.name,
        list(source.member_names),
        getattr(examples, "task_name", None),
    )
    return _Plan(manifest, origin, columns)


def _features(source, settings):
    """The names of the features, of which each is one tensor."""
    description = source.description
    if isinstance(source, ModelSource):
        found = expand_features(source.model, settings.features, description)
    else:
        found = list(settings.features)
        for name in found:
            description.shape(name)
    # The mask is in the batches of the examples.
    features = [name for name in found if name != names.PADDING_MASK]
    if names.OUTPUTS in features or not features:
        raise ValueError(
            "`features` must name features that are one tensor each. "
            f"Received: features={list(settings.features)}. For several "
            "outputs, name each: 'output.<name>'."
        )
    return features


def _label_names(source, examples, settings, shapes):
    """What the logits stand for, as far as anyone knows."""
    given = settings.label_names
    if names.LOGITS not in shapes:
        return None
    width = shapes[names.LOGITS][-1]
    if given is not None and len(given) != width:
        raise ValueError(
            f"`label_names` must name the {width} logits of '{source.name}'. "
            f"Received: {', '.join(given)}."
        )
    of_examples = getattr(examples, "label_names", None)
    for known in (given, source.label_names, of_examples):
        if known is not None and len(known) == width:
            return list(known)
    return None


class _OtherCacheError(ValueError):
    """The folder holds another cache."""


def _claim(folder, plan):
    """Makes the folder this cache's, or checks that it is."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"`path` must be a folder. Received a file: path={str(folder)!r}"
        )
    make_folder(folder)
    lock_file = folder / _LOCK
    strangers = [
        path.name
        for path in folder.iterdir()
        if path.name not in (manifests.FILE, _LOCK)
        # A system's or an editor's, or what is not finished.
        and not path.name.startswith(".")
        # Of a call like this one that was stopped.
        and not (
            path.name == example_index.FILE
            and file_hash(path) == plan.manifest.data
        )
    ]
    if strangers and not (folder / manifests.FILE).exists():
        raise ValueError(
            "`path` must be a new or empty folder, or that of a cache. "
            f"Received: path={str(folder)!r}, which holds {strangers[0]}."
        )
    with file_lock(lock_file):
        if not (folder / manifests.FILE).exists():
            with replaced_file(folder / example_index.FILE) as file:
                example_index.write_index(file, plan.columns)
            # Last, since this file is what makes the folder a cache.
            with replaced_file(folder / manifests.FILE) as file:
                manifests.write_manifest(file, plan.manifest, plan.origin)
        known, _ = manifests.read_manifest(folder)
        # Whoever waits for the lock finds the manifest.
        remove_lock(lock_file)
    differences = known.differences(plan.manifest)
    if differences:
        raise _OtherCacheError(
            f"'{folder}' holds another cache. It differs in: "
            f"{'; '.join(differences)} (there, here). Choose another folder, "
            "remove this one, or, where it is part of a run, begin the run "
            "anew (`--no-resume`)."
        )
    return known


def _write_shard(folder, manifest, examples, run, progress, number):
    """Writes a shard unless someone else is writing it."""
    path = folder / shard_name(number)
    lock_file = _lock_of(path)
    with file_lock(lock_file, wait=False) as is_held:
        if not is_held:
            return False
        places = manifest.places(number)
        if not path.exists():
            rows = examples.select(np.arange(places.start, places.stop))
            layout = shard_layout(manifest, _lengths(examples), number)
            with replaced_file(path) as temporary, open(temporary, "wb") as f:
                writer = ShardWriter(f, layout)
                _fill(writer, manifest, rows, run, progress)
                writer.finish()
        else:
            progress.advance(len(places))
        # Whoever takes the lock later finds the shard.
        remove_lock(lock_file)
    return True


def _lock_of(shard):
    return shard.with_suffix(".lock")


def _lengths(examples):
    """The tokens of each example, 0 of those that are not tokenised."""
    if hasattr(examples, "lengths"):
        return examples.lengths
    return np.zeros(len(examples), "int64")


def _fill(writer, manifest, examples, run, progress):
    """Hands the targets of some examples to the writer of their shard."""
    order = storage_order(_lengths(examples))
    examples = examples.select(order)
    lengths = _lengths(examples).tolist()
    done = 0
    for found in run(examples):
        batch = [
            _as_stored(part, array)
            for feature in manifest.features
            for part, array in zip(
                feature.split(found[feature.name]), feature.arrays, strict=True
            )
        ]
        num_rows = len(batch[0])
        for row in range(num_rows):
            pieces = [
                array.cut(values, row, lengths[done + row])
                for values, array in zip(batch, manifest.arrays, strict=True)
            ]
            writer.add(int(order[done + row]), pieces)
        done += num_rows
        progress.advance(num_rows)


def _as_stored(values, array):
    """Values in the dtype on disk, which must be able to hold them."""
    with np.errstate(over="ignore"):
        stored = values.astype(array.numpy_dtype)
    if array.dtype == "int32":
        return stored
    if np.isnan(values).any():
        raise ValueError(
            f"The teacher's '{array.name}' holds values that are not a "
            "number. Check the teacher's weights."
        )
    if not np.isfinite(stored[np.isfinite(values)]).all():
        raise ValueError(
            f"The teacher's '{array.name}' holds values too large for "
            f"dtype='{array.dtype}', up to {np.abs(values).max():g}. Use "
            'dtype="bfloat16" or "float32".'
        )
    return stored


def _check_top_k(top_k, features, description):
    if top_k is None:
        return
    outputs = [name for name in features if is_output(name)]
    if not outputs:
        raise ValueError(
            "`top_k` keeps the largest logits. Received: "
            f"top_k={top_k} and features={features}, without an output. "
            "Leave it out."
        )
    for name in outputs:
        num_classes = description.shape(name)[-1]
        if top_k >= num_classes:
            raise ValueError(
                f"`top_k` must be less than the {num_classes} classes of "
                f"'{name}'. Received: top_k={top_k}. Leave it out."
            )
