"""Which examples a cache holds, kept on disk in the order of their ids.

A safetensors file: `ids` are the ids as UTF-8, one after the other, of which
example `i` has those bytes from `id_offsets[i]` to `id_offsets[i + 1]`.
`id_hashes`, sorted, and `id_places` find an example by its id.
"""

import hashlib

import numpy as np

from keras_distill.data import text_hashes
from keras_distill.io.hashes import file_hash
from keras_distill.io.safetensors_file import TensorLayout
from keras_distill.io.safetensors_file import map_tensors
from keras_distill.teachers.cache.fingerprint import row_fingerprints
from keras_distill.teachers.cache.manifest import FORMAT

FILE = "examples.safetensors"


class ExampleIndex:
    """The examples of a cache in the order of their ids.

    Attributes:
        text_hashes: uint64 array, of each example's raw text.
        lengths: int array of each example's tokens, 0 where the cache has
            nothing for single tokens.
        token_hashes: uint64 array, of each example's tokens, or `None` there.
    """

    def __init__(self, folder):
        found = map_tensors(folder / FILE)
        self._ids = found["ids"]
        self._ends = found["id_offsets"]
        self._hashes = found["id_hashes"]
        self._places = found["id_places"]
        self.text_hashes = found["text_hashes"]
        self.token_hashes = found.get("token_hashes")
        self.lengths = found.get(
            "lengths", np.broadcast_to(np.int32(0), len(self.text_hashes))
        )

    def __len__(self):
        return len(self.text_hashes)

    def places(self, ids):
        """Where examples stand in the order."""
        names = _names(ids)
        hashes = _hashes(names)
        firsts = np.searchsorted(self._hashes, hashes)
        places = np.array(
            [
                self._find(*one)
                for one in zip(names, hashes, firsts.tolist(), strict=True)
            ],
            "int64",
        )
        if (places < 0).any():
            unknown = list(
                dict.fromkeys(
                    names[row].decode(errors="replace")
                    for row in np.flatnonzero(places < 0)
                )
            )
            raise ValueError(
                f"The cache holds {len(self):,} examples, but not that with "
                f"the id {unknown[0]}"
                + (f" and {len(unknown) - 1:,} more" * (len(unknown) > 1))
                + ". Write a cache for these examples, or select those that "
                "it holds."
            )
        return places

    def _find(self, name, hash, number):
        """The place of an id, or -1; `number` is its hash's among all."""
        while number < len(self) and self._hashes[number] == hash:
            place = int(self._places[number])
            first, last = self._ends[place : place + 2].tolist()
            if self._ids[first:last].tobytes() == name:
                return place
            # Another id that has the same hash.
            number += 1
        return -1


def index_columns(examples, has_tokens):
    """What an index holds of examples in the order of their ids."""
    names = _names(examples.ids)
    hashes = _hashes(names)
    order = np.argsort(hashes, kind="stable")
    ends = np.zeros(len(names) + 1, "<i8")
    np.cumsum([len(name) for name in names], out=ends[1:])
    columns = {
        "id_offsets": ends,
        "id_hashes": hashes[order].astype("<u8"),
        "text_hashes": text_hashes(examples).astype("<u8"),
        "id_places": order.astype("<u4"),
        "ids": np.frombuffer(b"".join(names), "u1"),
    }
    if has_tokens:
        columns["token_hashes"] = row_fingerprints(examples).astype("<u8")
        columns["lengths"] = np.asarray(examples.lengths, "<i4")
    return columns


def write_index(path, columns):
    """Writes the file of an index."""
    with open(path, "wb") as file:
        file.writelines(_pieces(columns))


def index_hash(columns):
    """The SHA-256 of the file of an index."""
    digest = hashlib.sha256()
    for piece in _pieces(columns):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(columns):
    """The bytes of an index, piece by piece."""
    layout = TensorLayout(
        {name: (array.dtype, array.shape) for name, array in columns.items()},
        {"format": FORMAT},
    )
    yield layout.header
    for name in layout.starts:
        yield columns[name].view("u1").data


def check_index(folder, sha256):
    """Raises unless the index is the one that was written."""
    path = folder / FILE
    try:
        found = file_hash(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
    if found != sha256:
        raise ValueError(
            f"{path} is damaged: it is not the index that was written. "
            "Remove the folder and write the cache anew."
        )


def _names(ids):
    """Ids as UTF-8: 7 and "7" are the same."""
    return [
        str(name).encode(errors="surrogatepass")
        for name in np.asarray(ids).tolist()
    ]


def _hashes(names):
    return np.fromiter(map(_hash, names), "uint64", len(names))


def _hash(name):
    digest = hashlib.blake2b(name, digest_size=8).digest()
    return int.from_bytes(digest, "little")
