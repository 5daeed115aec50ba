"""WikiAnn from TensorFlow Datasets: names in Wikipedia's sentences.

Rahimi et al., 2019, "Massively Multilingual Transfer for NER", ACL.
"""

import functools
import itertools

import numpy as np

from keras_distill.data.splits import Splits
from keras_distill.data.tagged_examples import TaggedExamples
from keras_distill.io.progress import Progress
from keras_distill.tasks.tagging import SEQUENCE_LENGTH
from keras_distill.tasks.tagging import WIKIANN_TAGS
from keras_distill.tasks.tagging import tagging_task

_SPLITS = {"train": "train", "dev": "validation", "test": "test"}

_READ_BATCH = 1024


def load_wikiann(
    languages,
    tfds_data_dir=None,
    sequence_length=SEQUENCE_LENGTH,
    quiet=False,
):
    """Opens some languages of WikiAnn as one data set.

    Each language is downloaded and prepared when a split is first read,
    unless it already is. The sentences of one language come after those of
    the one before it.

    Args:
        languages: sequence of strings, such as `["en", "de"]`.
        tfds_data_dir: string or path. Where TensorFlow Datasets keeps its
            files. Defaults to `None`, its own default.
        sequence_length: int. The task's. Defaults to `128`.
        quiet: bool. Whether to leave out the progress of reading, which is
            shown after 5 seconds. Defaults to `False`.

    Returns:
        A `Task` and a mapping of `"train"`, `"dev"` and `"test"` to
        `TaggedExamples`. For files in a folder there is `load_iob`.

    Raises:
        ValueError: no or repeated languages; when a split is read, a language
            that WikiAnn does not have, or a failed download.

    Example:

    ```python
    import keras_distill

    task, splits = keras_distill.tasks.load_wikiann(["en", "de", "ru"])
    print(task.label_names)
    # The first time, splits["train"] downloads the data.
    ```
    """
    names = list(languages)
    if isinstance(languages, str) or not names or len(set(names)) < len(names):
        raise ValueError(
            "`languages` must be a list of different languages, at least one. "
            f"Received: languages={languages!r}."
        )
    task = tagging_task("wikiann", WIKIANN_TAGS, sequence_length)
    prepare = functools.cache(functools.partial(_prepare, tfds_data_dir))
    readers = {
        split: functools.partial(_read_split, prepare, names, tfds_split, quiet)
        for split, tfds_split in _SPLITS.items()
    }
    return task, Splits(
        readers, f"TensorFlow Datasets' wikiann of {', '.join(names)}"
    )


def _prepare(data_dir, language):
    """The builder of a language, downloaded and prepared."""
    # Slow to import, and not needed by who reads files.
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(f"wikiann/{language}", data_dir=data_dir)
    except ValueError as error:
        raise ValueError(
            "`languages` must be of WikiAnn, such as 'en' or 'zh-yue'. "
            f"Received: {language!r}."
        ) from error
    try:
        builder.download_and_prepare()
    except (OSError, tfds.download.DownloadError) as error:
        raise ValueError(
            f"TensorFlow Datasets could not prepare wikiann/{language} in "
            f"{builder.data_dir} ({type(error).__name__}: {error}); check the "
            "network and the disk, or read files with `load_iob`."
        ) from error
    names = tuple(builder.info.features["tags"].feature.names)
    if names != WIKIANN_TAGS:
        raise ValueError(
            f"TensorFlow Datasets' wikiann/{language} has the tags {names}, "
            f"not {WIKIANN_TAGS}; use the version of tensorflow-datasets that "
            "setup.cfg asks for."
        )
    return builder


def _read_split(prepare, languages, split, quiet):
    """Reads one split of all languages, each in the order of TFDS."""
    words, labels, spoken = [], [], []
    title = f"Reading {split} of WikiAnn"
    with Progress(
        title, len(languages), unit="languages", quiet=quiet
    ) as progress:
        for language in languages:
            for tokens, tags in _sentences(prepare(language), split):
                words.append(tokens)
                labels.append(tags)
                spoken.append(language)
            progress.advance()
    return TaggedExamples(words, labels, np.array(spoken))


def _sentences(builder, split):
    """Yields the words and the class indices of each sentence."""
    rows = builder.as_dataset(split=split)
    for batch in rows.ragged_batch(_READ_BATCH):
        words = [word.decode("utf-8") for word in _values(batch["tokens"])]
        yield from zip(
            _cut(words, batch["tokens"]),
            _cut(_values(batch["tags"]), batch["tags"]),
            strict=True,
        )


def _values(ragged):
    return ragged.flat_values.numpy()


def _cut(values, ragged):
    """The values of each row."""
    bounds = ragged.row_splits.numpy()
    return [values[start:end] for start, end in itertools.pairwise(bounds)]
