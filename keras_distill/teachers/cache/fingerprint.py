"""What tells teachers and examples apart."""

import hashlib

import keras
import numpy as np

from keras_distill.io.hashes import arrays_hash
from keras_distill.io.hashes import json_hash
from keras_distill.teachers.cache.cached_targets import TARGET_PREFIX

_ROWS = 1024

# Of the config of a layer: what does not change what it computes.
_IGNORED = {
    "name",
    "trainable",
    "preprocessor",
    "build_config",
    "compile_config",
}
# What a model that is not trained does not read.
_DROPOUT = {"dropout", "rate", "recurrent_dropout"}
# Where a config speaks of layers by their names.
_NAMING = {"inbound_nodes", "input_layers", "output_layers"}


def weights_fingerprint(model):
    """A hash of a model's weights, whatever their names."""
    return arrays_hash(map(keras.ops.convert_to_numpy, model.weights))


def architecture(model, is_trained=False):
    """What a model computes, whatever its weights and names."""
    preprocessor = getattr(model, "preprocessor", None)
    if preprocessor is not None and not preprocessor.built:
        # KerasHub makes a layer of it when texts are first packed.
        preprocessor.build(None)
    # The dropout of what teaches is off, and so does not count.
    ignored = _IGNORED if is_trained else _IGNORED | _DROPOUT
    configs = [
        [type(layer).__name__, _options(layer, ignored)]
        for layer in model._flatten_layers()
    ]
    found = [config for _, config in configs]
    dropout = {
        "dropout": sorted({x for k in _DROPOUT for x in _values_of(found, k)})
    }
    return {
        "class": type(model).__name__,
        "dtype": model.dtype_policy.name,
        "activations": _values_of(found, "activation"),
        **(dropout if is_trained else {}),
        "layers": json_hash(configs, sort_keys=True, default=_plain),
    }


def _options(layer, ignored):
    try:
        config = layer.get_config()
    # A layer of one's own that was never to be saved.
    except (NotImplementedError, TypeError, ValueError):
        return {}
    # Keras counts up the names that it makes; what counts is their order.
    places = {name: f"#{i}" for i, name in enumerate(_names(config))}
    return _without_names(config, places, ignored)


def _names(config):
    """The names in a config, each once, in their order."""
    found = {}
    if isinstance(config, dict):
        if isinstance(config.get("name"), str):
            found[config["name"]] = None
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for value in config:
            found |= dict.fromkeys(_names(value))
    return list(found)


def _without_names(config, places, ignored, is_naming=False):
    if isinstance(config, dict):
        kind = config.get("class_name")
        if kind == "__lambda__":
            # Its bytes tell the line of the file as well.
            return kind
        if isinstance(kind, str) and kind.endswith("DTypePolicy"):
            # Of which the name is all.
            return config
        return {
            key: _without_names(
                value, places, ignored, is_naming or key in _NAMING
            )
            for key, value in config.items()
            if key not in ignored and not str(key).endswith("initializer")
        }
    if isinstance(config, (list, tuple)):
        return [
            _without_names(value, places, ignored, is_naming)
            for value in config
        ]
    if is_naming and isinstance(config, str):
        return places.get(config, config)
    return config


def _values_of(configs, key):
    """The different plain values that configs have under a key."""
    values = {str(_plain(c[key])) for c in configs if c.get(key) is not None}
    return sorted(values)


def _plain(value):
    if isinstance(value, (str, int, float)):
        return value
    return getattr(value, "__qualname__", type(value).__name__)


def row_fingerprints(examples):
    """A hash of what each row holds, whatever its padding."""
    hashes = np.empty(len(examples), dtype="uint64")
    done = 0
    # Labels may hold rows together, out of their order.
    for x, *_ in examples.with_labels(None).iterate(_ROWS):
        names = sorted(name for name in x if not name.startswith(TARGET_PREFIX))
        arrays = [np.asarray(x[name], "<i4") for name in names]
        for row in zip(*arrays, strict=True):
            length = examples.lengths[done]
            digest = hashlib.blake2b(digest_size=8)
            for values in row:
                digest.update(values[:length].tobytes())
            hashes[done] = int.from_bytes(digest.digest(), "little")
            done += 1
    return hashes
