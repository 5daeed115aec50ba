"""Token ids, and other arrays, that are kept on disk."""

import dataclasses
import hashlib
import json
import sys

import keras
import keras_hub
import numpy as np
import safetensors
from safetensors.numpy import save_file

from keras_distill.io.file_lock import file_lock
from keras_distill.io.file_lock import remove_lock
from keras_distill.io.hashes import json_hash
from keras_distill.io.saving import local_path
from keras_distill.io.saving import make_folder
from keras_distill.io.saving import replaced_file
from keras_distill.packing import tokenizer_fingerprint
from keras_distill.packing.tokenization import Ragged


def pack_once(packer, texts, progress=None, cache_dir=None):
    """`packer.pack`, or what an earlier call with the same input gave.

    Args:
        packer: `keras_distill.packing.Packer`.
        texts: tuple of one or two lists of strings.
        progress: function of the rows done and the rows in all, called while
            rows are tokenised. Defaults to `None`.
        cache_dir: path of the folder that keeps the token ids, a file for
            each input. Defaults to `None`, which keeps nothing.

    Returns:
        As of `packer.pack`.

    Raises:
        ValueError: a tokenizer that does not show its vocabulary cannot be
            told from others, so `cache_dir` must be `None`.
    """
    if cache_dir is None:
        return packer.pack(texts, progress)

    def make():
        rows, first_lengths = packer.pack(texts, progress)
        return {
            "values": rows.values,
            "lengths": rows.lengths,
            "first_lengths": first_lengths,
        }

    arrays = ArrayCache(cache_dir).get(_fingerprint(packer, texts), make)
    rows = Ragged(arrays["values"], arrays["lengths"])
    return rows, arrays["first_lengths"]


def _fingerprint(packer, texts):
    """A hash of all that the token ids depend on."""
    of_tokenizer = tokenizer_fingerprint(packer.tokenizer)
    if of_tokenizer is None:
        raise ValueError(
            "`cache_dir` needs a tokenizer that shows its vocabulary, as "
            f"KerasHub's do. Received: {type(packer.tokenizer).__name__}; "
            "leave `cache_dir` out."
        )
    content = [
        of_tokenizer,
        dataclasses.asdict(packer.layout),
        int(packer.sequence_length),
        texts_fingerprint(texts),
        keras_hub.__version__,
        # TensorFlow's tokenizer knows other Unicode tables than Python's.
        keras.backend.backend() == "tensorflow",
    ]
    return json_hash(content)


def texts_fingerprint(texts):
    """A hash of columns of texts.

    Args:
        texts: tuple of lists of strings.

    Returns:
        str.
    """
    digest = hashlib.sha256()
    for column in texts:
        digest.update(f"{len(column)};".encode())
        for text in column:
            data = text.encode("utf-8", "surrogatepass")
            # With its length, no text runs into the next.
            digest.update(b"%d;" % len(data))
            digest.update(data)
    return digest.hexdigest()


class ArrayCache:
    """Arrays on disk that are computed once.

    Each entry is a safetensors file named by its key. A key must tell apart
    whatever gives other arrays: entries are never compared with their source.
    A file is written under a temporary name and then renamed. Of several
    processes that want the same entry one computes it, and the others wait.
    A file that is damaged is computed anew, which is said in a line on
    standard error.

    Args:
        folder: Path of the folder. Made when it is needed.

    Example:

    >>> import numpy as np
    >>> from keras_distill.data.tokenized.token_cache import ArrayCache
    >>> cache = ArrayCache("squares")
    >>> cache.get("up_to_3", lambda: {"values": np.arange(4) ** 2})["values"]
    array([0, 1, 4, 9])
    >>> cache.get("up_to_3", lambda: print("not called"))["values"]
    array([0, 1, 4, 9])
    """

    def __init__(self, folder):
        self._folder = local_path(folder)
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(
                "`cache_dir` must be a folder. "
                f"Received a file: {str(folder)!r}."
            )

    def get(self, key, make):
        """Returns the arrays of an entry.

        Args:
            key: str that can be part of a file's name.
            make: function without arguments that returns them, a dict of str
                to NumPy array, when they are not there.

        Returns:
            dict of str to NumPy array.
        """
        path = self._folder / f"{key}.safetensors"
        arrays, _ = _read(path, key)
        if arrays is not None:
            return arrays
        make_folder(self._folder)
        lock_file = path.with_suffix(".lock")
        with file_lock(lock_file):
            # Another process may have written it meanwhile.
            arrays, damage = _read(path, key)
            if arrays is None:
                if damage is not None:
                    print(
                        f"{path} is damaged ({damage}) and is made anew",
                        file=sys.stderr,
                    )
                arrays = make()
                _write(path, key, arrays)
            # Whoever takes the lock later finds the file.
            remove_lock(lock_file)
        return arrays


def _write(path, key, arrays):
    metadata = {"key": key, "checksum": _checksum(arrays)}
    with replaced_file(path) as temporary:
        save_file(arrays, temporary, metadata)


def _read(path, key):
    """The arrays, or `None`; and what is wrong with the file, if anything."""
    if not path.exists():
        return None, None
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    # What a damaged file does to safetensors has no class of its own.
    except Exception as error:
        return None, str(error) or type(error).__name__
    if metadata.get("key") != key:
        return None, "it is another entry's"
    if metadata.get("checksum") != _checksum(arrays):
        return None, "the checksum is wrong"
    return arrays, None


def _checksum(arrays):
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.reshape(-1).view("uint8"))
    return digest.hexdigest()
