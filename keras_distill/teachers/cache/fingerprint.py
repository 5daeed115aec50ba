"""What tells teachers and examples apart."""

import hashlib

import keras
import numpy as np

from keras_distill.teachers.cache.cached_targets import TARGET_PREFIX

_ROWS = 1024


def weights_fingerprint(model):
    """A hash of a model's weights, whatever their names.

    Args:
        model: `keras.Model`.

    Returns:
        str.
    """
    digest = hashlib.sha256()
    for weight in model.weights:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(value.view("uint8").reshape(-1))
    return digest.hexdigest()


def row_fingerprints(examples):
    """A hash of what each row holds, whatever its padding.

    Args:
        examples: `keras_distill.tasks.TokenizedExamples`.

    Returns:
        uint64 array.
    """
    hashes = np.empty(len(examples), dtype="uint64")
    done = 0
    for x, *_ in examples.iterate(_ROWS):
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
