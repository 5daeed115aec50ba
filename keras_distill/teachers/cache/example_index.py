"""Which examples a cache holds, kept on disk in the order of their ids."""

import numpy as np

from keras_distill.io.hashes import file_hash

FILE = "examples.bin"

_COLUMNS = (("ids", "<i8"), ("hashes", "<u8"), ("lengths", "<i4"))


class ExampleIndex:
    """The examples of a cache in the order of their ids."""

    def __init__(self, folder, num_examples):
        start = 0
        for name, dtype in _COLUMNS:
            column = np.memmap(
                folder / FILE, dtype, "r", offset=start, shape=(num_examples,)
            )
            setattr(self, name, column)
            start += column.nbytes

    def __len__(self):
        return len(self.ids)

    def places(self, ids):
        """Where examples stand in the order."""
        places = np.searchsorted(self.ids, ids)
        found = self.ids[np.minimum(places, len(self) - 1)] == ids
        if not found.all():
            unknown = np.unique(ids[~found])
            raise ValueError(
                f"The cache holds {len(self):,} examples, but not that with "
                f"the id {unknown[0]}"
                + (f" and {len(unknown) - 1:,} more" * (len(unknown) > 1))
                + ". Write a cache for these examples, or select those that "
                "it holds."
            )
        return places


def index_bytes(ids, hashes, lengths):
    """The bytes of an index, from columns in the order of the ids."""
    columns = zip(_COLUMNS, (ids, hashes, lengths), strict=True)
    return b"".join(
        np.asarray(column, dtype).tobytes() for (_, dtype), column in columns
    )


def check_index(folder, num_examples, sha256):
    """Raises unless the index is the one that was written."""
    path = folder / FILE
    try:
        size, found = path.stat().st_size, file_hash(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
    row_size = sum(np.dtype(dtype).itemsize for _, dtype in _COLUMNS)
    if size != num_examples * row_size or found != sha256:
        raise ValueError(
            f"{path} is damaged: it is not the index that was written. "
            "Remove the folder and write the cache anew."
        )
