"""Made-up files in GLUE's layout."""

import gzip

import keras
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def seed():
    """The common random state, without clearing Keras's session after.

    Hardly a test here builds a model, and clearing takes longer than most.
    """
    keras.utils.set_random_seed(7)


@pytest.fixture
def write_tsv(tmp_path):
    """Writes rows to a file below `tmp_path`, compressed if it ends in .gz."""

    def write(name, *rows):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = "".join("\t".join(row) + "\n" for row in rows).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return write


class _Series:
    """What a pandas series does: `[]` looks up labels, iteration does not."""

    def __init__(self, values, index):
        self._values = list(values)
        self.index = list(index)

    def __getitem__(self, label):
        return self._values[self.index.index(label)]

    def __len__(self):
        return len(self._values)

    def __iter__(self):
        return iter(self._values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype=dtype)


@pytest.fixture(params=["stand-in", "pandas"])
def series(request):
    """Makes a series of values and an index; pandas's where it is there."""
    if request.param == "pandas":
        return pytest.importorskip("pandas").Series
    return _Series
